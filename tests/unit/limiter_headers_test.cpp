// What the DSP's RateLimit headers do to the limiter: they only ever tighten it.
#include <gtest/gtest.h>

#include <algorithm>

#include "daemon/core/limiter.h"

namespace dl {
namespace {

constexpr Millis kWindow = 60'000;

Moment at(std::int64_t boot_ms) { return {boot_ms, 1'790'000'000'000 + boot_ms}; }

Limiter forty_a_minute(int burst = 40) {
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  policy.burst = burst;
  return Limiter(policy, {}, at(0));
}

TEST(RateLimitTold, AllowsNoMoreThanIsLeftUntilTheReset) {
  Limiter limiter = forty_a_minute();
  const Ticket ticket = limiter.take(at(0));
  limiter.answered(at(100));
  limiter.told({{3, 20'000}}, ticket, at(100));
  EXPECT_EQ(limiter.available(at(100), 40), 3);
  for (int i = 0; i < 3; ++i) limiter.take(at(200));
  EXPECT_EQ(limiter.available(at(200), 40), 0);
  EXPECT_EQ(limiter.next_permit_at(at(200)), 20'100);
  limiter.age(at(20'100));
  EXPECT_EQ(limiter.next_permit_at(at(20'100)), 20'100);
  EXPECT_EQ(limiter.available(at(20'100), 40), 36);
}

TEST(RateLimitTold, NeverAllowsMoreThanTheLimit) {
  Limiter limiter = forty_a_minute();
  for (int i = 0; i < 40; ++i) {
    const Ticket ticket = limiter.take(at(0));
    limiter.answered(at(0));
    limiter.told({{1'000'000, 3'600'000}}, ticket, at(0));
  }
  EXPECT_EQ(limiter.available(at(30'000), 40), 0);
  EXPECT_GE(*limiter.next_permit_at(at(30'000)), kWindow);
}

// What is not asked for ahead of time is taken on the word of can_spare() alone.
TEST(CanSpare, IsNoMoreThanCouldBeSentNow) {
  Limiter limiter = forty_a_minute(10);
  EXPECT_TRUE(limiter.can_spare(at(0), 10));
  EXPECT_FALSE(limiter.can_spare(at(0), 11)) << "the pace";
  const Ticket ticket = limiter.take(at(0));
  limiter.answered(at(100));
  limiter.told({{3, 20'000}}, ticket, at(100));
  EXPECT_TRUE(limiter.can_spare(at(100), 3));
  EXPECT_FALSE(limiter.can_spare(at(100), 4)) << "the DSP has no more";
  limiter.take(at(200));
  limiter.refused(at(30'000), std::nullopt, 0.5);
  limiter.answered(at(30'000));
  const Moment open = at(limiter.gate_until_boot_ms());
  EXPECT_FALSE(limiter.can_spare(at(open.boot_ms - 1), 1)) << "the gate";
  ASSERT_EQ(limiter.next_permit_at(open), open.boot_ms);
  EXPECT_FALSE(limiter.can_spare(open, 1)) << "that one is the probe";
  limiter.take(open);
  limiter.accepted(open);
  limiter.answered(open);
  EXPECT_TRUE(limiter.can_spare(at(open.boot_ms + kWindow), 1));
}

// They may have been counted after the one whose answer says what is left.
TEST(RateLimitTold, TakesOffWhatWasOpenMeanwhile) {
  Limiter limiter = forty_a_minute();
  limiter.take(at(0));  // open before, ended before the answer
  const Ticket ticket = limiter.take(at(10));
  limiter.answered(at(20));
  limiter.take(at(30));  // began and ended meanwhile
  limiter.answered(at(40));
  limiter.take(at(50));  // still open
  limiter.answered(at(60));
  limiter.told({{10, 20'000}}, ticket, at(60));
  EXPECT_EQ(limiter.available(at(60), 40), 7);
}

TEST(RateLimitTold, ANewerRequestsWordCountsAndAnOldersTightensOnly) {
  Limiter limiter = forty_a_minute();
  const Ticket older = limiter.take(at(0));
  const Ticket newer = limiter.take(at(1));
  limiter.answered(at(10));
  limiter.told({{20, 30'000}}, newer, at(10));
  EXPECT_EQ(limiter.available(at(10), 40), 19);
  limiter.answered(at(11));
  limiter.told({{30, 30'000}}, older, at(11));
  EXPECT_EQ(limiter.available(at(11), 40), 19) << "an older word does not loosen";
  limiter.told({{6, 30'000}}, older, at(12));
  EXPECT_EQ(limiter.available(at(12), 40), 5);
  const Ticket newest = limiter.take(at(13));
  limiter.answered(at(14));
  limiter.told({{25, 30'000}}, newest, at(14));
  EXPECT_EQ(limiter.available(at(14), 40), 25);
}

TEST(RateLimitTold, EveryQuotaHolds) {
  Limiter limiter = forty_a_minute();
  const Ticket ticket = limiter.take(at(0));
  limiter.answered(at(0));
  limiter.told({{9, 3'600'000}, {2, 5'000}}, ticket, at(0));
  EXPECT_EQ(limiter.available(at(0), 40), 2);
  limiter.age(at(5'000));
  EXPECT_EQ(limiter.available(at(5'000), 40), 9);
}

TEST(RateLimitTold, WhatWasNotSentIsLeftAgain) {
  Limiter limiter = forty_a_minute();
  const Ticket ticket = limiter.take(at(0));
  limiter.answered(at(0));
  limiter.told({{1, 20'000}}, ticket, at(0));
  limiter.take(at(1));
  EXPECT_EQ(limiter.available(at(1), 40), 0);
  limiter.not_sent();
  EXPECT_EQ(limiter.available(at(1), 40), 1);
}

TEST(RateLimitTold, ThatNothingIsLeftOutlivesARestart) {
  Limiter limiter = forty_a_minute();
  const Ticket ticket = limiter.take(at(0));
  limiter.answered(at(0));
  limiter.told({{0, 20'000}}, ticket, at(0));
  Recovery recovery;
  recovery.account = limiter.state(at(1));
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  const Limiter again(policy, recovery, at(2));
  EXPECT_EQ(again.next_permit_at(at(2)), 20'000);
}

TEST(RateLimitTold, PausesEvenWithoutALimitOfOurOwn) {
  Limiter limiter(LimiterPolicy{}, {}, at(0));
  const Ticket ticket = limiter.take(at(0));
  limiter.answered(at(0));
  limiter.told({{2, 20'000}}, ticket, at(0));
  EXPECT_EQ(limiter.available(at(0), 100), 2);
  limiter.take(at(0));
  limiter.take(at(0));
  EXPECT_EQ(limiter.next_permit_at(at(0)), 20'000);
}

// Restarts
// --------------------------------------------------------------------------------------------

Limiter restarted(const Recovery& recovery, std::int64_t now) {
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  return Limiter(policy, recovery, at(now));
}

TEST(LimiterRestart, IsNoNewBurst) {
  Recovery recovery;
  recovery.slot_anchors_boot_ms.assign(10, 100'000);
  EXPECT_EQ(restarted(recovery, 100'000).available(at(100'000), 40), 0)
      << "the burst of ten is spent";
  EXPECT_EQ(restarted(recovery, 103'000).available(at(103'000), 40), 2) << "two spacings later";
  EXPECT_EQ(restarted(recovery, 150'000).available(at(150'000), 40), 10);
}

// Killed more often than once a window, the cap climbs all the same.
TEST(LimiterRestart, DoesNotSetTheCapsWayBackToItsBeginning) {
  Limiter limiter = forty_a_minute();
  for (int i = 0; i < 30; ++i)
    limiter.take(at(0)), limiter.answered(at(0)), limiter.accepted(at(0));
  limiter.take(at(0));
  limiter.answered(at(0));
  limiter.refused(at(0), std::nullopt, 0);
  ASSERT_EQ(limiter.cap(), 30);
  AccountState kept = limiter.state(at(0));
  int cap = 30;
  for (std::int64_t now = 20'000; now <= 60 * kWindow; now += 20'000) {  // three kills a window
    Recovery recovery;
    recovery.account = kept;
    recovery.account.refusals = 0;
    Limiter again = restarted(recovery, now);
    again.age(at(now));
    kept = again.state(at(now));
    cap = again.cap();
  }
  EXPECT_EQ(cap, 40) << "39 after three windows, 40 five later";
}

TEST(LimiterRestart, KnowsWhatWasAcceptedAndThatTheCapWasLowered) {
  Recovery recovery;
  for (int i = 0; i < 33; ++i) recovery.accepted_boot_ms.push_back(90'000 + i);
  Limiter limiter = restarted(recovery, 100'000);
  limiter.take(at(100'000));
  limiter.answered(at(100'000));
  limiter.refused(at(100'000), std::nullopt, 0);
  EXPECT_EQ(limiter.cap(), 33) << "not half of 40";
  recovery.account = limiter.state(at(100'000));
  recovery.account.refusals = 0;
  recovery.account.gate_boot_ms = 0;
  recovery.accepted_boot_ms.clear();
  Limiter again = restarted(recovery, 110'000);
  again.take(at(110'000));
  again.answered(at(110'000));
  again.refused(at(110'000), std::nullopt, 0);
  EXPECT_EQ(again.cap(), 33) << "at most once a window, also over a restart";
}

}  // namespace
}  // namespace dl
