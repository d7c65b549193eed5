#include "daemon/config.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "daemon/dsp/secret.h"
#include "daemon/escape.h"
#include "daemon/setting.h"
#include "storage/idempotency_key.h"
#include "storage/model/duration.h"
#include "storage/model/nearest_name.h"

namespace dl {
namespace {

// Variables of ours that are no settings. DL_TIME_SCALE and DL_FAULT speed up and break a daemon in
// tests.
constexpr std::string_view kOtherVariables[] = {"DL_CONFIG", "DL_BOOT_ID", "DL_TIME_SCALE",
                                                "DL_FAULT"};

struct Flags {
  Command command = Command::run;
  bool offline = false;
  std::optional<std::string> config_path;
  std::map<std::string_view, std::string> values;  // by key, those that were given
};

std::string hint(std::string_view typed, const std::vector<std::string>& known) {
  const std::vector<std::string_view> names(known.begin(), known.end());
  const auto nearest = nearest_name(typed, names);
  return nearest ? "; did you mean " + std::string(*nearest) + "?" : "; see dl-daemon --help";
}

Error unexpected(const std::string& argument) {
  if (argument.empty() || argument[0] != '-') {
    return {Errc::usage, "unexpected argument " + in_quotes(argument) +
                             "; dl-daemon takes flags only, see --help"};
  }
  std::vector<std::string> known = {"--config",  "--check-config", "--print-config", "--verify",
                                    "--offline", "--help",         "--version"};
  for (const Setting& setting : settings()) known.push_back(setting.flag());
  const std::string name = argument.substr(0, argument.find('='));
  return {Errc::usage, "unknown flag " + in_quotes(name) + hint(name, known)};
}

Result<Flags> parse_flags(int argc, const char* const* argv) {
  CLI::App app;
  app.set_help_flag();  // the help is ours
  app.allow_extras();
  Flags flags;
  std::string config_path;
  const CLI::Option* config = app.add_option("--config", config_path);
  const CLI::Option* help = app.add_flag("-h,--help");
  const CLI::Option* version = app.add_flag("--version");
  const CLI::Option* check = app.add_flag("--check-config");
  const CLI::Option* print = app.add_flag("--print-config");
  const CLI::Option* verify = app.add_flag("--verify");
  const CLI::Option* offline = app.add_flag("--offline");
  std::map<std::string_view, std::string> texts;
  for (const Setting& setting : settings()) {
    std::string& text = texts[setting.key];
    if (setting.value.empty()) {
      app.add_flag(setting.flag(), text);
    } else {
      app.add_option(setting.flag(), text);
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return Error{Errc::usage, std::string(error.what()) + "; see dl-daemon --help"};
  }
  if (help->count() > 0)
    flags.command = Command::help;
  else if (version->count() > 0)
    flags.command = Command::version;
  else if (!app.remaining().empty())
    return unexpected(app.remaining().front());
  else if (print->count() > 0)
    flags.command = Command::print_config;
  else if (check->count() > 0)
    flags.command = Command::check_config;
  else if (verify->count() > 0)
    flags.command = Command::verify;
  flags.offline = offline->count() > 0;
  const bool is_info = flags.command == Command::help || flags.command == Command::version;
  if (flags.offline && flags.command != Command::verify && !is_info) {
    return Error{Errc::usage, "--offline belongs to --verify; see dl-daemon --help"};
  }
  if (config->count() > 0) flags.config_path = config_path;
  for (const Setting& setting : settings()) {
    if (app.get_option(setting.flag())->count() > 0) flags.values[setting.key] = texts[setting.key];
  }
  return flags;
}

struct Source {
  std::string text;
  std::string origin;
  std::string label;  // what stands before a complaint
  Errc code;          // of a bad value
};

// Flag, environment, file: the first that speaks. Nothing: the default.
std::optional<Source> source_of(const Setting& setting, const Flags& flags,
                                const Environment& environment, const ConfigFile& file) {
  if (const auto flag = flags.values.find(setting.key); flag != flags.values.end()) {
    return Source{flag->second, setting.flag(), setting.flag(), Errc::usage};
  }
  if (const auto variable = environment.find(setting.variable()); variable != environment.end()) {
    return Source{variable->second, setting.variable(), setting.variable(), Errc::config};
  }
  if (const ConfigValue* value = file.find(setting.key)) {
    return Source{value->text, value->origin, value->origin + ": " + std::string(setting.key),
                  Errc::config};
  }
  return std::nullopt;
}

std::vector<std::string> warn_of_strangers(const Environment& environment) {
  std::vector<std::string> known(std::begin(kOtherVariables), std::end(kOtherVariables));
  for (const Setting& setting : settings()) known.push_back(setting.variable());
  std::vector<std::string> warnings;
  for (auto at = environment.lower_bound("DL_");
       at != environment.end() && at->first.starts_with("DL_"); ++at) {
    if (std::find(known.begin(), known.end(), at->first) != known.end()) continue;
    warnings.push_back("environment variable " + escaped(at->first) + " is not known" +
                       hint(at->first, known));
  }
  return warnings;
}

// systemd's LoadCredential=dsp-token:… (systemd/token.conf), where nothing else names a token.
void find_credential(Config& config, const Environment& environment) {
  const auto folder = environment.find("CREDENTIALS_DIRECTORY");
  if (!config.token_file.empty() || folder == environment.end()) return;
  const std::string path = folder->second + "/dsp-token";
  if (::access(path.c_str(), F_OK) != 0) return;
  config.token_file = path;
  config.origins["token_file"] = "systemd credential";
}

// Whoever is on the way can read what http:// carries, and change it. To this machine nobody is.
bool would_speak_in_clear(const Config& config) {
  const bool speaks_to_dsp = config.command != Command::print_config && !config.offline;
  const bool is_in_clear =
      config.endpoint && !config.endpoint->tls && !config.endpoint->is_loopback();
  return speaks_to_dsp && is_in_clear && !config.allow_token_over_http;
}

Status keep_token_secret(const Config& config) {
  if (!would_speak_in_clear(config) || config.token_file.empty()) return Done{};
  return Error{Errc::config, "the token would go to " + config.endpoint->text() +
                                 " in clear text: use https://, or set allow_token_over_http where "
                                 "that network is trusted"};
}

// Without a token it is budgets and creatives, and the answers.
void warn_of_clear_text(Config& config) {
  if (!would_speak_in_clear(config)) return;
  config.warnings.push_back("all that is sent to " + config.endpoint->text() +
                            " can be read and changed on its way: use https://, or set "
                            "allow_token_over_http where that network is trusted");
}

// A short one stands in an id of the DSP by chance, and such an id cannot be kept
// (daemon/dsp/codec.h). A file that cannot be read is the connections' to complain of: it may come
// later.
void warn_of_short_token(Config& config) {
  constexpr std::size_t kLeast = 16;
  if (config.token_file.empty() || config.command == Command::print_config || config.offline)
    return;
  const Result<Secret> token = read_secret(config.token_file);
  if (!token || token->text().size() >= kLeast) return;
  config.warnings.push_back("token file " + config.token_file + ": the token is shorter than " +
                            std::to_string(kLeast) +
                            " characters; an id of the DSP that holds the same text is not kept, "
                            "and its job stays in doubt");
}

// What no single setting can see.
Status check_together(const Config& config) {
  for (const Tier& tier : config.rate_limit) {
    if (config.headroom < tier.count) continue;
    return Error{Errc::config, "headroom " + std::to_string(config.headroom) +
                                   " leaves nothing of the rate limit " +
                                   std::to_string(tier.count) + "/" +
                                   format_duration(tier.window_ms)};
  }
  const Millis last_use =
      last_use_of_key(config.key_lifetime_ms, config.http_timeout_ms, config.late_arrival_ms);
  if (config.unknown_outcome == UnknownOutcome::resubmit && last_use <= 0) {
    return Error{Errc::config,
                 "key_lifetime " + format_duration(config.key_lifetime_ms) +
                     " must be longer by a third (at least a minute) than http_timeout and "
                     "late_arrival together (" +
                     format_duration(config.http_timeout_ms + config.late_arrival_ms) +
                     "), or nothing could ever be resubmitted"};
  }
  for (const int status : config.not_applied_status) {
    const auto& retryable = config.retryable_status;
    if (std::find(retryable.begin(), retryable.end(), status) == retryable.end()) continue;
    return Error{Errc::config, std::to_string(status) +
                                   " is in retryable_status and in not_applied_status: one spends "
                                   "an attempt, the other none"};
  }
  const bool needs_dsp =
      config.command != Command::print_config && config.command != Command::verify;
  if (!config.endpoint && needs_dsp) {
    return Error{Errc::usage,
                 "no DSP to submit to: give --endpoint URL, DL_ENDPOINT or endpoint in the "
                 "configuration file"};
  }
  return keep_token_secret(config);
}

}  // namespace

Result<Config> parse_config(int argc, const char* const* argv, const Environment& environment,
                            std::string_view fallback) {
  const Result<Flags> flags = parse_flags(argc, argv);
  if (!flags) return flags.error();
  Config config;
  config.command = flags->command;
  config.offline = flags->offline;
  if (config.command == Command::help || config.command == Command::version) return config;

  const Result<ConfigFile> file = ConfigFile::choose(flags->config_path, environment, fallback);
  if (!file) return file.error();
  config.config_path = file->path();
  for (const Setting& setting : settings()) {
    const auto source = source_of(setting, *flags, environment, *file);
    if (!source) continue;
    const Status set = setting.set(config, source->text);
    if (!set) return Error{source->code, source->label + ": " + set.error().message};
    config.origins.emplace(setting.key, source->origin);
  }
  find_credential(config, environment);
  config.warnings = warn_of_strangers(environment);
  const Status together = check_together(config);
  if (!together) return together.error();
  warn_of_clear_text(config);
  warn_of_short_token(config);
  return config;
}

}  // namespace dl
