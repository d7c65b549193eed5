// The limiter's rules one by one (design 3). limiter_property_test.cpp attacks the guarantee
// itself.
#include "daemon/core/limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace dl {
namespace {

constexpr Tier kForty{40, 60'000};
constexpr Millis kHeld = 60'000 + 60 + 50;  // W' = W (1 + 0.001) + 50 ms

Moment at(std::int64_t boot_ms) { return {boot_ms, 1'790'000'000'000 + boot_ms}; }

LimiterPolicy policy(std::vector<Tier> tiers) {
  LimiterPolicy p;
  p.tiers = std::move(tiers);
  return p;
}

// All of a tier's slots at once.
LimiterPolicy bursting(Tier tier) {
  LimiterPolicy p = policy({tier});
  p.burst = tier.count;
  return p;
}

TEST(Limiter, LetsNSlotsGoAndTheNextWAfterTheFirstAnswer) {
  Limiter limiter(bursting({3, 60'000}), {}, at(0));
  for (int i = 0; i < 3; ++i) limiter.take(at(0));
  EXPECT_EQ(limiter.next_permit_at(at(0)), std::nullopt) << "only an answer can free one";
  limiter.answered(at(700));
  EXPECT_EQ(limiter.next_permit_at(at(700)), 700 + kHeld);
  limiter.answered(at(900));
  EXPECT_EQ(limiter.next_permit_at(at(900)), 700 + kHeld) << "the oldest answer counts";
  limiter.take(at(700 + kHeld));
  EXPECT_EQ(limiter.next_permit_at(at(700 + kHeld)), 900 + kHeld);
}

TEST(Limiter, CountsFromTheAnswerNotFromTheSend) {
  Limiter limiter(bursting({1, 60'000}), {}, at(0));
  limiter.take(at(0));
  limiter.answered(at(50'000));
  EXPECT_EQ(limiter.next_permit_at(at(61'000)), 50'000 + kHeld);
}

TEST(Limiter, HoldsWhatProvesNothingForDLonger) {
  LimiterPolicy p = bursting({1, 60'000});
  p.late_arrival_ms = 45'000;
  Limiter limiter(p, {}, at(0));
  limiter.take(at(0));
  limiter.unsure(at(120'000));
  EXPECT_EQ(limiter.next_permit_at(at(120'000)), 120'000 + 45'000 + kHeld);
}

TEST(Limiter, GivesBackAtOnceWhatWasNotSent) {
  Limiter limiter(policy({kForty}), {}, at(0));
  for (int i = 0; i < 10; ++i) limiter.take(at(0));
  EXPECT_GT(*limiter.next_permit_at(at(0)), 0) << "the burst is used up";
  limiter.not_sent();
  EXPECT_EQ(limiter.next_permit_at(at(0)), 0) << "slot and token are back";
  limiter.take(at(0));
  EXPECT_GT(*limiter.next_permit_at(at(0)), 0);
  Limiter full(bursting({1, 60'000}), {}, at(0));
  for (int i = 0; i < 100; ++i) {
    full.take(at(i));
    full.not_sent();
  }
  EXPECT_EQ(full.next_permit_at(at(100)), 100);
}

TEST(Limiter, NeverSavesUpMoreThanTheBurst) {
  Limiter limiter(policy({kForty}), {}, at(0));
  for (int i = 0; i < 5; ++i) {
    limiter.take(at(0));
    limiter.not_sent();
  }
  EXPECT_EQ(limiter.available(at(3'600'000), 1'000), 10) << "N / 4";
  LimiterPolicy three = policy({kForty});
  three.burst = 3;
  EXPECT_EQ(Limiter(three, {}, at(0)).available(at(3'600'000), 1'000), 3);
  EXPECT_EQ(Limiter(policy({{2, 60'000}}), {}, at(0)).available(at(0), 9), 1) << "at least one";
}

TEST(Limiter, PacesWhatComesAfterTheBurst) {
  Limiter limiter(policy({kForty}), {}, at(0));
  std::int64_t now = 0;
  for (int i = 0; i < 30; ++i) {
    now = *limiter.next_permit_at(at(now));
    limiter.take(at(now));
    limiter.answered(at(now));
  }
  EXPECT_EQ(now, 20 * 1'500) << "ten at once, then one each 1.5 s";
}

TEST(Limiter, KeepsEveryTier) {
  LimiterPolicy p = policy({{3, 1'000}, {5, 60'000}});
  p.burst = 5;
  Limiter limiter(p, {}, at(0));
  for (int i = 0; i < 3; ++i) {
    limiter.take(at(0));
    limiter.answered(at(10));
  }
  EXPECT_EQ(limiter.next_permit_at(at(10)), 10 + 1'000 + 1 + 50);
  for (int i = 0; i < 2; ++i) {
    limiter.take(at(2'000));
    limiter.answered(at(2'010));
  }
  EXPECT_EQ(limiter.next_permit_at(at(2'010)), 10 + kHeld);
}

TEST(Limiter, PacesByTheSlowestTierWhateverItsPlaceAndCount) {
  EXPECT_EQ(Limiter(policy({{10, 1'000}, kForty}), {}, at(0)).slowest(), kForty);
  EXPECT_EQ(Limiter(policy({kForty, {10, 1'000}}), {}, at(0)).slowest(), kForty);
  const Tier one_a_minute{1, 60'000};
  EXPECT_EQ(Limiter(policy({{10, 1'000}, one_a_minute}), {}, at(0)).slowest(), one_a_minute);
  LimiterPolicy strict = policy({kForty});
  strict.strict = true;
  EXPECT_EQ(Limiter(strict, {}, at(0)).slowest(), kForty) << "strict changes the spacing only";
}

TEST(Limiter, LeavesTheHeadroomToPeople) {
  LimiterPolicy p = bursting(kForty);
  p.headroom = 10;
  Limiter limiter(p, {}, at(0));
  EXPECT_EQ(limiter.available(at(0), 1'000), 30);
  p.headroom = 40;
  EXPECT_EQ(Limiter(p, {}, at(0)).available(at(0), 1'000), 1) << "never nothing at all";
}

TEST(Limiter, SpacesRequestsWOverNAfterEachAnswerWhereStrict) {
  LimiterPolicy p = policy({kForty});
  p.strict = true;
  Limiter limiter(p, {}, at(0));
  limiter.take(at(0));
  EXPECT_EQ(limiter.next_permit_at(at(0)), std::nullopt);
  limiter.answered(at(400));
  EXPECT_EQ(limiter.next_permit_at(at(400)), 400 + 1'500 + 1 + 50);
}

// What the ETA reckons by is what comes to pass.
TEST(Limiter, ForetellsEveryPermit) {
  LimiterPolicy policy;
  policy.tiers = {{4, 60'000}};
  policy.burst = 2;
  Limiter limiter(policy, {}, at(0));
  for (int i = 0; i < 3; ++i) {
    const std::int64_t now = *limiter.next_permit_at(at(i == 2 ? 20'000 : 0));
    limiter.take(at(now));
    limiter.answered(at(now + 100));
  }
  const Moment start = at(25'000);
  std::vector<std::int64_t> foretold;
  for (std::int64_t nth = 1; nth <= 20; ++nth)
    foretold.push_back(limiter.permit_at(start, nth, 100));
  std::int64_t now = start.boot_ms;
  for (const std::int64_t expected : foretold) {
    now = *limiter.next_permit_at(at(now));
    EXPECT_NEAR(static_cast<double>(now), static_cast<double>(expected), 1'000);
    limiter.take(at(now));
    limiter.answered(at(now + 100));
    now += 100;
    limiter.age(at(now));
  }
}

TEST(Limiter, AvailableAgreesWithNextPermit) {
  Limiter limiter(policy({{4, 1'000}, kForty}), {}, at(0));
  std::int64_t now = 0;
  for (int i = 0; i < 500; ++i) {
    now += 137;
    limiter.age(at(now));
    const int n = limiter.available(at(now), 100);
    EXPECT_EQ(n > 0, limiter.next_permit_at(at(now)) == now);
    for (int k = 0; k < n; ++k) limiter.take(at(now));
    EXPECT_EQ(limiter.available(at(now), 100), 0) << "no more than it said";
    for (int k = 0; k < n; ++k) limiter.answered(at(now + k));
    if (i == 100) limiter.refused(at(now), 4'000, 0.5);
    if (i > 150 && n > 0) limiter.accepted(at(now));
  }
}

TEST(LimiterDeathTest, TakesNothingThatIsNotFree) {
  Limiter limiter(bursting({1, 60'000}), {}, at(0));
  limiter.take(at(0));
  EXPECT_DEATH(limiter.take(at(0)), "only taken when one is free");
  limiter.answered(at(10));
  EXPECT_DEATH(limiter.take(at(10 + kHeld - 1)), "only taken when one is free");
  EXPECT_DEATH(limiter.answered(at(20)), "ended once");
  EXPECT_DEATH(limiter.unsure(at(20)), "ended once");
  EXPECT_DEATH(limiter.not_sent(), "ended once");
}

TEST(LimiterRestart, StillHoldsWhatTheLedgerHolds) {
  Recovery recovery;
  recovery.slot_anchors_boot_ms = {1'000, 5'000, 130'000};
  Limiter limiter(bursting({3, 60'000}), recovery, at(50'000));
  EXPECT_EQ(limiter.next_permit_at(at(50'000)), 1'000 + kHeld);
}

TEST(LimiterRestart, SendsNothingBeforeAnotherBootsRequestsAreOver) {
  Recovery recovery;
  recovery.sends_from_boot_ms = 125'000;
  const Limiter limiter(policy({kForty}), recovery, at(30'000));
  EXPECT_EQ(limiter.next_permit_at(at(30'000)), 125'000);
  EXPECT_EQ(limiter.available(at(124'999), 10), 0);
  EXPECT_EQ(limiter.available(at(125'000), 10), 10);
}

TEST(LimiterRestart, RemembersGateProbeAndCap) {
  Limiter before(policy({kForty}), {}, at(0));
  before.take(at(0));
  before.answered(at(10));
  before.refused(at(10), 30'000, 0);
  Recovery recovery;
  recovery.slot_anchors_boot_ms = {10};
  recovery.account = before.state(at(10));
  Limiter after(policy({kForty}), recovery, at(20));
  EXPECT_EQ(after.next_permit_at(at(20)), 30'010);
  EXPECT_EQ(after.cap(), before.cap());
  EXPECT_EQ(after.refusals(), 1);
  after.take(at(30'010));
  EXPECT_EQ(after.next_permit_at(at(30'010)), std::nullopt) << "one probe";
}

TEST(LimiterRestart, KeepsALearnedCapInsideTheConfiguredLimit) {
  Recovery recovery;
  recovery.account.cap = 35;
  recovery.account.ceiling = 39;
  EXPECT_EQ(Limiter(policy({{20, 60'000}}), recovery, at(0)).cap(), 20);
  recovery.account.cap = -3;
  EXPECT_EQ(Limiter(policy({{20, 60'000}}), recovery, at(0)).cap(), 1);
}

TEST(Unlimited, HasNoSlotsButStillPauses) {
  Limiter limiter(policy({}), {}, at(0));
  EXPECT_TRUE(limiter.unlimited());
  EXPECT_EQ(limiter.available(at(0), 5'000), 5'000);
  for (int i = 0; i < 1'000; ++i) limiter.take(at(0));
  EXPECT_EQ(limiter.next_permit_at(at(0)), 0);
  for (int i = 0; i < 1'000; ++i) limiter.answered(at(5));
  limiter.refused(at(5), 9'000, 0);
  EXPECT_EQ(limiter.next_permit_at(at(5)), 9'005);
  limiter.take(at(9'005));
  EXPECT_EQ(limiter.next_permit_at(at(9'005)), std::nullopt);
  limiter.answered(at(9'100));
  limiter.accepted(at(9'100));
  EXPECT_EQ(limiter.available(at(9'100), 100), 100);
  EXPECT_EQ(limiter.state(at(9'100)).cap, std::nullopt);
}

}  // namespace
}  // namespace dl
