// kill -9 and the file beside the database that says how far it was sent from: a restart is trusted
// whenever it died, a backup is not, however short a time before the death it was taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

namespace fs = std::filesystem;

// The daemon's own time, so that all of it is over within less than a second.
Launch at_real_speed(const Site& site, const Flags& more = {}) {
  Launch launch = site.daemon(
      joined({"--rate-limit", "none", "--unknown-outcome", "resubmit", "--in-flight", "2"}, more));
  launch.environment["DL_TIME_SCALE"] = "1";
  return launch;
}

std::string paused_by(const Site& site) {
  return site.text("SELECT coalesce(paused_by, '') FROM account");
}

// Whether it trusts the database is decided in the transaction that takes over.
void start_and_kill(const Site& site) {
  const std::int64_t before = site.number("SELECT coalesce(max(id), 0) FROM instance");
  Process daemon(at_real_speed(site));
  eventually("it has taken over",
             [&] { return site.number("SELECT coalesce(max(id), 0) FROM instance") > before; });
  daemon.signal(SIGKILL);
  EXPECT_EQ(daemon.wait(), 128 + SIGKILL) << daemon.err();
}

TEST(GenerationFile, TrustsARestartAfterEveryKill) {
  const Site site({"--faults", "slow:0.3:1s"});
  site.load_sheet(shape(40, 2, 3));
  for (int i = 0; i < 15; ++i) {
    const std::int64_t before = site.number("SELECT coalesce(max(id), 0) FROM request");
    Process daemon(at_real_speed(site));
    eventually("it sends", [&] {
      return site.number("SELECT coalesce(max(id), 0) FROM request") > before + i;
    });
    daemon.signal(SIGKILL);
    daemon.wait();
    ASSERT_EQ(paused_by(site), "") << "after kill " << i;
  }
  const Finish drain = run(at_real_speed(site, {"--drain"}));
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  site.expect_promises_kept("none", entities(40, 2, 3));
}

TEST(GenerationFile, NoticesABackupThatWasTakenAMomentBeforeTheLastRequests) {
  for (const int more : {1, 3, 10}) {
    const Site site({"--faults", "slow:0.3:1s"});
    site.load_sheet(shape(200, 1, 1));
    {
      Process daemon(at_real_speed(site));
      eventually("it sends",
                 [&] { return site.number("SELECT coalesce(max(id), 0) FROM request") > 5; });
      site.operate("VACUUM INTO '" + site.file("backup.db") + "'");
      const std::int64_t then = site.number("SELECT max(id) FROM request");
      eventually("it sends on",
                 [&] { return site.number("SELECT max(id) FROM request") >= then + more; });
      daemon.signal(SIGKILL);
      daemon.wait();
    }
    start_and_kill(site);
    EXPECT_EQ(paused_by(site), "") << "the very database is trusted";
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(site.db() + end);
    fs::copy_file(site.file("backup.db"), site.db());
    start_and_kill(site);
    EXPECT_EQ(paused_by(site), "generation check");
  }
}

// Without the start in between, whose number alone would tell.
TEST(GenerationFile, NoticesItByTheLastRequestAlone) {
  const Site site({"--faults", "slow:0.3:1s"});
  site.load_sheet(shape(200, 1, 1));
  {
    Process daemon(at_real_speed(site));
    eventually("it sends",
               [&] { return site.number("SELECT coalesce(max(id), 0) FROM request") > 5; });
    site.operate("VACUUM INTO '" + site.file("backup.db") + "'");
    const std::int64_t then = site.number("SELECT max(id) FROM request");
    // More than one commit permits at once, so that at least one of them is in the file.
    eventually("some more leave",
               [&] { return site.number("SELECT max(id) FROM request") > then + 8; });
    daemon.signal(SIGKILL);
    daemon.wait();
  }
  for (const char* end : {"", "-wal", "-shm"}) fs::remove(site.db() + end);
  fs::copy_file(site.file("backup.db"), site.db());
  start_and_kill(site);
  EXPECT_EQ(paused_by(site), "generation check");
  EXPECT_THAT(site.text("SELECT paused_reason FROM account"),
              testing::HasSubstr("the last that left"));
}

}  // namespace
}  // namespace dl::e2e
