// The ledger is the limiter's memory: which slots a new owner finds held, and how long it must keep
// still where another boot has sent.
#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LimiterMemory : public StoreTest {
 protected:
  LimiterMemory() { start(); }
  // A request from now on that lasts `span` and ends so.
  void sent(SlotEnd end, Millis span = 0) {
    if (state_of(kCampaign) == "ready") confirm_first();
    Outcome outcome = undecided(grant(kCampaign, Purpose::status), 0);
    pass(span);
    outcome.slot = end;
    finish(outcome);
  }
  // The POST that makes the polls possible; long ago, so that its own slot is free.
  void confirm_first() {
    confirm(kCampaign, "dsp-1");
    pass(10 * kMinute);
  }
  std::vector<Millis> anchors() {
    std::vector<Millis> since;
    for (const std::int64_t anchor : start().slot_anchors_boot_ms)
      since.push_back(anchor - now_.boot_ms);
    return since;
  }
  static constexpr Millis kMinute = 60'000;
  static constexpr Millis kHold = kMinute + 60 + 50;  // W' of 40/60s
  static constexpr Millis kLate = 60'000;             // D
};

TEST_F(LimiterMemory, OfAnEmptyLedgerIsEmpty) {
  const Recovery recovery = start();
  EXPECT_THAT(recovery.slot_anchors_boot_ms, IsEmpty());
  EXPECT_EQ(recovery.sends_from_boot_ms, 0);
}

TEST_F(LimiterMemory, HoldsAnAnsweredRequestFromItsEnd) {
  sent(SlotEnd::answered, 4'000);
  pass(1'000);
  EXPECT_THAT(anchors(), ElementsAre(-1'000));
  pass(kHold - 1'001);
  EXPECT_THAT(anchors(), ElementsAre(1 - kHold));
  pass(1);
  EXPECT_THAT(anchors(), IsEmpty());
}

TEST_F(LimiterMemory, HoldsAnUnsureRequestForDLonger) {
  sent(SlotEnd::unsure);
  pass(1'000);
  EXPECT_THAT(anchors(), ElementsAre(kLate - 1'000));
  pass(kLate + kHold - 1'001);
  EXPECT_THAT(anchors(), ElementsAre(1 - kHold));
  pass(1);
  EXPECT_THAT(anchors(), IsEmpty());
}

TEST_F(LimiterMemory, GivesTheSlotOfAnUnsentRequestBack) {
  sent(SlotEnd::not_sent);
  EXPECT_THAT(anchors(), IsEmpty());
}

TEST_F(LimiterMemory, HoldsWhatADeadOwnerLeftOpenFromTheTakeOver) {
  confirm_first();
  grant(kCampaign, Purpose::status);
  grant(kOther);
  pass(3'600'000);
  EXPECT_THAT(anchors(), ElementsAre(kLate, kLate));
  EXPECT_THAT(anchors(), ElementsAre(kLate, kLate)) << "and another owner finds the same";
  pass(1'000);
  EXPECT_THAT(anchors(), ElementsAre(kLate - 1'000, kLate - 1'000));
}

TEST_F(LimiterMemory, IsAscendingWhateverTheOrderOfTheLedger) {
  confirm_first();
  const Granted slow = grant(kOther);
  sent(SlotEnd::unsure);
  pass(5'000);
  finish(accepted(slow, "dsp-5"));
  EXPECT_THAT(anchors(), ElementsAre(0, kLate - 5'000));
}

TEST_F(LimiterMemory, ReachesBackToTheSlowestRequest) {
  confirm_first();
  const Granted slow = grant(kOther);
  for (int i = 0; i < 20; ++i) sent(SlotEnd::not_sent, policy_.http_timeout_ms / 20);
  Outcome lost = unsure(slow);
  finish(lost);
  pass(kLate + kHold - 1);
  EXPECT_THAT(anchors(), ElementsAre(1 - kHold));
}

TEST_F(LimiterMemory, SeesThroughAProcessThatStoodStill) {
  confirm_first();
  const Granted slow = grant(kOther);
  sent(SlotEnd::answered);
  const Granted poll = grant(kCampaign, Purpose::status);
  pass(3'600'000);  // SIGSTOP, and at last SIGCONT: the bytes of both leave only now
  finish(unsure(slow));
  finish(undecided(poll, 0));
  sent(SlotEnd::answered);
  pass(1'000);
  EXPECT_THAT(anchors(), ElementsAre(-1'000, -1'000, kLate - 1'000));
}

// The look's row is as old as its POST's, and it leaves when that is answered: at the last moment,
// here.
TEST_F(LimiterMemory, ReachesBackToALookThatLeftLate) {
  confirm_first();
  WorkBatch batch;
  batch.permits.push_back({JobId{kOther}, Purpose::create, 0, 0, true});
  const Granted post = commit(batch).granted.at(0);
  sent(SlotEnd::not_sent);
  const auto others_go_on = [this](Millis span) {
    for (; span >= 1'000; span -= 1'000) sent(SlotEnd::not_sent, 1'000);
    pass(span);
  };
  others_go_on(policy_.http_timeout_ms);
  Outcome answered = accepted(post, "dsp-5");
  answered.look_sent = post.look;
  finish(answered);
  others_go_on(policy_.http_timeout_ms + 2'000);  // and for the commits on the way
  Granted look = post;
  look.request = post.look;
  look.purpose = Purpose::status;
  Outcome lost = undecided(look, 0);
  lost.slot = SlotEnd::unsure;
  finish(lost);
  others_go_on(kLate + kHold - 1);
  EXPECT_THAT(anchors(), ElementsAre(1 - kHold));
}

// Each shorter than a timeout: just before it is sent, and when it should be given up.
TEST_F(LimiterMemory, SeesThroughAProcessThatStoodStillMoreThanOnce) {
  confirm_first();
  const Granted slow = grant(kOther);
  for (int i = 0; i < 3; ++i) {
    sent(SlotEnd::not_sent);
    pass(policy_.http_timeout_ms);
  }
  sent(SlotEnd::not_sent);
  finish(unsure(slow));
  pass(kLate + kHold - 1);
  EXPECT_THAT(anchors(), ElementsAre(1 - kHold));
}

TEST_F(LimiterMemory, OfTheLongestTierCounts) {
  policy_.tiers = {{10, 1'000}, {40, 600'000}, {5, 100}};
  sent(SlotEnd::answered);
  pass(600'000 + 600 + 49);
  EXPECT_THAT(anchors(), ElementsAre(-(600'000 + 600 + 49)));
  pass(1);
  EXPECT_THAT(anchors(), IsEmpty());
}

class AnotherBoot : public LimiterMemory {
 protected:
  AnotherBoot() { sent(SlotEnd::answered); }
  Recovery boot(const std::string& key, std::int64_t boot_ms) {
    facts_.boot_key = key;
    now_ = {boot_ms, now_.wall_ms + 1'000};
    return start();
  }
};

// Not since the boot: a container that starts anew has another boot id and the same machine id, and
// the clock of its host, which has been up for a day (seen: 75 requests in a window of 40).
TEST_F(AnotherBoot, KeepsStillSinceItFirstSawTheLedger) {
  const Recovery recovery = boot("boot-b", 70'000'000);
  EXPECT_EQ(recovery.sends_from_boot_ms, 70'000'000 + kHold + kLate);
  EXPECT_THAT(recovery.slot_anchors_boot_ms, IsEmpty()) << "clocks of two boots are not compared";
  pass(30'000);
  EXPECT_EQ(start().sends_from_boot_ms, 70'000'000 + kHold + kLate)
      << "first saw: a restart does not begin anew";
}

// A shared disk that goes to the other machine and back, or a machine and its container: this boot
// was here long ago, but not since the other one sent (seen: 20 requests in a window of 10).
TEST_F(AnotherBoot, ThatComesBackHasNotSeenWhatTheOtherSent) {
  const std::string first = facts_.boot_key;
  boot("boot-b", 70'000'000);
  sent(SlotEnd::answered);
  const std::int64_t back = kBootStart + 500'000;
  EXPECT_EQ(boot(first, back).sends_from_boot_ms, back + kHold + kLate);
  pass(30'000);
  EXPECT_EQ(start().sends_from_boot_ms, back + kHold + kLate) << "a restart does not begin anew";
}

// It sent nothing; but when it ended what was open here, this boot's clock does not tell.
TEST_F(AnotherBoot, ThatComesBackKeepsStillForWhatTheOtherEnded) {
  const std::string first = facts_.boot_key;
  grant(kOther);
  boot("boot-b", 70'000'000);
  const std::int64_t back = kBootStart + 500'000;
  EXPECT_EQ(boot(first, back).sends_from_boot_ms, back + kHold + kLate);
}

TEST_F(AnotherBoot, WithAnOpenRequestHoldsItAndKeepsStill) {
  grant(kOther);
  const Recovery recovery = boot("boot-b", 4'000);
  EXPECT_EQ(recovery.reclaimed, 1);
  EXPECT_EQ(recovery.sends_from_boot_ms, 4'000 + kHold + kLate);
  EXPECT_EQ(value("SELECT finished_boot_key FROM request ORDER BY id DESC LIMIT 1"), "boot-b");
  EXPECT_THAT(recovery.slot_anchors_boot_ms, ElementsAre(4'000 + kLate)) << "it ended in this boot";
}

TEST_F(AnotherBoot, IsForgottenOnceThisOneHasSentForLong) {
  boot("boot-b", 4'000);
  pass(kHold + kLate);
  for (int i = 0; i < 100; ++i) sent(SlotEnd::answered, 20'000);
  const Recovery recovery = start();
  EXPECT_LE(recovery.sends_from_boot_ms, now_.boot_ms);
  EXPECT_THAT(recovery.slot_anchors_boot_ms,
              ElementsAre(now_.boot_ms - 60'000, now_.boot_ms - 40'000, now_.boot_ms - 20'000,
                          now_.boot_ms));
}

TEST_F(AnotherBoot, MattersNotWithoutALimit) {
  policy_.tiers.clear();
  EXPECT_EQ(boot("boot-b", 4'000).sends_from_boot_ms, 0);
}

}  // namespace
}  // namespace dl
