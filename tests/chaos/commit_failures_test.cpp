// Files that fail under a commit: what is retried is the commit, never the POST; a failed sync is
// never retried; and wherever a write or a sync fails, nothing is lost and nothing is sent twice.
#include <gtest/gtest.h>

#include <csignal>

#include "storage/model/result.h"
#include "tests/chaos/one_campaign.h"
#include "tests/e2e/site.h"

namespace dl::chaos {
namespace {

using e2e::Flags;
using e2e::Site;

constexpr int kIo = static_cast<int>(Errc::io);
constexpr std::int64_t kEntities = e2e::entities(1, 1, 1);
const Flags kByKey = {"--rate-limit", "none", "--unknown-outcome", "resubmit"};

Finish drain_with(const Site& site, const std::string& fault, Flags flags = kByKey) {
  flags.insert(flags.begin(), "--drain");
  Launch daemon = site.daemon(std::move(flags));
  daemon.environment["DL_FAULT"] = fault;
  return run(daemon);
}

std::int64_t posts(const Site& site) {
  std::int64_t n = 0;
  for (const e2e::Row& line : site.ledger()) n += line.at("method") == "POST" ? 1 : 0;
  return n;
}

TEST(CommitFailure, OnAFullDiskIsRetriedAndNothingIsSentAgain) {
  for (const std::string moment :
       {"intent.before_commit", "result.before_commit", "poll.before_commit"}) {
    const Site site;
    site.load_sheet(e2e::shape(1, 1, 1));
    const Finish drain = drain_with(site, moment + ":1:enospc," + moment + ":3:enospc");
    EXPECT_EQ(drain.exit_code, 0) << moment << drain.err;
    EXPECT_NE(drain.err.find("disk is full"), std::string::npos) << moment << drain.err;
    EXPECT_EQ(posts(site), kEntities) << moment;
    EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE purpose = 'resubmit'"), 0) << moment;
    site.expect_promises_kept("none", kEntities);
  }
}

// All is done and recorded, but for the word that this daemon has stopped.
TEST(CommitFailure, OnAFullDiskAtTheVeryEndIsNoFailure) {
  for (const bool for_good : {false, true}) {
    const Site site;
    site.load_sheet(e2e::shape(1, 1, 1));
    const Finish drain = drain_with(
        site, std::string("shutdown.before_commit:1") + (for_good ? "+" : "") + ":enospc");
    EXPECT_EQ(drain.exit_code, 0) << drain.err;
    EXPECT_NE(drain.err.find("disk is full"), std::string::npos) << drain.err;
    EXPECT_EQ(site.number("SELECT count(*) FROM instance WHERE stopped_at IS NULL"),
              for_good ? 1 : 0);
    site.expect_promises_kept("none", kEntities);
  }
}

// What a failed sync leaves: how many POSTs had left before it and, by the tables, had been
// permitted.
struct FailedSync {
  std::int64_t sent = 0;
  std::int64_t permitted = 0;
};

FailedSync fail_a_sync(const std::string& moment, int campaigns, const Flags& flags) {
  const Site site;
  site.load_sheet(e2e::shape(campaigns, 1, 1));
  const Finish drain = drain_with(site, moment + ":1:nosync", flags);
  EXPECT_EQ(drain.exit_code, kIo) << moment << drain.err;
  EXPECT_NE(drain.err.find("sync failed"), std::string::npos) << moment << drain.err;
  EXPECT_EQ(drain.err.find("trying again"), std::string::npos) << moment << drain.err;
  const FailedSync left{posts(site),
                        site.number("SELECT count(*) FROM request WHERE purpose = 'create'")};
  const Finish rest = site.drain(flags);
  EXPECT_EQ(rest.exit_code, 0) << moment << rest.err;
  site.expect_promises_kept("none", e2e::entities(campaigns, 1, 1));
  return left;
}

TEST(CommitFailure, ByAFailedSyncEndsTheDaemonWith74AndIsNotRetried) {
  const std::pair<std::string, std::int64_t> moments[] = {{"takeover.before_commit", 0},
                                                          {"intent.before_commit", 0},
                                                          {"result.before_commit", 1},
                                                          {"poll.before_commit", 1}};
  for (const auto& [moment, sent] : moments) {
    const FailedSync left = fail_a_sync(moment, 1, kByKey);
    EXPECT_EQ(left.sent, sent) << moment << ": a child's POST needs the commit that failed";
    EXPECT_EQ(left.permitted, sent) << moment;
  }
}

// Others are ready: what was permitted before may leave, nothing else.
TEST(CommitFailure, ByAFailedSyncPermitsNoOtherRequest) {
  constexpr int kCampaigns = 12;
  constexpr std::int64_t kPermitsAhead = 3;  // of the one connection
  for (const std::string moment : {"intent.before_commit", "result.before_commit"}) {
    const FailedSync left =
        fail_a_sync(moment, kCampaigns, e2e::joined(kByKey, {"--in-flight", "1"}));
    EXPECT_LE(left.permitted, moment == "intent.before_commit" ? 0 : 1 + kPermitsAhead) << moment;
    EXPECT_LE(left.sent, left.permitted) << moment;
  }
}

// Moving the WAL into the database needs room, too; that it finds none is no reason to end.
TEST(CommitFailure, OfACheckpointOnAFullDiskIsNoEnd) {
  const Site site;
  Launch launch = site.daemon(kByKey);
  launch.environment["DL_FAULT"] = "checkpoint.before:1:enospc,trace:" + site.file("reached");
  Process daemon(launch);
  eventually("it is up", [&] { return daemon.err().find("limit") != std::string::npos; });
  site.load_sheet(e2e::shape(30, 5, 20));  // beside it, so that the WAL grows
  eventually("it moves the WAL", [&] {
    return text_of(site.file("reached")).find("checkpoint.after") != std::string::npos ||
           daemon.ends_within(std::chrono::milliseconds{0});
  });
  EXPECT_FALSE(daemon.ends_within(std::chrono::milliseconds{300})) << daemon.err();
  EXPECT_NE(daemon.err().find("disk is full"), std::string::npos) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

// A file that cannot be read just now is not a damaged one: 65 would keep systemd from starting
// again.
TEST(ReadFailure, AtTheStartIsNotTakenForDamage) {
  const Site site;
  site.load_sheet(e2e::shape(1, 1, 1));
  int n = 1;
  for (bool is_reached = true; is_reached; ++n) {
    const std::string reached = site.file("reached" + std::to_string(n));
    const Finish drain = drain_with(
        site, "vfs.read:" + std::to_string(n) + ":eio,shutdown.drained:1:kill,trace:" + reached);
    is_reached = text_of(reached).find("fault at vfs.read") != std::string::npos;
    EXPECT_TRUE(drain.exit_code == kIo || drain.exit_code == 128 + SIGKILL)
        << n << ": " << drain.exit_code << drain.err;
    EXPECT_EQ(drain.err.find("damaged"), std::string::npos) << n << ": " << drain.err;
  }
  EXPECT_GT(n, 20) << "a start reads more pages";
  site.expect_promises_kept("none", kEntities);
}

// Every write and every sync of a daemon that submits a campaign and its ad group fails once.
class EveryOperation : public testing::TestWithParam<std::string> {};

TEST_P(EveryOperation, FailsOnceAndNothingIsLostOrSentTwice) {
  const std::string action = GetParam().substr(GetParam().find('_') + 1);
  const std::string operation = "vfs." + GetParam().substr(0, GetParam().find('_'));
  const Site site;
  int ends = 0;
  int n = 1;
  for (bool is_reached = true; is_reached; ++n) {
    const std::string own = "c" + std::to_string(n);
    const std::string db = site.file(own + ".db");
    const Finish loaded = run(loader_of_one(own, db));
    ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
    const std::string reached = site.file(own + ".reached");
    Launch launch = site.daemon(e2e::joined({"--drain"}, kByKey));
    launch.environment["DL_DB"] = db;
    launch.environment["DL_FAULT"] =
        operation + ":" + std::to_string(n) + ":" + action + ",trace:" + reached;
    const Finish first = run(launch);
    ASSERT_TRUE(first.exit_code == 0 || first.exit_code == kIo)
        << n << ": " << first.exit_code << first.err;
    is_reached = text_of(reached).find("fault at ") != std::string::npos;
    // The last ones belong to closing the file: what they fail to move is in the WAL, synced long
    // ago.
    const bool must_end =
        is_reached && operation == "vfs.sync" && first.err.find("drained") == std::string::npos;
    EXPECT_TRUE(!must_end || first.exit_code == kIo)
        << n << ": a failed sync was passed over; " << first.err;
    if (first.exit_code == kIo) ++ends;
    launch.environment["DL_FAULT"] = "";
    if (first.exit_code != 0) {
      const Finish rest = run(launch);
      ASSERT_EQ(rest.exit_code, 0) << n << rest.err;
    }
    ASSERT_LT(n, 2000) << "no run is ever clean";
  }
  EXPECT_GT(n, 8) << "a submission has more of them";
  EXPECT_GT(ends, 0);
  std::printf("%s: %d runs, %d of them ended with 74\n", GetParam().c_str(), n - 1, ends);
  site.expect_created_once((n - 1) * kEntitiesOfOne);
}

INSTANTIATE_TEST_SUITE_P(Submission, EveryOperation,
                         testing::Values("write_eio", "write_enospc", "sync_eio", "sync_enospc"),
                         [](const auto& test) { return test.param; });

// From the n-th on there is no room: it pauses, or cannot even begin; then it dies, and the next
// one finds room.
TEST(EveryWrite, FromTheNthOnMayFindNoRoom) {
  const Site site;
  int campaigns = 0;
  int pauses = 0;
  int n = 1;
  for (bool is_reached = true; is_reached; ++n) {
    const std::string own = "p" + std::to_string(n);
    const std::string db = site.file(own + ".db");
    ASSERT_EQ(run(loader_of_one(own, db)).exit_code, 0);
    ++campaigns;
    const std::string reached = site.file(own + ".reached");
    Launch launch = site.daemon(e2e::joined({"--drain"}, kByKey));
    launch.environment["DL_DB"] = db;
    launch.environment["DL_FAULT"] = "vfs.write:" + std::to_string(n) + "+:enospc,trace:" + reached;
    {
      Process daemon(launch);
      const auto has_ended = [&] { return daemon.ends_within(std::chrono::milliseconds{0}); };
      eventually("it pauses or ends", [&] {
        return daemon.err().find("disk is full") != std::string::npos || has_ended();
      });
      if (has_ended()) {
        const int exit_code = daemon.wait();
        ASSERT_TRUE(exit_code == 0 || exit_code == kIo) << n << ": " << exit_code << daemon.err();
      } else {
        ++pauses;
        daemon.signal(SIGKILL);
        daemon.wait();
      }
    }
    is_reached = text_of(reached).find("fault at ") != std::string::npos;
    launch.environment["DL_FAULT"] = "";
    const Finish rest = run(launch);
    ASSERT_EQ(rest.exit_code, 0) << n << rest.err;
  }
  EXPECT_GT(pauses, 5);
  site.expect_created_once(campaigns * kEntitiesOfOne);
}

}  // namespace
}  // namespace dl::chaos
