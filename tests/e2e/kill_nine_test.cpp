// kill -9 at random moments against a DSP that keeps its own ledger: whatever was lost with the
// process, every entity is created exactly once, in order, within the limit.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <random>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

using std::chrono::milliseconds;

constexpr const char* kLimit = "24/10s";
const Flags kPace = {"--rate-limit", kLimit, "--burst", "24"};  // all at once, were it forgotten
constexpr int kKillsMin = 20;
constexpr std::int64_t kEntities = 300;
static_assert(kEntities == entities(12, 4, 5) && kEntities == entities(75, 1, 2));

// Half of the answers take 3 s of the mock's, so that a kill finds something on the wire.
constexpr const char* kFaults = "slow:0.5:3s,lost_answer:0.02,500:0.01,429:@100";

std::uint64_t seed() {
  const char* const given = std::getenv("DL_TEST_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("DL_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

class KillNine : public testing::Test {
 protected:
  // Starts a daemon and kills it at a random moment: of its start, or of its work.
  void kill_one(const Site& site, const Launch& launch) {
    Process daemon(launch);
    const bool in_its_start = random_() % 4 == 0;
    if (!in_its_start) {
      eventually("the daemon starts", [&] {
        return daemon.err().find("limit") != std::string::npos ||
               daemon.ends_within(milliseconds{0});
      });
    }
    const int span_ms = std::uniform_int_distribution(0, in_its_start ? 40 : 250)(random_);
    const bool ended = daemon.ends_within(milliseconds{span_ms});
    ASSERT_FALSE(ended) << "nobody told it to end; it said:\n" << daemon.err();
    daemon.signal(SIGKILL);
    ASSERT_EQ(daemon.wait(), 128 + SIGKILL);
    if (site.unfinished() > 0) ++kills_;
  }

  void kill_until_nearly_done(const Site& site, const Flags& flags) {
    while (site.unfinished() > kEntities / 20 && kills_ < 200) {
      ASSERT_NO_FATAL_FAILURE(kill_one(site, site.daemon(flags)));
    }
    EXPECT_GE(kills_, kKillsMin) << "the run was too short to be killed often enough";
    EXPECT_GT(site.number("SELECT count(*) FROM request WHERE outcome = 'owner_lost'"), 0)
        << "no kill found a request on the wire, so nothing was put to the test";
  }

  static void expect_all_done(const Site& site) {
    EXPECT_EQ(site.unfinished(), 0);
    EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE finished_at IS NULL"), 0);
    site.expect_promises_kept(kLimit, kEntities);
  }

  int kills_ = 0;
  std::mt19937_64 random_{seed()};
};

TEST_F(KillNine, CreatesEveryEntityExactlyOnceWhereTheDspHonoursKeys) {
  const Site site({"--limit", kLimit, "--faults", kFaults, "--lookup", "off"});
  site.load_sheet(joined(shape(12, 4, 5), {"--quirks"}));
  const Flags flags = joined(kPace, {"--unknown-outcome", "resubmit"});
  ASSERT_NO_FATAL_FAILURE(kill_until_nearly_done(site, flags));
  const Finish last = site.drain(flags);
  EXPECT_EQ(last.exit_code, 0) << last.err;
  expect_all_done(site);
}

TEST_F(KillNine, CreatesEveryEntityExactlyOnceWhereTheDspCanBeAsked) {
  const Site site({"--limit", kLimit, "--faults", kFaults, "--idempotency", "off"});
  site.load_sheet(joined(shape(12, 4, 5), {"--quirks"}));
  const Flags flags = joined(kPace, {"--unknown-outcome", "lookup", "--settle", "60s"});
  ASSERT_NO_FATAL_FAILURE(kill_until_nearly_done(site, flags));
  const Finish last = site.drain(flags);
  EXPECT_EQ(last.exit_code, 0) << last.err;
  expect_all_done(site);
}

// Where the DSP gives no means to know, the operator looks at the DSP's own list and says so.
void decide_every_doubt(const Site& site) {
  site.let_mock_catch_up();
  std::map<std::string, std::string> created;  // DSP's id by the key of the POST that made it
  for (const Row& line : site.ledger()) {
    if (line.at("created") == "true") created[line.at("key")] = line.at("dsp_id");
  }
  for (const Row& doubt :
       site.rows("SELECT job.id, idempotency_key FROM job JOIN request ON job_id = job.id "
                 "WHERE state = 'in_doubt' AND resolution IS NULL AND purpose = 'create'")) {
    const auto found = created.find(doubt.at("idempotency_key"));
    const bool exists = found != created.end();
    const std::string what = exists ? "'exists', '" + found->second + "'" : "'absent', NULL";
    site.operate("INSERT INTO operator_act (job_id, act, dsp_id, who, why) VALUES (" +
                 doubt.at("id") + ", " + what + ", 'maria', 'seen at the DSP')");
  }
}

TEST_F(KillNine, CreatesNothingTwiceWhereOnlyAnOperatorCanKnow) {
  const Site site(
      {"--limit", kLimit, "--faults", kFaults, "--idempotency", "off", "--lookup", "off"});
  site.load_sheet(shape(75, 1, 2));  // flat: a doubt holds up few others
  const Flags flags = joined(kPace, {"--settle", "60s"});
  const std::string moving =
      "SELECT count(*) FROM job WHERE state NOT IN "
      "('succeeded', 'in_doubt', 'blocked')";
  int rounds = 0;
  for (Finish last{1, "", ""}; last.exit_code == 1 && rounds < 50; ++rounds) {
    while (kills_ < kKillsMin && site.number(moving) > 0) {
      ASSERT_NO_FATAL_FAILURE(kill_one(site, site.daemon(flags)));
    }
    last = site.drain(flags);
    ASSERT_LE(last.exit_code, 1) << last.err;
    EXPECT_EQ(site.number(moving), 0);
    EXPECT_EQ(site.number("SELECT count(*) FROM v_blocked WHERE stuck = 0"), 0);
    EXPECT_EQ(last.exit_code == 1, site.unfinished() > 0);
    decide_every_doubt(site);
  }
  EXPECT_GE(kills_, kKillsMin) << "the run was too short to be killed often enough";
  EXPECT_GT(rounds, 1) << "nothing was ever in doubt, so nothing was put to the test";
  expect_all_done(site);
}

}  // namespace
}  // namespace dl::e2e
