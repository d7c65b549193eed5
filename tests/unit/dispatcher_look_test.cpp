// Without a limit the intent of the first look is committed with its POST's, and the look follows at once; under one that is
// far away, with its POST's outcome.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

std::string target_of_look(JobKind, std::string_view dsp_id) { return "/look/" + std::string(dsp_id); }

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
  EXPECT_EQ(brain.purpose_of(JobId{1}), Purpose::status) << "the second look is asked for like any other";
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

TEST(FirstLook, IsNotWrittenAheadUnderALimit) {
  DispatcherPolicy policy = unlimited();
  policy.limiter.tiers = {{40, 60'000}};
  Brain brain(policy);
  brain.load(ready_work({a_job(1)}));
  brain.connect();
  EXPECT_FALSE(brain.batch().permits.front().with_look) << "it would hold a slot through the processing";
}

// The schedule has learned that the DSP is done at once.
Recovery done_at_once() {
  Recovery recovery;
  for (int bin = 0; bin < 3; ++bin) recovery.processing.push_back({JobKind::campaign, bin, 0, 100, 100, 1});
  return recovery;
}

DispatcherPolicy limited(Tier limit = {1'000'000, 60'000}) {
  DispatcherPolicy policy = unlimited();
  policy.limiter.tiers = {limit};
  return policy;
}

TEST(LookUnderALimit, IsAskedForWithTheOutcomeOfItsPostWherePermitsAbound) {
  for (const Tier limit : {Tier{1'000'000, 60'000}, Tier{400, 60'000}}) {
    Brain brain(limited(limit), done_at_once());
    brain.start_with({a_job(1)});
    brain.advance(3);
    const ConnectionId connection = brain.connection_of(JobId{1});
    brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
    ASSERT_EQ(brain.batches(), 1U);
    ASSERT_EQ(brain.batch().outcomes.size(), 1U);
    EXPECT_EQ(brain.batch().outcomes.front().look_asked_by.has_value(), limit.count > 1'000) << limit.count;
    EXPECT_TRUE(brain.batch().permits.empty());
    if (limit.count <= 1'000) continue;
    EXPECT_FALSE(brain.is_sent(JobId{1})) << "its slot is held from the commit on";
    brain.commit();
    EXPECT_EQ(brain.purpose_of(JobId{1}), Purpose::status);
    EXPECT_EQ(brain.target_of(JobId{1}), "/look/dsp-1");
    EXPECT_EQ(brain.connection_of(JobId{1}), connection);
    brain.reply(JobId{1}, status_answer("success"), true);
    brain.commit_all();
    EXPECT_EQ(brain.outcomes_recorded(), 2);
  }
}

TEST(LookUnderALimit, IsAskedForWithThePostOfAKindThatWasNeverSeenWhereItsParentsAreDoneAtOnce) {
  Brain brain(limited(), done_at_once());
  brain.start_with({a_job(1, JobKind::ad)});
  brain.advance(3);
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  EXPECT_TRUE(brain.batch().outcomes.front().look_asked_by) << "else its looks would wait until every POST is out";
}

TEST(LookUnderALimit, WaitsWhereProcessingTakesLongAsFarAsIsKnown) {
  Brain brain(limited());
  brain.start_with({a_job(1)});
  brain.advance(3);
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  EXPECT_FALSE(brain.batch().outcomes.front().look_asked_by);
}

TEST(LookUnderALimit, WaitsAsItsPostWasAskedTo) {
  Brain brain(limited(), done_at_once());
  brain.start_with({a_job(1)});
  DspReply later = answer(201, {"dsp-1"});
  later.retry_after = "5";
  brain.reply(JobId{1}, later, true);
  EXPECT_FALSE(brain.batch().outcomes.front().look_asked_by);
}

TEST(LookUnderALimit, EndsItsSlotAndFreesItsConnectionWhereSomebodyHasTakenTheJob) {
  DispatcherPolicy policy = limited();
  policy.in_flight_max = 1;
  Brain brain(policy, done_at_once());
  brain.start_with({a_job(1)});
  const ConnectionId connection = brain.connection_of(JobId{1});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.commit_unmatched();
  EXPECT_FALSE(brain.is_sent(JobId{1}));
  brain.load(ready_work({a_job(2)}));
  brain.commit_all();
  ASSERT_TRUE(brain.is_sent(JobId{2}));
  EXPECT_EQ(brain.connection_of(JobId{2}), connection);
  EXPECT_EQ(brain.connects_asked(), 0);
  brain.reply(JobId{2}, answer(400), true);
  brain.commit_all();
}

TEST(LookUnderALimit, IsGivenBackUnsentOnceAStopWasAsked) {
  Brain brain(limited(), done_at_once());
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.feed(input::StopAsked{});
  brain.commit();
  EXPECT_FALSE(brain.is_sent(JobId{1}));
  ASSERT_EQ(brain.batches(), 1U);
  EXPECT_EQ(brain.batch().outcomes.front().slot, SlotEnd::not_sent);
  EXPECT_EQ(brain.batch().outcomes.front().purpose, Purpose::status);
  brain.commit_all();
  EXPECT_EQ(brain.ending(), Ending::stopped);
}

}  // namespace
}  // namespace dl
