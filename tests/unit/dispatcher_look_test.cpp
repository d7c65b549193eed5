// Without a limit the intent of the first look is committed with its POST's, and the look follows at once.
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

}  // namespace
}  // namespace dl
