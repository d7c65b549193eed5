// Somebody removes the lock file of a daemon that lives, and another one takes over. The first
// ends, commits nothing behind the take-over, and nothing is created twice or stays behind, however
// the two race.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kEntities = entities(100, 2, 2);
// A DSP that honours keys: what was on the wire resolves itself.
const Flags kFlags = {"--unknown-outcome", "resubmit", "--rate-limit", "none", "--in-flight", "16"};

constexpr const char* kOfTheFirst = "SELECT count(*) FROM request WHERE instance_id = 1";

// What a daemon does when another program's transaction ends: it tries again.
struct Waiting {
  Waiting() : daemon((site.load_sheet(shape(100, 2, 2)), site.daemon(kFlags))) {
    eventually("it works", [&] { return site.ledger().size() >= 50; });
    other = std::make_unique<SQLite::Database>(site.db(), SQLite::OPEN_READWRITE, 60'000);
    other->exec("BEGIN IMMEDIATE");
    eventually("it waits", [&] {
      return daemon.err().find("another program holds the database") != std::string::npos;
    });
  }
  const Site site{Flags{"--faults", "slow:1:1s"}};  // 17 ms each, so that some are on the wire
  Process daemon;
  std::unique_ptr<SQLite::Database> other;
};

// It comes too late, and does not know: the take-over falls between its look at the lock and its
// transaction.
TEST(LostLock, LetsItsOwnerCommitNothingBehindTheTakeOver) {
  Waiting first;
  const Site& site = first.site;
  Process second(site.daemon(joined(kFlags, {"--standby", "--drain"})));
  eventually("it stands by",
             [&] { return second.err().find("standby: waiting") != std::string::npos; });
  first.daemon.signal(SIGSTOP);
  std::filesystem::remove(site.db() + ".lock");
  first.other->exec("ROLLBACK");
  eventually("it is taken over", [&] { return site.number("SELECT count(*) FROM instance") == 2; });
  const std::int64_t requests = site.number(kOfTheFirst);
  first.daemon.signal(SIGCONT);
  EXPECT_EQ(first.daemon.wait(), 75) << first.daemon.err();
  EXPECT_EQ(site.number(kOfTheFirst), requests);
  EXPECT_EQ(second.wait(), 0) << second.err();
  EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE finished_at IS NULL"), 0);
  site.expect_promises_kept("none", kEntities);
}

// It cannot commit, cannot go on, and must not wait for the day when it can.
TEST(LostLock, EndsItsOwnerThatWaitsForAnothersTransaction) {
  Waiting first;
  const Site& site = first.site;
  std::filesystem::remove(site.db() + ".lock");
  EXPECT_TRUE(first.daemon.ends_within(std::chrono::seconds{60})) << first.daemon.err();
  first.other->exec("ROLLBACK");
  EXPECT_EQ(first.daemon.wait(), 75) << first.daemon.err();
  EXPECT_THAT(first.daemon.err(),
              HasSubstr(site.db() + ".lock is not there any more or another file"));
  const Finish rest = site.drain(kFlags);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  site.expect_promises_kept("none", kEntities);
}

}  // namespace
}  // namespace dl::e2e
