// Refusals (design 3): the gate, the probe behind it, and the cap that learns.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "daemon/core/limiter.h"

namespace dl {
namespace {

constexpr Millis kWindow = 60'000;

Moment at(std::int64_t boot_ms) { return {boot_ms, 1'790'000'000'000 + boot_ms}; }

Limiter forty_a_minute() {
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  return Limiter(policy, {}, at(0));
}

void pass(Limiter& limiter, std::int64_t now) {
  limiter.take(at(now));
  limiter.answered(at(now));
  limiter.accepted(at(now));
}

void meet_refusal(Limiter& limiter, std::int64_t now, double jitter = 0) {
  limiter.take(at(now));
  limiter.answered(at(now));
  limiter.refused(at(now), std::nullopt, jitter);
}

TEST(Refusal, PausesUntilRetryAfterWhereThatIsLater) {
  Limiter limiter = forty_a_minute();
  limiter.take(at(0));
  limiter.answered(at(100));
  limiter.refused(at(100), 20'000, 0.5);
  EXPECT_EQ(limiter.next_permit_at(at(100)), 20'100);
  EXPECT_EQ(limiter.available(at(20'099), 5), 0);
}

TEST(Refusal, BacksOffOnItsOwnWhereRetryAfterIsShorterOrMissing) {
  for (const double jitter : {0.0, 0.5, 0.999}) {
    Limiter limiter = forty_a_minute();
    limiter.take(at(0));
    limiter.answered(at(0));
    limiter.refused(at(0), 10, jitter);
    EXPECT_EQ(limiter.gate_until_boot_ms(), 1'000 + static_cast<std::int64_t>(1'000 * jitter));
  }
}

TEST(Refusal, DoublesItsBackoffUpToTheWindowWithEqualJitter) {
  for (const double jitter : {0.0, 0.999}) {
    Limiter limiter = forty_a_minute();
    std::int64_t now = 0;
    for (int k = 1; k <= 20; ++k) {
      meet_refusal(limiter, now, jitter);
      const Millis wait = limiter.gate_until_boot_ms() - now;
      const Millis full = std::min(kWindow, Millis{1'000} << std::min(k, 12));
      EXPECT_GE(wait, full / 2) << k;
      EXPECT_LE(wait, full) << k;
      now = *limiter.next_permit_at(at(now));
    }
  }
}

TEST(Refusal, OfOneEntityClosesTheGateAndTeachesTheCapNothing) {
  Limiter limiter = forty_a_minute();
  limiter.take(at(0));
  limiter.answered(at(0));
  limiter.refused(at(0), 20'000, 0.5, About::entity);
  EXPECT_EQ(limiter.next_permit_at(at(0)), 20'000);
  EXPECT_EQ(limiter.state(at(0)).cap, 40);
  EXPECT_EQ(limiter.state(at(0)).refusals, 1) << "one probe, as after any";
}

// Some servers count what they refuse.
TEST(Refusal, HoldsItsSlotLikeAnyOther) {
  LimiterPolicy policy;
  policy.tiers = {{2, kWindow}};
  Limiter limiter(policy, {}, at(0));
  meet_refusal(limiter, 0);
  const std::int64_t probe = *limiter.next_permit_at(at(0));
  limiter.take(at(probe));
  limiter.answered(at(probe));
  limiter.accepted(at(probe));
  EXPECT_GE(*limiter.next_permit_at(at(probe)), kWindow) << "both slots are held";
}

TEST(Refusal, NeverShortensTheGate) {
  Limiter limiter = forty_a_minute();
  limiter.take(at(0));
  limiter.take(at(0));
  limiter.answered(at(10));
  limiter.refused(at(10), 50'000, 0);
  limiter.answered(at(20));
  limiter.refused(at(20), 1'000, 0);
  EXPECT_EQ(limiter.gate_until_boot_ms(), 50'010);
}

TEST(Probe, IsAloneUntilItWasAccepted) {
  Limiter limiter = forty_a_minute();
  meet_refusal(limiter, 0);
  const std::int64_t gate = limiter.gate_until_boot_ms();
  EXPECT_EQ(limiter.available(at(gate), 10), 1);
  limiter.take(at(gate));
  EXPECT_EQ(limiter.next_permit_at(at(gate + 50'000)), std::nullopt);
  EXPECT_EQ(limiter.available(at(gate + 50'000), 10), 0);
  limiter.answered(at(gate + 50'000));
  limiter.accepted(at(gate + 50'000));
  EXPECT_EQ(limiter.next_permit_at(at(gate + 50'000)), gate + 50'000);
  EXPECT_EQ(limiter.refusals(), 0);
}

TEST(Probe, WaitsForWhatIsStillOnTheWire) {
  Limiter limiter = forty_a_minute();
  limiter.take(at(0));
  limiter.take(at(0));
  limiter.answered(at(10));
  limiter.refused(at(10), std::nullopt, 0);
  EXPECT_EQ(limiter.next_permit_at(at(30'000)), std::nullopt);
  limiter.unsure(at(30'000));
  EXPECT_EQ(limiter.next_permit_at(at(30'000)), 30'000);
}

TEST(Probe, IsFollowedByAnotherWhenItProvedNothing) {
  Limiter limiter = forty_a_minute();
  meet_refusal(limiter, 0);
  limiter.take(at(5'000));
  limiter.unsure(at(6'000));
  EXPECT_EQ(limiter.available(at(10'000), 10), 1);
  limiter.take(at(10'000));
  limiter.not_sent();
  EXPECT_EQ(limiter.available(at(10'000), 10), 1);
  limiter.take(at(10'000));
  EXPECT_EQ(limiter.next_permit_at(at(10'000)), std::nullopt);
}

// Answers to what was sent before the refusal say nothing about the time after the gate.
TEST(Probe, IsNeededEvenWhenEarlierRequestsAreStillAccepted) {
  Limiter limiter = forty_a_minute();
  for (int i = 0; i < 3; ++i) limiter.take(at(0));
  limiter.answered(at(10));
  limiter.refused(at(10), std::nullopt, 0);
  limiter.answered(at(20));
  limiter.accepted(at(20));
  limiter.answered(at(30));
  limiter.accepted(at(30));
  EXPECT_EQ(limiter.refusals(), 1);
  limiter.take(at(5'000));
  EXPECT_EQ(limiter.next_permit_at(at(9'000)), std::nullopt) << "one probe";
}

// One wave of requests that is refused as a whole is one refusal, not ten in a row.
TEST(Probe, CountsOneWaveAsOneRefusal) {
  Limiter limiter = forty_a_minute();
  for (int i = 0; i < 10; ++i) limiter.take(at(0));
  for (int i = 0; i < 10; ++i) {
    limiter.answered(at(10 + i));
    limiter.refused(at(10 + i), std::nullopt, 0);
  }
  EXPECT_EQ(limiter.refusals(), 1);
  EXPECT_LE(limiter.gate_until_boot_ms(), 19 + 2'000);
  limiter.take(at(5'000));
  limiter.answered(at(5'100));
  limiter.refused(at(5'100), std::nullopt, 0);
  EXPECT_EQ(limiter.refusals(), 2) << "a refused probe is the second in a row";
}

TEST(Cap, FallsAtARefusalToWhatPassed) {
  Limiter limiter = forty_a_minute();
  std::int64_t now = 0;
  for (int i = 0; i < 30; ++i) {
    now = *limiter.next_permit_at(at(now));
    pass(limiter, now);
  }
  now = *limiter.next_permit_at(at(now));
  meet_refusal(limiter, now);
  EXPECT_EQ(limiter.cap(), 30) << "min(40 - 1, max(30 accepted, 40 / 2))";
  EXPECT_EQ(limiter.state(at(now)).ceiling, 39) << "cap - 1";
}

TEST(Cap, FallsByHalfAtMostAndByOneAtLeast) {
  Limiter few = forty_a_minute();
  meet_refusal(few, 0);
  EXPECT_EQ(few.cap(), 20);
  LimiterPolicy policy;
  policy.tiers = {{1, kWindow}};
  Limiter one(policy, {}, at(0));
  meet_refusal(one, 0);
  EXPECT_EQ(one.cap(), 1) << "never below one";
}

TEST(Cap, FallsAtMostOnceAWindow) {
  Limiter limiter = forty_a_minute();
  meet_refusal(limiter, 0);
  ASSERT_EQ(limiter.cap(), 20);
  std::int64_t now = *limiter.next_permit_at(at(0));
  while (now < kWindow) {
    meet_refusal(limiter, now);
    EXPECT_EQ(limiter.cap(), 20);
    now = *limiter.next_permit_at(at(now));
  }
  limiter.age(at(now));
  meet_refusal(limiter, now);
  EXPECT_EQ(limiter.cap(), 10);
}

TEST(Cap, ForgetsWhatWasAcceptedMoreThanAWindowAgo) {
  Limiter limiter = forty_a_minute();
  std::int64_t now = 0;
  for (int i = 0; i < 30; ++i) {
    now = *limiter.next_permit_at(at(now));
    pass(limiter, now);
  }
  now += 2 * kWindow;
  limiter.age(at(now));
  meet_refusal(limiter, now);
  EXPECT_EQ(limiter.cap(), 20) << "nothing passed in the last window";
}

TEST(Cap, RisesByATenthACleanWindowUpToTheCeilingThenByOneInFive) {
  Recovery recovery;
  recovery.account.cap = 20;
  recovery.account.ceiling = 26;
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  Limiter limiter(policy, recovery, at(0));
  const auto after = [&limiter](int windows) {
    limiter.age(at(windows * kWindow));
    return limiter.cap();
  };
  limiter.age(at(kWindow - 1));
  EXPECT_EQ(limiter.cap(), 20);
  EXPECT_EQ(after(1), 22);
  EXPECT_EQ(after(2), 24);
  EXPECT_EQ(after(3), 26);
  EXPECT_EQ(after(7), 26);
  EXPECT_EQ(after(8), 27);
  EXPECT_EQ(after(12), 27);
  EXPECT_EQ(after(13), 28);
  EXPECT_EQ(after(1'000), 40) << "never above N";
}

TEST(Cap, StartsItsCleanWindowAnewAtARefusal) {
  Recovery recovery;
  recovery.account.cap = 20;
  recovery.account.ceiling = 30;
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  Limiter limiter(policy, recovery, at(0));
  meet_refusal(limiter, 50'000);
  const int cap = limiter.cap();
  limiter.age(at(100'000));
  EXPECT_EQ(limiter.cap(), cap);
  limiter.age(at(110'000));
  EXPECT_GT(limiter.cap(), cap);
}

TEST(Cap, SaysWhenItHasRisenSoThatItCanBeKept) {
  Recovery recovery;
  recovery.account.cap = 20;
  recovery.account.ceiling = 30;
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  Limiter limiter(policy, recovery, at(0));
  EXPECT_FALSE(limiter.age(at(59'999)));
  EXPECT_TRUE(limiter.age(at(60'000)));
  EXPECT_FALSE(limiter.age(at(60'001)));
}

TEST(Cap, AllowsNoBurstUntilItIsBack) {
  Recovery recovery;
  recovery.account.cap = 30;
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  Limiter limiter(policy, recovery, at(0));
  EXPECT_EQ(limiter.available(at(0), 10), 1);
  limiter.take(at(0));
  EXPECT_EQ(limiter.next_permit_at(at(0)), 2'000) << "60 s / 30";
}

// Goal L3: the server allows 30 a minute, the client is set to 40.
TEST(Cap, LearnsTheServersRealLimit) {
  LimiterPolicy policy;
  policy.tiers = {{40, kWindow}};
  Limiter limiter(policy, {}, at(0));
  std::deque<std::int64_t> counted;
  int accepted = 0;
  int refused = 0;
  constexpr std::int64_t kEnd = 4 * 3'600'000;
  for (std::int64_t now = 0; now < kEnd;) {
    const std::int64_t next = *limiter.next_permit_at(at(now));
    now = std::max(next, now);
    limiter.age(at(now));
    if (*limiter.next_permit_at(at(now)) > now) continue;
    limiter.take(at(now));
    limiter.answered(at(now));
    while (!counted.empty() && counted.front() + kWindow <= now) counted.pop_front();
    if (counted.size() < 30) {
      counted.push_back(now);
      limiter.accepted(at(now));
      ++accepted;
    } else {
      const Millis retry_after = (counted.front() + kWindow - now + 999) / 1'000 * 1'000;
      limiter.refused(at(now), retry_after, 0.5);
      ++refused;
    }
  }
  EXPECT_LE(refused, (accepted + refused) / 100) << refused << " of " << accepted + refused;
  EXPECT_GE(accepted, 240 * 30 * 97 / 100);
}

}  // namespace
}  // namespace dl
