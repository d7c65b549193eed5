// A request whose worker does not report its end.
#include <gtest/gtest.h>

#include <algorithm>

#include "storage/model/lost_request.h"
#include "tests/unit/brain.h"

namespace dl {
namespace {

constexpr Millis kTimeout = 10'000;
constexpr Millis kGrace = kLostAfterTimeout;
constexpr Millis kSecondLook = 2'000;
constexpr Millis kLate = 60'000;
constexpr Millis kHeld = 1'000 + 1 + 50;  // W' of a window of a second

// Two jobs, and one request a second: the first is on the wire for ever, as far as its worker
// tells.
class LostFlight : public testing::Test {
 protected:
  LostFlight() : brain_(policy()) {
    brain_.start_with({a_job(1), a_job(2)});
    sent_at_ = brain_.now().boot_ms;
  }
  static DispatcherPolicy policy() {
    DispatcherPolicy policy = brain_policy(Lifetime::for_ever, UnknownOutcome::hold);
    policy.limiter.tiers = {{1, 1'000}};
    policy.limiter.late_arrival_ms = kLate;
    policy.http_timeout_ms = kTimeout;
    return policy;
  }
  void advance_to(std::int64_t boot_ms) {
    brain_.advance(boot_ms - brain_.now().boot_ms);
    brain_.feed(input::Woke{});
    if (brain_.connects_asked() > 0) brain_.connect();
  }
  bool second_is_asked_for() {
    const std::vector<JobId> asked = brain_.permits_asked();
    return std::find(asked.begin(), asked.end(), JobId{2}) != asked.end();
  }

  Brain brain_;
  std::int64_t sent_at_ = 0;
};

TEST_F(LostFlight, IsGivenUpWithoutProofAndHoldsItsSlotForWhatMayArriveLate) {
  const std::int64_t lost_at = sent_at_ + kTimeout + kGrace;
  advance_to(lost_at - kSecondLook);
  advance_to(lost_at - 1);
  EXPECT_EQ(brain_.batches(), 0U);
  advance_to(lost_at);
  ASSERT_EQ(brain_.batches(), 1U);
  EXPECT_EQ(brain_.batch().outcomes.front().slot, SlotEnd::unsure);
  brain_.commit();
  advance_to(lost_at + kLate + kHeld - 1);
  EXPECT_FALSE(second_is_asked_for());
  advance_to(lost_at + kLate + kHeld);
  EXPECT_TRUE(second_is_asked_for());
}

TEST_F(LostFlight, HoldsASlotFromTheLateReportOfItsWorkerToo) {
  const std::int64_t lost_at = sent_at_ + kTimeout + kGrace;
  advance_to(lost_at - kSecondLook);
  advance_to(lost_at);
  brain_.commit();
  const std::int64_t reported_at = lost_at + kLate - 1;
  advance_to(reported_at);
  brain_.reply(JobId{1}, silence());
  EXPECT_EQ(brain_.batches(), 0U) << "its outcome is written already";
  EXPECT_TRUE(brain_.said(command::Say::Level::warning).empty());
  advance_to(reported_at + kLate + kHeld - 1);
  EXPECT_FALSE(second_is_asked_for());
  advance_to(reported_at + kLate + kHeld);
  EXPECT_TRUE(second_is_asked_for());
}

// Suspended, say: whoever decides the doubt would like to know.
TEST_F(LostFlight, IsToldOfWhereItsAnswerComesAfterAll) {
  const std::int64_t lost_at = sent_at_ + kTimeout + kGrace;
  advance_to(lost_at - kSecondLook);
  advance_to(lost_at);
  brain_.commit();
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}));
  const std::vector<std::string> said = brain_.said(command::Say::Level::warning);
  ASSERT_EQ(said.size(), 1U);
  EXPECT_NE(said[0].find("was answered after it had been given up: HTTP 201, id dsp-1;"),
            std::string::npos)
      << said[0];
}

// Stopped for an hour, and going on: the timer may be heard before the worker that has the answer.
TEST_F(LostFlight, IsNotGivenUpBecauseEverybodyStoodStill) {
  advance_to(sent_at_ + 3'600'000);
  EXPECT_EQ(brain_.batches(), 0U);
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}));
  ASSERT_EQ(brain_.batches(), 1U);
  EXPECT_EQ(brain_.batch().outcomes.front().dsp_id, "dsp-1");
}

TEST_F(LostFlight, IsGivenUpAtTheSecondLookAfterwards) {
  advance_to(sent_at_ + 3'600'000);
  EXPECT_EQ(brain_.wake_at(), brain_.now().boot_ms + kSecondLook);
  advance_to(brain_.now().boot_ms + kSecondLook);
  ASSERT_EQ(brain_.batches(), 1U);
  EXPECT_EQ(brain_.batch().outcomes.front().slot, SlotEnd::unsure);
}

}  // namespace
}  // namespace dl
