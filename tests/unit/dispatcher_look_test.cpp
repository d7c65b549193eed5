// Where permits abound the intent of the first look is committed with its POST's, and the look
// follows at once.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

std::string target_of_look(JobKind, std::string_view dsp_id) {
  return "/look/" + std::string(dsp_id);
}

DispatcherPolicy unlimited() {
  DispatcherPolicy policy = brain_policy(Lifetime::for_ever, UnknownOutcome::resubmit);
  policy.limiter.tiers.clear();
  policy.status_target = target_of_look;
  return policy;
}

TEST(FirstLook, FollowsItsPostWithoutACommitBetween) {
  Brain brain(unlimited());
  brain.start_with({a_job(1)});
  const ConnectionId connection = brain.connection_of(JobId{1});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  ASSERT_TRUE(brain.is_sent(JobId{1})) << "before anything is committed";
  EXPECT_EQ(brain.purpose_of(JobId{1}), Purpose::status);
  EXPECT_EQ(brain.connection_of(JobId{1}), connection);
  ASSERT_EQ(brain.batches(), 1U);
  EXPECT_TRUE(brain.batch().outcomes.front().look_sent);
  EXPECT_FALSE(brain.batch().outcomes.front().look_unsent);
  brain.reply(JobId{1}, status_answer("success"), true);
  brain.commit_all();
  EXPECT_EQ(brain.outcomes_recorded(), 2);
  EXPECT_FALSE(brain.is_sent(JobId{1})) << "no second look";
}

TEST(FirstLook, IsNotAskedForAgainWhenItsPostIsCommittedFirst) {
  Brain brain(unlimited());
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.commit_all();
  EXPECT_TRUE(brain.is_sent(JobId{1}));
  EXPECT_TRUE(brain.permits_asked().empty());
  brain.reply(JobId{1}, status_answer("pending"), true);
  brain.commit_all();
  brain.wake();
  brain.commit_all();
  EXPECT_EQ(brain.purpose_of(JobId{1}), Purpose::status)
      << "the second look is asked for like any other";
}

TEST(FirstLook, IsClosedUnsentWhereThePostDoesNotLeadToIt) {
  Brain brain(unlimited());
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, silence());
  ASSERT_EQ(brain.batches(), 1U);
  EXPECT_TRUE(brain.batch().outcomes.front().look_unsent);
  EXPECT_FALSE(brain.batch().outcomes.front().look_sent);
  EXPECT_FALSE(brain.is_sent(JobId{1}));
}

TEST(FirstLook, IsLeftToLaterWhereItsConnectionIsGone) {
  Brain brain(unlimited());
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), false);
  EXPECT_TRUE(brain.batch().outcomes.front().look_unsent);
  brain.commit();
  brain.connect();
  brain.commit_all();
  EXPECT_EQ(brain.purpose_of(JobId{1}), Purpose::status);
}

TEST(FirstLook, DoesNotLeaveOnceAStopWasAsked) {
  Brain brain(unlimited());
  brain.start_with({a_job(1)});
  brain.feed(input::StopAsked{});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  EXPECT_FALSE(brain.is_sent(JobId{1}));
  EXPECT_TRUE(brain.batch().outcomes.front().look_unsent);
  brain.commit_all();
  EXPECT_EQ(brain.ending(), Ending::stopped);
}

TEST(FirstLook, WaitsAsItsPostWasAskedToAndTheNextIsNotWrittenAhead) {
  Brain brain(unlimited());
  brain.start_with({a_job(1)});
  DspReply later = answer(201, {"dsp-1"});
  later.retry_after = "5";
  brain.reply(JobId{1}, later, true);
  EXPECT_FALSE(brain.is_sent(JobId{1}));
  EXPECT_TRUE(brain.batch().outcomes.front().look_unsent);
  brain.commit();
  brain.feed(input::TablesChanged{});
  brain.load(ready_work({a_job(2)}));
  ASSERT_EQ(brain.permits_asked(), std::vector{JobId{2}});
  EXPECT_FALSE(brain.batch().permits.front().with_look);
}

// The schedule has learned that the DSP is done at once.
Recovery done_at_once() {
  Recovery recovery;
  for (int bin = 0; bin < 3; ++bin)
    recovery.processing.push_back({JobKind::campaign, bin, 0, 100, 100, 1});
  return recovery;
}

DispatcherPolicy limited(Tier limit = {1'000'000, 60'000}) {
  DispatcherPolicy policy = unlimited();
  policy.limiter.tiers = {limit};
  return policy;
}

bool is_written_ahead(const Brain& brain) { return brain.batch().permits.front().with_look; }

TEST(LookUnderALimit, IsWrittenWithItsPostWherePermitsAbound) {
  for (const Tier limit : {Tier{1'000'000, 60'000}, Tier{400, 60'000}, Tier{40, 60'000}}) {
    Brain brain(limited(limit), done_at_once());
    brain.load(ready_work({a_job(1)}));
    brain.connect();
    EXPECT_EQ(is_written_ahead(brain), limit.count > 1'000) << limit.count;
    brain.commit_all();
    if (limit.count <= 1'000) continue;
    brain.advance(3);
    const ConnectionId connection = brain.connection_of(JobId{1});
    brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
    ASSERT_TRUE(brain.is_sent(JobId{1})) << "before anything is committed";
    EXPECT_EQ(brain.purpose_of(JobId{1}), Purpose::status);
    EXPECT_EQ(brain.target_of(JobId{1}), "/look/dsp-1");
    EXPECT_EQ(brain.connection_of(JobId{1}), connection);
    brain.reply(JobId{1}, status_answer("success"), true);
    brain.commit_all();
    EXPECT_EQ(brain.outcomes_recorded(), 2);
  }
}

TEST(LookUnderALimit, IsWrittenWithThePostOfAKindThatWasNeverSeenWhereItsParentsAreDoneAtOnce) {
  Brain brain(limited(), done_at_once());
  brain.load(ready_work({a_job(1, JobKind::ad)}));
  brain.connect();
  EXPECT_TRUE(is_written_ahead(brain)) << "else its looks would wait until every POST is out";
}

TEST(LookUnderALimit, IsNotWrittenAheadWhereProcessingTakesLongAsFarAsIsKnown) {
  Brain brain(limited());
  brain.load(ready_work({a_job(1)}));
  brain.connect();
  EXPECT_FALSE(is_written_ahead(brain));
}

TEST(LookUnderALimit, WaitsAsItsPostWasAskedTo) {
  Brain brain(limited(), done_at_once());
  brain.start_with({a_job(1)});
  DspReply later = answer(201, {"dsp-1"});
  later.retry_after = "5";
  brain.reply(JobId{1}, later, true);
  EXPECT_FALSE(brain.is_sent(JobId{1}));
  EXPECT_TRUE(brain.batch().outcomes.front().look_unsent);
}

TEST(LookUnderALimit, IsClosedUnsentWhereThePostIsRefusedAlthoughItsConnectionStays) {
  for (const DispatcherPolicy& policy : {limited(), unlimited()}) {
    for (const int status : {400, 409, 429, 500, 503}) {
      Brain brain(policy, done_at_once());
      brain.start_with({a_job(1)});
      brain.reply(JobId{1}, answer(status), true);
      EXPECT_TRUE(brain.batch().outcomes.front().look_unsent) << status;
      EXPECT_FALSE(brain.is_sent(JobId{1})) << status;
    }
  }
}

TEST(LookUnderALimit, OfAPermitThatIsGivenBackIsClosedWithIt) {
  DispatcherPolicy policy = limited();
  policy.in_flight_max = 1;
  Brain brain(policy, done_at_once());
  brain.start_with({a_job(1), a_job(2)});
  ASSERT_TRUE(brain.is_sent(JobId{1}));
  // and with it goes the connection that the other waits for
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), false);
  ASSERT_EQ(brain.batch().outcomes.size(), 2U);
  for (const Outcome& outcome : brain.batch().outcomes)
    EXPECT_TRUE(outcome.look_unsent) << outcome.job.value;
}

TEST(LookUnderALimit, LastsAsLongAsAnyOtherRequestAndIsNotFollowedByAPoll) {
  Brain brain(limited(), done_at_once());
  brain.start_with({a_job(1)});
  brain.advance(100'000);
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.commit_all();
  brain.advance(100'000);
  brain.feed(input::Woke{});
  ASSERT_TRUE(brain.is_sent(JobId{1}));
  EXPECT_EQ(brain.batches(), 0U) << "given up by the age of its POST";
  brain.reply(JobId{1}, status_answer("success"), true);
  EXPECT_FALSE(brain.batch().outcomes.front().look_sent ||
               brain.batch().outcomes.front().look_unsent);
  brain.commit_all();
  brain.advance(100'000);
  brain.feed(input::Woke{});
  EXPECT_TRUE(brain.permits_asked().empty());
  EXPECT_EQ(brain.outcomes_recorded(), 2);
}

// Its slot is taken when it leaves: the row alone holds none, and where no more are spare the order
// of work decides.
TEST(LookUnderALimit, IsLeftToLaterWherePermitsDoNotAboundAnyMore) {
  constexpr int kPlenty = 1'000;
  constexpr std::int64_t kNow = 1'000'000;  // of a new Brain
  DispatcherPolicy policy = limited({2 * kPlenty, 60'000});
  policy.limiter.burst = 2 * kPlenty;
  Recovery recovery = done_at_once();
  recovery.slot_anchors_boot_ms.assign(kPlenty - 2, kNow);  // two POSTs from plenty
  Brain brain(policy, recovery);
  brain.start_with({a_job(1), a_job(2)});
  ASSERT_TRUE(brain.is_sent(JobId{1}) && brain.is_sent(JobId{2}));
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  EXPECT_TRUE(brain.is_sent(JobId{1})) << "its look takes one of the plenty";
  brain.reply(JobId{2}, answer(201, {"dsp-2"}), true);
  EXPECT_FALSE(brain.is_sent(JobId{2}));
  brain.commit();
  EXPECT_TRUE(brain.batch().outcomes.front().look_unsent);
}

}  // namespace
}  // namespace dl
