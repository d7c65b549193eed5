// How the programs end: the exit codes that scripts and service managers go by.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/e2e/site.h"
#include "tests/support/tree.h"

namespace dl::e2e {
namespace {

// A port of this machine at which nobody listens, and nobody else can begin to.
class DeadPort {
 public:
  DeadPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    DL_CHECK(::bind(fd_, plain, size) == 0 && ::getsockname(fd_, plain, &size) == 0,
             "there is a free port");
    endpoint_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }
  ~DeadPort() { ::close(fd_); }
  DeadPort(const DeadPort&) = delete;
  DeadPort& operator=(const DeadPort&) = delete;
  const std::string& endpoint() const { return endpoint_; }

 private:
  int fd_;
  std::string endpoint_;
};

TEST(Drain, EndsWith0WhenAllHasSucceeded) {
  const Site site;
  site.load_sheet(shape(1, 2, 2));
  const Finish drain = site.drain();
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  EXPECT_EQ(site.unfinished(), 0);
  site.expect_promises_kept("40/60s", entities(1, 2, 2));
}

TEST(Drain, EndsWith0WhenThereIsNothingToDo) {
  const Site site;
  EXPECT_EQ(site.drain().exit_code, 0);
  EXPECT_TRUE(site.ledger().empty());
}

TEST(Drain, EndsWith1WhenAnAdIsRefused) {
  const Site site({"--faults", "post.400:@4"});  // after campaign, ad group and an ad
  site.load_sheet(shape(1, 1, 3));
  const Finish drain = site.drain();
  EXPECT_EQ(drain.exit_code, 1) << drain.err;
  EXPECT_EQ(site.unfinished(), 1);
  EXPECT_EQ(site.text("SELECT state || ' ' || kind FROM job WHERE state <> 'succeeded'"),
            "failed ad");
  EXPECT_EQ(site.ingest({"results"}).exit_code, 1);
  site.expect_promises_kept("40/60s", entities(1, 1, 3) - 1);
}

// What a bare 503 proves is the DSP's to document.
TEST(Drain, TakesA503ForARefusalOnlyWhereTheAccountDeclaresIt) {
  const Flags flags = {"--unknown-outcome", "hold", "--rate-limit", "40/60s"};
  const Site silent({"--faults", "post.503:@1"});
  silent.load_sheet(shape(1, 1, 1));
  EXPECT_EQ(silent.drain(flags).exit_code, 1);
  EXPECT_EQ(silent.number("SELECT count(*) FROM v_in_doubt"), 1);

  const Site documented({"--faults", "post.503:@1"});
  documented.load_sheet(shape(1, 1, 1));
  const Finish drain = documented.drain(joined(flags, {"--not-applied-status", "503"}));
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  EXPECT_EQ(
      documented.text("SELECT outcome || ' ' || resolution FROM request WHERE http_status = 503"),
      "throttled refused");
  EXPECT_EQ(documented.number("SELECT sum(tries) FROM job"), 0) << "a throttle spends no attempt";
  documented.expect_promises_kept("40/60s", entities(1, 1, 1));
}

TEST(Drain, EndsWith1WhenACreationFailsTooOften) {
  const Site site({"--faults", "fail_status:1"});
  site.load_sheet(shape(1, 1, 1));
  const Finish drain = site.drain({"--max-retries", "2"});
  EXPECT_EQ(drain.exit_code, 1) << drain.err;
  EXPECT_EQ(site.number("SELECT count(*) FROM job WHERE state = 'failed' AND kind = 'campaign'"),
            1);
  EXPECT_EQ(site.number("SELECT count(*) FROM v_blocked WHERE stuck = 1"), 2);
  EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE purpose = 'create'"), 3);
}

TEST(Drain, EndsWith69WhenTheDspIsOutOfReach) {
  const Site site;
  const DeadPort dead;
  site.load_sheet(shape(1, 1, 1));
  const Finish drain = site.drain({"--endpoint", dead.endpoint(), "--unreachable-timeout", "30s"});
  EXPECT_EQ(drain.exit_code, 69) << drain.err;
  EXPECT_NE(drain.err.find("out of reach"), std::string::npos) << drain.err;
  EXPECT_EQ(site.drain().exit_code, 0) << "nothing is lost";
  site.expect_promises_kept("40/60s", entities(1, 1, 1));
}

TEST(Drain, EndsWith77WhenTheDspRefusesTheCredentials) {
  const Site stranger({"--faults", "401:1"});
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  const Finish drain = site.drain({"--endpoint", stranger.endpoint()});
  EXPECT_EQ(drain.exit_code, 77) << drain.err;
  EXPECT_EQ(site.text("SELECT paused_by FROM account"), "daemon");
  EXPECT_EQ(site.number("SELECT sum(tries) FROM job"), 0) << "credentials spend no attempt";
  EXPECT_EQ(stranger.ledger().size(), 1U) << "no second knock at a closed door";
  const Finish again = site.drain();
  EXPECT_EQ(again.exit_code, 0) << again.err;
}

// The limit is so long that no probe comes: what makes it go on is the file.
TEST(Token, IsReadAnewWhenItsFileChanges) {
  const Site site({"--token", "the-right-token-of-today"});
  const std::string token = site.file("token");
  std::ofstream(token) << "the-wrong-token-of-old\n";
  site.load_sheet(shape(1, 1, 1));
  Process daemon(site.daemon({"--token-file", token, "--rate-limit", "400/24h"}));
  eventually("it pauses",
             [&] { return site.text("SELECT coalesce(paused_by, '') FROM account") == "daemon"; });
  EXPECT_NE(site.text("SELECT paused_reason FROM account").find("HTTP 401 to cmp_"),
            std::string::npos)
      << "names who met it";
  std::ofstream(token) << "the-right-token-of-today\n";
  eventually("it goes on", [&] { return site.unfinished() == 0; });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

// Nobody asked the DSP, and the message must not say so.
TEST(Drain, EndsWith77AndNamesTheTokenFileThatIsMissing) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  const Finish drain = site.drain({"--token-file", site.file("none")});
  EXPECT_EQ(drain.exit_code, 77) << drain.err;
  EXPECT_NE(
      drain.err.find("no usable credentials (paused by daemon: token file " + site.file("none")),
      std::string::npos)
      << drain.err;
  EXPECT_TRUE(site.ledger().empty());
}

TEST(CheckConfig, FindsFilesThatSettingsNameAndVariablesThatNobodyReads) {
  const Site site;
  const auto check = [&](const Flags& flags) {
    return run(site.daemon(joined({"--check-config"}, flags)));
  };
  const Finish good = check({});
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_EQ(good.out, "the configuration is good\n");
  const Finish token = check({"--token-file", site.file("none")});
  EXPECT_EQ(token.exit_code, 77);
  EXPECT_EQ(token.err,
            "dl-daemon: token file " + site.file("none") + ": No such file or directory\n");
  const Finish authorities = check({"--ca-file", site.file("none")});
  EXPECT_EQ(authorities.exit_code, 78);
  EXPECT_EQ(authorities.err, "dl-daemon: certificate authorities " + site.file("none") +
                                 " cannot be read: No such file or directory\n");
  Launch typo = site.daemon({"--check-config"});
  typo.environment["DL_RATELIMIT"] = "10/60s";
  const Finish warned = run(typo);
  EXPECT_EQ(warned.exit_code, 0);
  EXPECT_NE(warned.err.find("DL_RATELIMIT is not known; did you mean DL_RATE_LIMIT?"),
            std::string::npos)
      << warned.err;
  EXPECT_FALSE(std::filesystem::exists(site.db()));
}

TEST(Daemon, EndsWith74WhereItCannotSayWhatItWasAsked) {
  const Site site;
  const auto code = [](Launch launch) {
    std::vector<std::string> shell = {"-c", "exec \"$0\" \"$@\" > /dev/full",
                                      built_program(launch.program)};
    shell.insert(shell.end(), launch.arguments.begin(), launch.arguments.end());
    launch.program = "sh";
    launch.arguments = shell;
    return run(launch).exit_code;
  };
  EXPECT_EQ(code(site.daemon({"--help"})), 74);
  EXPECT_EQ(code(site.daemon({"--print-config"})), 74);
  EXPECT_EQ(code(site.daemon({"--check-config"})), 74);
}

TEST(Ingest, EndsWith64WhereTheDatabaseHasNoName) {
  const Finish nameless = run(Launch{.program = "dl-ingest",
                                     .arguments = {"--db", "", in_tree("examples/sample.csv")},
                                     .environment = {},
                                     .errors_to = ErrorsTo::file});
  EXPECT_EQ(nameless.exit_code, 64);
  EXPECT_EQ(nameless.err, "dl-ingest: --db: must name a file\n");
}

TEST(Daemon, EndsWith73WhereTheFolderIsMissing) {
  const Site site;
  const Finish run_there = site.drain({"--db", site.file("nowhere/jobs.db")});
  EXPECT_EQ(run_there.exit_code, 73);
  EXPECT_NE(run_there.err.find("the folder does not exist"), std::string::npos) << run_there.err;
}

TEST(Daemon, EndsWith78WhereAGuardWasDroppedWhileItWasDown) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  site.operate("DROP TRIGGER guard_job_update;");
  const Finish drain = site.drain();
  EXPECT_EQ(drain.exit_code, 78) << drain.err;
  EXPECT_NE(drain.err.find("trigger guard_job_update is missing"), std::string::npos) << drain.err;
  EXPECT_TRUE(site.ledger().empty());
}

// A reading verb still reads: it is how one finds out.
TEST(Ingest, EndsWith78WhereAGuardWasDropped) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  site.operate("DROP TRIGGER guard_job_update;");
  const Finish load = site.ingest({in_tree("examples/sample.csv")});
  EXPECT_EQ(load.exit_code, 78) << load.err;
  EXPECT_NE(load.err.find("trigger guard_job_update is missing"), std::string::npos) << load.err;
  EXPECT_EQ(site.number("SELECT count(*) FROM batch"), 1);
  EXPECT_EQ(site.ingest({"archive", "--older-than", "180d"}).exit_code, 78);
  EXPECT_EQ(site.ingest({"status"}).exit_code, 0);
}

TEST(Daemon, EndsWith64OnWrongFlagsAnd78OnAWrongConfiguration) {
  const Site site;
  const auto code = [&](const Flags& flags) { return run(site.daemon(flags)).exit_code; };
  EXPECT_EQ(code({"--no-such-flag"}), 64);
  EXPECT_EQ(code({"--workers", "many"}), 64);
  EXPECT_EQ(code({"--endpoint", "ftp://127.0.0.1/"}), 64);
  EXPECT_EQ(code({"--rate-limit", "40"}), 64);
  Launch by_environment = site.daemon();
  by_environment.environment["DL_ENDPOINT"] = "nowhere";
  EXPECT_EQ(run(by_environment).exit_code, 78);
  const std::string file = site.file("config.toml");
  std::ofstream(file) << "rate_limit = 7\n";
  EXPECT_EQ(code({"--config", file}), 78);
  EXPECT_EQ(code({"--config", site.file("none.toml")}), 66);
  EXPECT_FALSE(std::filesystem::exists(site.db())) << "nothing was begun";
}

TEST(Ingest, EndsWith66WhenAReadingVerbFindsNoDatabase) {
  const Site site;
  for (const std::string verb : {"results", "errors", "status"}) {
    EXPECT_EQ(site.ingest({verb}).exit_code, 66) << verb;
  }
  EXPECT_EQ(site.ingest({site.file("none.csv")}).exit_code, 66);
  EXPECT_FALSE(std::filesystem::exists(site.db()));
}

TEST(Programs, EndWith65OnAFileThatIsNoDatabase) {
  const Site site;
  std::ofstream(site.db()) << std::string(8192, 'x');
  EXPECT_EQ(site.drain().exit_code, 65);
  EXPECT_EQ(site.ingest({"status"}).exit_code, 65);
  EXPECT_EQ(text_of(site.db()), std::string(8192, 'x')) << "it was not ours to touch";
}

TEST(Daemon, EndsWith75WhereAnotherOneSends) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  Process first(site.daemon());
  eventually("the first one works", [&] { return site.unfinished() == 0; });
  const Finish second = site.drain();
  EXPECT_EQ(second.exit_code, 75) << second.err;
  EXPECT_FALSE(first.ends_within(std::chrono::milliseconds{0})) << first.err();
}

TEST(Daemon, TakesOverFromADeadOneWhereItStandsBy) {
  const char* const limit = "20/60s";
  const Site site;  // without a limit of its own: the judge sees what was sent
  site.load_sheet(shape(2, 2, 4));
  const Flags flags = {"--rate-limit", limit, "--unknown-outcome", "resubmit"};
  Process first(site.daemon(flags));
  eventually("the first one has the lock",
             [&] { return first.err().find("limit") != std::string::npos; });
  Process standby(site.daemon(joined({"--standby", "--drain"}, flags)));
  eventually("it stands by", [&] { return standby.err().find("standby") != std::string::npos; });
  eventually("the first one has used up the limit", [&] { return site.ledger().size() >= 20; });
  EXPECT_GT(site.unfinished(), 0);
  first.signal(SIGKILL);
  EXPECT_EQ(standby.wait(), 0) << standby.err();
  EXPECT_EQ(site.unfinished(), 0);
  EXPECT_EQ(site.number("SELECT count(*) FROM instance"), 2);
  site.expect_promises_kept(limit, entities(2, 2, 4));
}

TEST(Daemon, StandbyThatIsToldToStopEndsWith0) {
  const Site site;
  Process first(site.daemon());
  eventually("the first one is up", [&] { return first.err().find("limit") != std::string::npos; });
  Process standby(site.daemon({"--standby"}));
  eventually("it stands by", [&] { return standby.err().find("standby") != std::string::npos; });
  standby.signal(SIGTERM);
  EXPECT_EQ(standby.wait(), 0) << standby.err();
}

// The stack of a thread is as large as the limit says: for 200 TB there is no room. Root knows no
// limit of threads.
Launch without_threads(Launch launch) {
  launch.arguments.insert(
      launch.arguments.begin(),
      {"-c", "ulimit -S -s 200000000000 && exec \"$0\" \"$@\"", built_program(launch.program)});
  launch.program = "sh";
  return launch;
}

// Where SIGXFSZ is not ignored it kills: 153.
Launch with_files_of_at_most(const std::string& bytes, Launch launch) {
  launch.arguments.insert(launch.arguments.begin(),
                          {"--fsize=" + bytes, built_program(launch.program)});
  launch.program = "prlimit";
  return launch;
}

TEST(BothPrograms, EndWith74WhereAFileMayNotGrow) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  const Launch ingest{.program = "dl-ingest",
                      .arguments = {"--db", site.file("other.db"), site.file("sheet.csv")},
                      .environment = {},
                      .errors_to = ErrorsTo::file};
  for (const Launch& launch : {site.daemon({"--drain"}), ingest}) {
    const Finish ended = run(with_files_of_at_most("20000", launch));
    EXPECT_EQ(ended.exit_code, 74) << ended.err;
  }
  EXPECT_EQ(site.drain().exit_code, 0);
}

TEST(BothPrograms, EndWith74WhereThereIsNoThreadForThem) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "TSan wants its memory where so large a stack moves it away from";
#endif
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  const Launch ingest{.program = "dl-ingest",
                      .arguments = {"--db", site.db(), site.file("sheet.csv")},
                      .environment = {},
                      .errors_to = ErrorsTo::file};
  for (const Launch& launch : {without_threads(site.daemon()), without_threads(ingest)}) {
    const Finish ended = run(launch);
    EXPECT_EQ(ended.exit_code, 74) << ended.err;
    EXPECT_NE(ended.err.find("cannot go on: Resource temporarily unavailable"), std::string::npos)
        << ended.err;
  }
  EXPECT_EQ(site.drain().exit_code, 0);
}

}  // namespace
}  // namespace dl::e2e
