// Acts typed into the real shell as fast as it takes them, against a daemon that sends, a loader
// that loads, a DSP that loses answers and applies some requests late. Whatever they decide,
// nothing is created twice and nothing contradicts itself; and in the end, when the operators want
// everything, everything is there. The operators lie at times, and the DSP denies at times what it
// has; an operator's lie and one such denial are still no proof.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <random>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

using ::testing::HasSubstr;

constexpr int kRounds = 60;
constexpr int kCampaignsMax = 12;
constexpr const char* kFaults =
    "post.lost_answer:0.06,post.lost_request:0.04,post.late_apply:0.04:8s,post.500_applied:0.03,"
    "post.422:0.02,fail_status:0.03,"
    "slow:0.1:2s,get.lost_answer:0.02,get.500:0.02,get.404:0.01";

class Race : public testing::Test {
 protected:
  // As an operator's script: refusals are no end of it.
  void type(const std::string& script) {
    const Finish shell = run(Launch{.program = "sqlite3",
                                    .arguments = {"-cmd", ".timeout 60000", site_.db(), script},
                                    .environment = {},
                                    .errors_to = ErrorsTo::file});
    EXPECT_THAT(shell.err, Not(HasSubstr("locked")));
    refused_ += shell.exit_code == 0 ? 0 : 1;
  }
  static std::string act(const std::string& name, const std::string& which,
                         const std::string& dsp_id = "NULL", const std::string& priority = "NULL") {
    return "INSERT INTO operator_act (job_id, act, dsp_id, priority, who, why) SELECT id, '" +
           name + "', " + dsp_id + ", " + priority + ", 'maria', 'a race' FROM job WHERE " + which +
           " ORDER BY random() LIMIT 2";
  }
  // One of every kind, legal or not. What is declared may be wrong: `exists` of an id that the DSP
  // does not know, `absent` of what it has.
  std::string anything() {
    static const std::vector<std::string> kStates = {"blocked",    "ready",    "waiting",
                                                     "submitting", "in_doubt", "confirming",
                                                     "succeeded",  "failed",   "cancelled"};
    const std::string state = "state = '" + kStates[random_() % kStates.size()] + "'";
    switch (random_() % 9) {
      case 0: return act("retry", state);
      case 1: return act("retry", "state IN ('failed', 'waiting', 'cancelled')");
      case 2: return act("cancel", state);
      case 3: return act("cancel", "state IN ('ready', 'in_doubt', 'confirming')");
      case 4: return act("exists", "state IN ('in_doubt', 'failed')", "'nobody-knows-it'");
      case 5: return act("exists", state, "'nobody-knows-it'");
      case 6: return act("absent", state);
      case 7: return act("absent", "state = 'in_doubt'");
      default:
        return act("priority", state, "NULL", std::to_string(static_cast<int>(random_() % 5) - 2));
    }
  }

  Site site_{Flags{"--idempotency", "off", "--processing", "uniform:1s:5s", "--faults", kFaults}};
  std::mt19937_64 random_{20261126};
  int refused_ = 0;
};

TEST_F(Race, OfActsAgainstTheDaemonALoaderAndLateAnswersBreaksNoPromise) {
  const Flags flags = {"--unknown-outcome", "lookup", "--settle",      "60s",
                       "--rate-limit",      "none",   "--max-retries", "20"};
  site_.load_sheet(shape(1, 2, 2));
  Process daemon(site_.daemon(flags));
  for (int round = 1; round <= kRounds; ++round) {
    if (round % 5 == 0) site_.load_sheet(shape(round / 5, 2, 2));  // the earlier ones are in it
    type(anything());
    type("INSERT INTO operator_act (act, who, why) VALUES ('" +
         std::string(round % 2 == 0 ? "pause" : "resume") + "', 'maria', 'a race')");
    ASSERT_FALSE(daemon.ends_within(std::chrono::milliseconds{0})) << daemon.err();
  }
  static_assert(kRounds / 5 == kCampaignsMax);
  EXPECT_GT(refused_, 5) << "not every act is legal everywhere";
  EXPECT_GT(site_.number("SELECT count(*) FROM operator_act WHERE job_id IS NOT NULL"), 5)
      << "but many were";

  type("INSERT INTO operator_act (act, who, why) VALUES ('resume', 'maria', 'enough')");
  eventually("all is there once everybody wants it", [&] {
    if (site_.unfinished() == 0) return true;
    type(
        "INSERT INTO operator_act (job_id, act, who, why) SELECT id, 'retry', 'maria', 'all of it' "
        "FROM job "
        "WHERE state IN ('failed', 'cancelled') AND lease_token IS NULL");
    type(
        "INSERT INTO operator_act (job_id, act, who, why) SELECT id, 'absent', 'maria', 'look once "
        "more' FROM job "
        "WHERE state = 'in_doubt' AND hold IS NOT NULL AND lease_token IS NULL");
    return false;
  });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();

  const std::int64_t everything = entities(kCampaignsMax, 2, 2);
  EXPECT_EQ(site_.number("SELECT count(*) FROM job"), everything);
  site_.let_mock_catch_up();
  const Finish verified = run(site_.daemon(joined({"--verify"}, flags)));
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
  EXPECT_THAT(verified.out, HasSubstr("0 broken, 0 in doubt"));
  EXPECT_THAT(verified.out, HasSubstr("0 missing, 0 duplicate, 0 not answered"));
  site_.expect_promises_kept("none", everything);
}

}  // namespace
}  // namespace dl::e2e
