// Being told to stop: the first signal lets finish what is on the wire, the second does not wait.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>

#include "tests/e2e/site.h"
#include "tests/support/service_manager.h"
#include "tests/support/tree.h"

namespace dl::e2e {
namespace {

constexpr const char* kOpenRequests = "SELECT count(*) FROM request WHERE finished_at IS NULL";

void expect_stops_cleanly(int signal) {
  const Site site({"--faults", "slow:1:30s"});  // half a second each, so that some are on the wire
  site.load_sheet(shape(2, 2, 4));
  Process daemon(site.daemon({"--rate-limit", "none"}));
  eventually("several are on the wire", [&] { return site.number(kOpenRequests) >= 2; });
  daemon.signal(signal);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_EQ(site.number(kOpenRequests), 0);
  EXPECT_EQ(site.number("SELECT count(*) FROM job WHERE state IN ('in_doubt', 'submitting')"), 0);
  EXPECT_EQ(site.number("SELECT count(*) FROM instance WHERE stopped_at IS NULL"), 0);
  EXPECT_GT(site.unfinished(), 0) << "it was told to stop in the middle";
  const Finish rest = site.drain({"--rate-limit", "none"});
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  site.expect_promises_kept("none", entities(2, 2, 4));
}

TEST(Stop, FinishesWhatIsOnTheWireAtSigterm) { expect_stops_cleanly(SIGTERM); }
TEST(Stop, FinishesWhatIsOnTheWireAtSigint) { expect_stops_cleanly(SIGINT); }
TEST(Stop, FinishesWhatIsOnTheWireWhereTheTerminalIsClosed) { expect_stops_cleanly(SIGHUP); }

// `dl-daemon --drain && dl-ingest results` must not go on as if all were done.
TEST(Stop, OfADrainHalfwayEndsWith1) {
  const Site site({"--faults", "slow:1:30s"});
  site.load_sheet(shape(2, 2, 4));
  Process daemon(site.daemon({"--rate-limit", "none", "--drain"}));
  eventually("several are on the wire", [&] { return site.number(kOpenRequests) >= 2; });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 1) << daemon.err();
  EXPECT_EQ(site.number(kOpenRequests), 0);
  EXPECT_GT(site.unfinished(), 0);
}

// A shell that goes passes the signal on to its jobs, the kernel says it again, and the session's
// end is a SIGTERM.
TEST(Stop, IsNotHurriedByWhatEndsASession) {
  const Site site({"--faults", "slow:@1:30s"});  // half a second
  site.load_sheet(shape(1, 1, 1));
  Process daemon(site.daemon());
  eventually("the POST is out", [&] { return site.number(kOpenRequests) == 1; });
  daemon.signal(SIGHUP);
  eventually("it says that it stops",
             [&] { return daemon.err().find("stopping:") != std::string::npos; });
  daemon.signal(SIGHUP);
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_EQ(site.number(kOpenRequests), 0);
}

void stop_for_a_while(const Process& process) {
  process.signal(SIGSTOP);
  eventually("it is stopped", [&] {
    return text_of("/proc/" + std::to_string(process.pid()) + "/stat").find(") T ") !=
           std::string::npos;
  });
}

// timeout(1) tells its child, and then its whole group, in which the child is. Both are there
// before the daemon sees one.
TEST(Stop, IsNotHurriedByWhoSaysItTwiceAtOnce) {
  const Site site({"--faults", "slow:@1:30s"});  // half a second
  site.load_sheet(shape(1, 1, 1));
  Process daemon(site.daemon());
  eventually("the POST is out", [&] { return site.number(kOpenRequests) == 1; });
  stop_for_a_while(daemon);
  daemon.signal(SIGTERM);
  daemon.signal(SIGINT);
  daemon.signal(SIGCONT);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_EQ(site.number(kOpenRequests), 0);
}

// Somebody's transaction keeps the daemon from saying in its tables that it has stopped.
TEST(Stop, IsNotHurriedOnceAllIsRecorded) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  // under a limit it would want to write what it has learned first
  Process daemon(site.daemon({"--rate-limit", "none"}));
  eventually("it has written its last", [&] {
    return site.number("SELECT count(*) FROM account WHERE eta_note = 'done'") == 1;
  });
  SQLite::Database somebody(site.db(), SQLite::OPEN_READWRITE, 60'000);
  somebody.exec("BEGIN IMMEDIATE");
  const auto first = std::chrono::steady_clock::now();
  daemon.signal(SIGTERM);
  eventually("all is recorded",
             [&] { return daemon.err().find("stopped: everything") != std::string::npos; });
  eventually("it would be a second signal", [&] {
    return std::chrono::steady_clock::now() - first > std::chrono::milliseconds{1'500};
  });
  daemon.signal(SIGTERM);
  somebody.exec("ROLLBACK");
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_EQ(daemon.err().find("second signal:"), std::string::npos) << daemon.err();
}

void expect_works_on_after_sighup(const Site& site, const Launch& launch) {
  site.load_sheet(shape(1, 1, 1));
  Process daemon(launch);
  eventually("it works", [&] { return site.unfinished() == 0; });
  daemon.signal(SIGHUP);
  site.load_sheet(shape(2, 1, 1));
  eventually("it still works", [&] {
    return site.number("SELECT count(*) FROM batch") == 2 && site.unfinished() == 0;
  });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

TEST(Stop, IsNotAskedForBySighupUnderNohup) {
  const Site site;
  Launch launch = site.daemon();
  launch.arguments.insert(launch.arguments.begin(), built_program(launch.program));
  launch.program = "nohup";
  expect_works_on_after_sighup(site, launch);
}

// `pkill -HUP dl-daemon`, as for other services, to have the settings read again.
TEST(Stop, IsNotAskedForBySighupUnderAServiceManager) {
  const Site site;
  const ServiceManager manager;
  Launch launch = site.daemon();
  launch.environment["NOTIFY_SOCKET"] = manager.path();
  expect_works_on_after_sighup(site, launch);
}

TEST(Stop, LeavesAtOnceAtTheSecondSignal) {
  const Site site({"--faults", "hang:@1:30d"});
  site.load_sheet(shape(1, 1, 1));
  const Flags patient = {"--http-timeout", "1d"};  // longer than a test's deadline
  Process daemon(site.daemon(patient));
  eventually("the POST is out", [&] { return site.ledger().size() == 1; });
  daemon.signal(SIGTERM);
  eventually("it says that it stops",
             [&] { return daemon.err().find("stopping:") != std::string::npos; });
  const auto first = std::chrono::steady_clock::now();
  // somebody who insists
  while (!daemon.ends_within(std::chrono::milliseconds{50})) daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 1) << daemon.err();
  EXPECT_GT(std::chrono::steady_clock::now() - first, std::chrono::milliseconds{500})
      << "what is said twice in a breath is said once";
  const Finish rest = site.drain();
  EXPECT_EQ(rest.exit_code, 1) << rest.err;
  EXPECT_EQ(site.number("SELECT count(*) FROM v_in_doubt WHERE hold IS NOT NULL"), 1);
  EXPECT_EQ(site.ledger().size(), 1U) << "a POST in doubt is not sent again on a guess";
}

TEST(Stop, EndsAnIdleDaemonWith0) {
  const Site site;
  Process daemon(site.daemon());
  eventually("it is up", [&] { return daemon.err().find("limit") != std::string::npos; });
  eventually("it has taken over",
             [&] { return site.number("SELECT count(*) FROM instance") == 1; });
  site.load_sheet(shape(1, 1, 1));
  eventually("it works", [&] { return site.unfinished() == 0; });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

}  // namespace
}  // namespace dl::e2e
