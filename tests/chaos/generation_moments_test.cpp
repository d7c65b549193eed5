// kill -9 exactly between the commit of a permit, a take-over or a clean stop and the file beside
// the database that tells of it, and right behind that file's write: no request left that the file
// does not name, and no restart is taken for a restored backup. And what becomes of a write of it
// that fails. (That a backup is: tests/e2e/generation_kill_test.cpp.)
#include <gtest/gtest.h>

#include <csignal>

#include "storage/generation_file.h"
#include "storage/model/result.h"
#include "tests/e2e/site.h"

namespace dl::chaos {
namespace {

using e2e::Flags;
using e2e::Site;

// Few at once, so that a commit permits one or two requests and there are many writes of the file.
const Flags kByKey = {"--drain",  "--rate-limit", "none", "--unknown-outcome",
                      "resubmit", "--in-flight",  "2"};
const Flags kVerify = {"--verify", "--rate-limit", "none", "--unknown-outcome", "lookup"};

// the first write of every start; the others, but for a clean stop's, are of requests
constexpr int kTakeOver = 1;

class GenerationAt : public testing::TestWithParam<std::string> {
 protected:
  bool is_before() const { return GetParam() == "before_write"; }

  void die_at(const Site& site, const Flags& flags, int n) const {
    Launch launch = site.daemon(flags);
    launch.environment["DL_FAULT"] = "generation." + GetParam() + ":" + std::to_string(n) + ":kill";
    const Finish killed = run(launch);
    ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << n << killed.out << killed.err;
  }

  // What the dead left: the file is behind by exactly the write that was due, and ahead of the
  // wire.
  void expect_file_between_tables_and_wire(const Site& site, int n) const {
    const Result<GenerationFile> file = GenerationFile::open(site.db());
    ASSERT_TRUE(file) << file.error().message;
    const std::int64_t named = file->last_sent().request.value;
    const std::int64_t permitted = site.number("SELECT coalesce(max(id), 0) FROM request");
    const std::int64_t moved = site.number("SELECT value FROM property WHERE name = 'generation'");
    const bool moves = n == kTakeOver;
    EXPECT_EQ(moved - file->generation(), is_before() && moves ? 1 : 0) << n;
    if (is_before() && !moves) {
      EXPECT_LT(named, permitted) << n;
    } else {
      EXPECT_EQ(named, permitted) << n;
    }
    site.let_mock_catch_up();
    EXPECT_LE(std::ssize(site.ledger()), named)
        << n << ": a request left that the file does not name";
  }

  void expect_trusted(const Site& site, int n) const {
    EXPECT_EQ(site.text("SELECT coalesce(paused_by, '') FROM account"), "")
        << "after a death at write " << n;
  }
};

// Twice in a row, for the second daemon begins where the file is one behind, and must not leave it
// two behind.
TEST_P(GenerationAt, IsTrustedByTheNextDaemon) {
  for (int n = kTakeOver; n <= 6; ++n) {
    const Site site;
    site.load_sheet(e2e::shape(4, 2, 2));
    for (int death = 1; death <= 2; ++death) {
      die_at(site, kByKey, n);
      expect_file_between_tables_and_wire(site, n);
    }
    const Finish rest = site.drain(kByKey);
    EXPECT_EQ(rest.exit_code, 0) << rest.err;
    expect_trusted(site, n);
    site.expect_promises_kept("none", e2e::entities(4, 2, 2));
  }
}

TEST_P(GenerationAt, IsTrustedAfterACleanStopThatWasCutShort) {
  const Site site;
  site.load_sheet(e2e::shape(1, 1, 1));
  ASSERT_EQ(site.drain(kByKey).exit_code, 0);
  for (int death = 1; death <= 2; ++death) {
    die_at(site, kByKey, kTakeOver + 1);  // there is nothing to send
    EXPECT_EQ(site.number("SELECT count(*) FROM instance WHERE stopped_at IS NULL"), 0)
        << "it was the stop's";
  }
  const Finish next = site.drain(kByKey);
  EXPECT_EQ(next.exit_code, 0) << next.err;
  expect_trusted(site, kTakeOver + 1);
}

TEST_P(GenerationAt, IsTrustedAfterAVerifyThatDied) {
  const Site site({"--idempotency", "off"});
  site.load_sheet(e2e::shape(2, 1, 1));
  ASSERT_EQ(site.drain({"--rate-limit", "none", "--unknown-outcome", "lookup"}).exit_code, 0);
  for (int n = kTakeOver; n <= 4; ++n) {
    for (int death = 1; death <= 2; ++death) {
      die_at(site, kVerify, n);
      expect_file_between_tables_and_wire(site, n);
    }
  }
  const Finish verified = run(site.daemon(kVerify));
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  expect_trusted(site, 0);
  site.expect_promises_kept("none", e2e::entities(2, 1, 1));
}

// Its write finds no room: it is done anew before anything leaves. The daemon dies right behind the
// second try.
TEST(GenerationWrite, ThatFindsNoRoomIsDoneAnew) {
  for (int n = kTakeOver + 1; n <= 4; ++n) {
    const Site site;
    site.load_sheet(e2e::shape(4, 2, 2));
    const std::string nth = std::to_string(n);
    const std::string next = std::to_string(n + 1);
    Launch launch = site.daemon(kByKey);
    launch.environment["DL_FAULT"] =
        "generation.before_write:" + nth + ":enospc,generation.after_write:" + next + ":kill";
    const Finish killed = run(launch);
    EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << n << killed.err;
    EXPECT_NE(killed.err.find("disk is full); trying again"), std::string::npos) << n << killed.err;
    const Result<GenerationFile> file = GenerationFile::open(site.db());
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->last_sent().request.value,
              site.number("SELECT coalesce(max(id), 0) FROM request"))
        << n;
    site.let_mock_catch_up();
    EXPECT_LE(std::ssize(site.ledger()), file->last_sent().request.value) << n;
    launch.environment["DL_FAULT"] = "generation.before_write:" + nth + ":enospc";
    const Finish rest = run(launch);
    EXPECT_EQ(rest.exit_code, 0) << n << rest.err;
    EXPECT_EQ(site.text("SELECT coalesce(paused_by, '') FROM account"), "") << n;
    site.expect_promises_kept("none", e2e::entities(4, 2, 2));
  }
}

TEST(GenerationWrite, ThatFailsEndsTheDaemonWith74BeforeAnythingElseLeaves) {
  for (const std::string trouble : {"eio", "nosync"}) {
    const Site site;
    site.load_sheet(e2e::shape(4, 2, 2));
    Launch launch = site.daemon(kByKey);
    // A sync is due with every write of a take-over or a stop; with those of requests ten times a
    // second.
    const std::string when =
        trouble == "nosync" ? "generation.before_write:1:" : "generation.before_write:3:";
    launch.environment["DL_FAULT"] = when + trouble;
    const Finish failed = run(launch);
    EXPECT_EQ(failed.exit_code, static_cast<int>(Errc::io)) << trouble << failed.err;
    EXPECT_NE(failed.err.find(".generation: "), std::string::npos) << trouble << failed.err;
    EXPECT_EQ(failed.err.find("trying again"), std::string::npos) << trouble << failed.err;
    const Result<GenerationFile> file = GenerationFile::open(site.db());
    ASSERT_TRUE(file) << file.error().message;
    site.let_mock_catch_up();
    EXPECT_LE(std::ssize(site.ledger()), file->last_sent().request.value)
        << trouble << ": it does not name what left";
    const Finish rest = site.drain(kByKey);
    EXPECT_EQ(rest.exit_code, 0) << trouble << rest.err;
    EXPECT_EQ(site.text("SELECT coalesce(paused_by, '') FROM account"), "") << trouble;
    site.expect_promises_kept("none", e2e::entities(4, 2, 2));
  }
}

INSTANTIATE_TEST_SUITE_P(Kill, GenerationAt, testing::Values("before_write", "after_write"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace dl::chaos
