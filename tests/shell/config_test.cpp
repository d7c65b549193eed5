#include "daemon/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "daemon/setting.h"
#include "storage/model/duration.h"
#include "tests/shell/scratch.h"

namespace dl {
namespace {

using testing::HasSubstr;

constexpr const char* kEndpoint = "--endpoint=http://127.0.0.1:8080";

Result<Config> parse(std::vector<const char*> flags, const Environment& environment = {},
                     const std::string& file = "/nonexistent/config.toml") {
  flags.insert(flags.begin(), "dl-daemon");
  return parse_config(static_cast<int>(flags.size()), flags.data(), environment, file);
}

void expect_refused(const Result<Config>& config, Errc code, const std::string& message) {
  ASSERT_FALSE(config) << message;
  EXPECT_EQ(config.error().message, message);
  EXPECT_EQ(config.error().code, code);
}

TEST(Config, NeedsNothingButAnEndpoint) {
  const Result<Config> config = parse({kEndpoint});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->command, Command::run);
  EXPECT_EQ(config->db, "demandlink.db");
  EXPECT_EQ(config->endpoint->port, "8080");
  EXPECT_EQ(config->rate_limit, (std::vector<Tier>{{40, 60'000}}));
  EXPECT_EQ(config->workers, 3);
  EXPECT_EQ(config->in_flight, 32);
  EXPECT_EQ(config->max_retries, 3);
  EXPECT_EQ(config->unknown_outcome, UnknownOutcome::hold);
  EXPECT_EQ(config->missing_id, MissingId::in_doubt);
  EXPECT_EQ(config->settle_ms, 180'000);
  EXPECT_EQ(config->http_timeout_ms, 120'000);
  EXPECT_FALSE(config->drain);
}

TEST(Config, SaysHowToGiveTheEndpointThatIsMissing) {
  const Result<Config> config = parse({});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, Errc::usage);
  EXPECT_THAT(config.error().message, HasSubstr("--endpoint URL, DL_ENDPOINT"));
  EXPECT_EQ(parse({"--check-config"}).error().code, Errc::usage);
}

TEST(Config, NeedsNoDspToVerifyADatabase) {
  const Result<Config> config = parse({"--db", "x.db", "--verify"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->command, Command::verify);
  EXPECT_EQ(config->db, "x.db");
  EXPECT_FALSE(config->offline);
}

TEST(Config, TakesOfflineForAWordOfVerifyAlone) {
  const Result<Config> config = parse({"--verify", "--offline"});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->offline);
  expect_refused(parse({kEndpoint, "--offline"}), Errc::usage,
                 "--offline belongs to --verify; see dl-daemon --help");
}

TEST(Config, TakesFlagBeforeEnvironmentBeforeFileBeforeDefault) {
  const Scratch scratch;
  const std::string file = scratch.write("c.toml", "workers = 5\nburst = 7\nheadroom = 8\n");
  const Environment environment = {{"DL_WORKERS", "6"}, {"DL_BURST", "9"}};
  const Result<Config> config = parse({kEndpoint, "--workers", "4"}, environment, file);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->workers, 4);
  EXPECT_EQ(config->burst, 9);
  EXPECT_EQ(config->headroom, 8);
  EXPECT_EQ(config->in_flight, 32);
  EXPECT_EQ(config->config_path, file);
}

TEST(Config, PrintsWhereEachValueCameFrom) {
  const Scratch scratch;
  const std::string file = scratch.write("c.toml", "\nheadroom = 8\n");
  const Result<Config> config =
      parse({"--print-config", "--workers=4"}, {{"DL_RATE_LIMIT", "40/60s,10/1s"}}, file);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->command, Command::print_config);
  const std::string text = print_config(*config);
  EXPECT_THAT(text, HasSubstr("# configuration file: " + file + "\n"));
  EXPECT_THAT(text, HasSubstr("# endpoint is not set\n"));
  EXPECT_THAT(text, HasSubstr("rate_limit = \"40/60s,10/1s\"  # DL_RATE_LIMIT\n"));
  EXPECT_THAT(text, HasSubstr("workers = 4  # --workers\n"));
  EXPECT_THAT(text, HasSubstr("headroom = 8  # " + file + ":2\n"));
  EXPECT_THAT(text, HasSubstr("settle = \"180s\"  # default\n"));
}

TEST(Config, PrintsAFileThatGivesTheSameValues) {
  const Scratch scratch;
  const Result<Config> first = parse(
      {"--endpoint", "https://dsp.example/v1", "--db", "a \"b\"\t\\.db", "--rate-limit", "none",
       "--missing-id", "refused", "--drain", "--unknown-outcome", "lookup", "--retryable-status",
       "423,500", "--not-applied-status", "503,520", "--settle", "90s", "--log-format=json"});
  ASSERT_TRUE(first);
  const std::string printed = print_config(*first);
  const Result<Config> second = parse({}, {}, scratch.write("c.toml", printed));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->db, "a \"b\"\t\\.db");
  for (const Setting& setting : settings()) {
    EXPECT_EQ(setting.show(*second), setting.show(*first)) << setting.key;
  }
}

template <class Enum>
void expect_meanings(
    const char* flag, Enum Config::*member,
    const std::vector<std::pair<const char*, std::type_identity_t<Enum>>>& meanings) {
  for (const auto& [word, value] : meanings) {
    const Result<Config> config = parse({kEndpoint, flag, word});
    ASSERT_TRUE(config) << flag << ' ' << word;
    EXPECT_EQ((*config).*member, value) << flag << ' ' << word;
  }
}

// What is held, sent again or looked up hangs on these words.
TEST(Config, TakesEachWordOfAChoiceForTheValueThatItNames) {
  expect_meanings("--unknown-outcome", &Config::unknown_outcome,
                  {{"hold", UnknownOutcome::hold},
                   {"resubmit", UnknownOutcome::resubmit},
                   {"lookup", UnknownOutcome::lookup}});
  expect_meanings("--missing-id", &Config::missing_id,
                  {{"in_doubt", MissingId::in_doubt}, {"refused", MissingId::refused}});
  expect_meanings("--log-level", &Config::log_level,
                  {{"debug", LogLevel::debug},
                   {"info", LogLevel::info},
                   {"warning", LogLevel::warning},
                   {"error", LogLevel::error}});
  expect_meanings("--log-format", &Config::log_format,
                  {{"auto", LogFormat::automatic},
                   {"text", LogFormat::text},
                   {"json", LogFormat::json},
                   {"journal", LogFormat::journal}});
  expect_meanings("--progress", &Config::progress,
                  {{"auto", ProgressStyle::automatic},
                   {"plain", ProgressStyle::plain},
                   {"none", ProgressStyle::none}});
}

TEST(Config, BlamesThePlaceThatABadValueCameFrom) {
  const Scratch scratch;
  const std::string file = scratch.write("c.toml", "db = \"x.db\"\nsettle = 180\n");
  expect_refused(parse({kEndpoint, "--settle", "3"}), Errc::usage,
                 "--settle: \"3\" has no unit; write 3s for seconds");
  expect_refused(parse({kEndpoint}, {{"DL_SETTLE", "3"}}), Errc::config,
                 "DL_SETTLE: \"3\" has no unit; write 3s for seconds");
  expect_refused(parse({kEndpoint}, {}, file), Errc::config,
                 file + ":2: settle: \"180\" has no unit; write 180s for seconds");
}

TEST(Config, RefusesValuesOutOfTheirRange) {
  expect_refused(parse({kEndpoint, "--workers=0"}), Errc::usage,
                 "--workers: \"0\" must be a whole number from 1 to 64");
  expect_refused(parse({kEndpoint, "--workers=3x"}), Errc::usage,
                 "--workers: \"3x\" must be a whole number from 1 to 64");
  expect_refused(parse({kEndpoint, "--unknown-outcome=guess"}), Errc::usage,
                 "--unknown-outcome: \"guess\" must be one of hold, resubmit, lookup");
  expect_refused(parse({kEndpoint, "--http-timeout=0s"}), Errc::usage,
                 "--http-timeout: \"0s\" must be at least 1ms");
  expect_refused(parse({kEndpoint}, {{"DL_DRAIN", "yes"}}), Errc::config,
                 "DL_DRAIN: \"yes\" must be true or false");
  expect_refused(parse({kEndpoint, "--retryable-status=429"}), Errc::usage,
                 "--retryable-status: 429 always pauses the account");
  expect_refused(parse({kEndpoint, "--not-applied-status=429"}), Errc::usage,
                 "--not-applied-status: 429 always pauses the account");
  expect_refused(
      parse({kEndpoint}, {{"DL_NOT_APPLIED_STATUS", "201"}}), Errc::config,
      "DL_NOT_APPLIED_STATUS: \"201\" must be HTTP statuses from 400 to 599, such as 423,500");
  expect_refused(parse({kEndpoint, "--not-applied-status=503", "--retryable-status=423,503"}),
                 Errc::config,
                 "503 is in retryable_status and in not_applied_status: one spends an attempt, the "
                 "other none");
  expect_refused(parse({kEndpoint}, {{"DL_DB", ""}}), Errc::config, "DL_DB: must name a file");
}

TEST(Config, AnswersAnUnknownFlagWithTheNearestOne) {
  expect_refused(parse({"--rate-limits", "40/60s"}), Errc::usage,
                 "unknown flag \"--rate-limits\"; did you mean --rate-limit?");
  expect_refused(parse({"--wrokers=3"}), Errc::usage,
                 "unknown flag \"--wrokers\"; did you mean --workers?");
  expect_refused(parse({"--colour"}), Errc::usage,
                 "unknown flag \"--colour\"; see dl-daemon --help");
  expect_refused(parse({"jobs.db"}), Errc::usage,
                 "unexpected argument \"jobs.db\"; dl-daemon takes flags only, see --help");
  EXPECT_EQ(parse({"--workers"}).error().code, Errc::usage);
  EXPECT_EQ(parse({kEndpoint, "--db", "a", "--db", "b"}).error().code, Errc::usage);
}

TEST(Config, WarnsOfAVariableThatNobodyReads) {
  const Result<Config> config = parse(
      {kEndpoint}, {{"DL_RATELIMIT", "1/1s"}, {"DL_BOOT_ID", "x"}, {"DLX", ""}, {"PATH", ""}});
  ASSERT_TRUE(config);
  EXPECT_THAT(config->warnings,
              testing::ElementsAre("environment variable DL_RATELIMIT is not known; did you mean "
                                   "DL_RATE_LIMIT?"));
}

TEST(Config, WarnsOfATokenThatMayStandInAnIdByChance) {
  const Scratch scratch;
  const std::string flag = "--token-file=" + scratch.write("token", "123456789012345\n");
  EXPECT_THAT(parse({kEndpoint, flag.c_str()})->warnings,
              testing::ElementsAre("token file " + scratch.path("token") +
                                   ": the token is shorter than 16 characters; an id of the DSP "
                                   "that holds the same text is not "
                                   "kept, and its job stays in doubt"));
  EXPECT_THAT(parse({kEndpoint, flag.c_str(), "--check-config"})->warnings, testing::SizeIs(1));
  scratch.write("token", "1234567890123456\n");
  EXPECT_THAT(parse({kEndpoint, flag.c_str()})->warnings, testing::IsEmpty());
  EXPECT_THAT(parse({kEndpoint, "--token-file=none"})->warnings, testing::IsEmpty())
      << "who connects complains of it";
}

TEST(Config, RefusesWhatCouldNeverSend) {
  expect_refused(parse({kEndpoint, "--headroom=10", "--rate-limit=40/60s,10/1s"}), Errc::config,
                 "headroom 10 leaves nothing of the rate limit 10/1s");
  EXPECT_TRUE(parse({kEndpoint, "--headroom=39"}));
  expect_refused(parse({kEndpoint, "--unknown-outcome=resubmit", "--key-lifetime=3min"}),
                 Errc::config,
                 "key_lifetime 180s must be longer by a third (at least a minute) than "
                 "http_timeout and late_arrival together (180s), "
                 "or nothing could ever be resubmitted");
  EXPECT_TRUE(parse({kEndpoint, "--key-lifetime=3min"}));
}

TEST(Config, FindsTheCredentialThatSystemdHandsOver) {
  const Scratch scratch;
  const Environment environment = {{"CREDENTIALS_DIRECTORY", scratch.path(".")}};
  EXPECT_EQ(parse({kEndpoint}, environment)->token_file, "");
  scratch.write("dsp-token", "secret");
  EXPECT_EQ(parse({kEndpoint}, environment)->token_file, scratch.path("./dsp-token"));
  EXPECT_EQ(parse({kEndpoint, "--token-file=mine"}, environment)->token_file, "mine");
}

TEST(Config, KeepsTheTokenFromGoingToAnotherMachineInClearText) {
  constexpr const char* kRemote = "--endpoint=http://dsp.example/v1";
  expect_refused(parse({kRemote, "--token-file=t"}), Errc::config,
                 "the token would go to http://dsp.example/v1 in clear text: use https://, or set "
                 "allow_token_over_http where "
                 "that network is trusted");
  EXPECT_FALSE(parse({kRemote, "--token-file=t", "--check-config"}));
  EXPECT_FALSE(parse({kRemote, "--token-file=t", "--verify"})) << "it asks the DSP";
  const Scratch scratch;
  scratch.write("dsp-token", "secret");
  EXPECT_FALSE(parse({kRemote}, {{"CREDENTIALS_DIRECTORY", scratch.path(".")}}));
  for (const std::vector<const char*>& flags :
       {std::vector<const char*>{kRemote},
        {kRemote, "--token-file=t", "--allow-token-over-http"},
        {kRemote, "--token-file=t", "--verify", "--offline"},
        {kRemote, "--token-file=t", "--print-config"},
        {"--endpoint=https://dsp.example/v1", "--token-file=t"},
        {"--endpoint=http://127.0.0.1:8000", "--token-file=t"},
        {"--endpoint=http://[::1]:8000", "--token-file=t"},
        {"--endpoint=http://localhost:8000", "--token-file=t"}}) {
    const auto config = parse(flags);
    EXPECT_TRUE(config) << config.error().message;
  }
}

TEST(Config, WarnsOfWhatGoesToAnotherMachineInClearText) {
  constexpr const char* kRemote = "--endpoint=http://dsp.example/v1";
  const auto warnings = [](const std::vector<const char*>& flags) {
    return parse(flags)->warnings;
  };
  EXPECT_EQ(warnings({kRemote}),
            std::vector<std::string>{"all that is sent to http://dsp.example/v1 can be read and "
                                     "changed on its way: use https://, or set "
                                     "allow_token_over_http where that network is trusted"});
  EXPECT_TRUE(warnings({kRemote, "--allow-token-over-http"}).empty());
  EXPECT_TRUE(warnings({kRemote, "--print-config"}).empty());
  EXPECT_TRUE(warnings({"--endpoint=https://dsp.example/v1"}).empty());
  EXPECT_TRUE(warnings({"--endpoint=http://127.0.0.1:8000"}).empty());
}

TEST(Config, LooksAtNothingElseWhereHelpOrVersionIsAsked) {
  const Environment bad = {{"DL_WORKERS", "x"}, {"DL_CONFIG", "/nonexistent"}};
  EXPECT_EQ(parse({"--help"}, bad)->command, Command::help);
  EXPECT_EQ(parse({"-h"}, bad)->command, Command::help);
  EXPECT_EQ(parse({"--version"}, bad)->command, Command::version);
}

TEST(Help, TeachesEverySettingWithItsDefault) {
  const std::string text = help_text();
  for (const Setting& setting : settings()) EXPECT_THAT(text, HasSubstr("  " + setting.flag()));
  EXPECT_THAT(text, HasSubstr("[40/60s]"));
  EXPECT_THAT(text, HasSubstr("[180s]"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 110U) << line;
}

TEST(Settings, AreTheKeysOfTheFile) {
  std::vector<std::string_view> keys;
  for (const Setting& setting : settings()) keys.push_back(setting.key);
  EXPECT_THAT(keys, testing::UnorderedElementsAreArray(kConfigKeys));
}

TEST(Settings, ShowTheirDefaultsInAFormTheyTakeBack) {
  const Config defaults;
  for (const Setting& setting : settings()) {
    std::string shown = setting.show(defaults);
    shown.erase(std::remove(shown.begin(), shown.end(), '"'), shown.end());
    if (shown.empty()) continue;
    Config config;
    EXPECT_TRUE(setting.set(config, shown)) << setting.key;
    EXPECT_EQ(setting.show(config), setting.show(defaults)) << setting.key;
  }
}

}  // namespace
}  // namespace dl
