// Where permits abound, the permit of what goes out next on a connection is committed while the connection is in use.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

DispatcherPolicy one_in_flight(UnknownOutcome unknown_outcome = UnknownOutcome::resubmit) {
  DispatcherPolicy policy = brain_policy(Lifetime::for_ever, unknown_outcome);
  policy.limiter.tiers.clear();
  policy.in_flight_max = 1;
  return policy;
}

class PermitAhead : public ::testing::Test {
 protected:
  // Job 1 is on the wire, and the permit of job 2 is asked for.
  void SetUp() override {
    brain_.load(ready_work({a_job(1), a_job(2)}));
    brain_.connect();
    brain_.commit();
    ASSERT_TRUE(brain_.is_sent(JobId{1}));
    ASSERT_EQ(brain_.permits_asked(), std::vector{JobId{2}});
  }
  JobEvent event_of(JobId job) {
    for (const Outcome& outcome : brain_.batch().outcomes) {
      if (outcome.job == job) return outcome.event.value_or(JobEvent::unknown);
    }
    ADD_FAILURE() << "no outcome of job " << job.value;
    return JobEvent::unknown;
  }
  Brain brain_{one_in_flight()};
};

TEST_F(PermitAhead, WaitsForItsConnectionAndGoesOutAtOnce) {
  const ConnectionId connection = brain_.connection_of(JobId{1});
  brain_.commit();
  EXPECT_FALSE(brain_.is_sent(JobId{2})) << "one request at a time";
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  ASSERT_TRUE(brain_.is_sent(JobId{2})) << "before the outcome is committed";
  EXPECT_EQ(brain_.connection_of(JobId{2}), connection);
}

TEST_F(PermitAhead, GoesOutWithItsCommitWhereTheConnectionIsFreeBefore) {
  const ConnectionId connection = brain_.connection_of(JobId{1});
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  EXPECT_FALSE(brain_.is_sent(JobId{2}));
  brain_.commit();
  ASSERT_TRUE(brain_.is_sent(JobId{2}));
  EXPECT_EQ(brain_.connection_of(JobId{2}), connection);
}

TEST_F(PermitAhead, IsGivenBackWhereItsConnectionIsLost) {
  brain_.commit();
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}), false);
  EXPECT_EQ(event_of(JobId{2}), JobEvent::given_back);
  brain_.commit();
  brain_.connect();
  brain_.commit_all();
  EXPECT_EQ(brain_.on_the_wire().size(), 1U);
  brain_.reply(brain_.on_the_wire().front(), silence());
}

TEST_F(PermitAhead, IsGivenBackWhenItComesForAConnectionThatIsGone) {
  brain_.reply(JobId{1}, silence());
  brain_.commit();  // the permit
  EXPECT_FALSE(brain_.is_sent(JobId{2}));
  brain_.commit();  // the outcome of job 1
  EXPECT_EQ(event_of(JobId{2}), JobEvent::given_back);
}

TEST_F(PermitAhead, LeavesTheConnectionToOthersWhereItIsRefused) {
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain_.commit_refusing("it is cancelled");
  brain_.load(ready_work({a_job(3)}));
  brain_.commit_all();
  EXPECT_EQ(brain_.on_the_wire().size(), 1U) << "on the same connection: none was asked for";
  EXPECT_EQ(brain_.connects_asked(), 0);
}

TEST_F(PermitAhead, IsGivenBackAtAStop) {
  brain_.commit();
  brain_.feed(input::StopAsked{});
  EXPECT_EQ(event_of(JobId{2}), JobEvent::given_back);
  brain_.commit();
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain_.commit_all();
  EXPECT_EQ(brain_.ending(), Ending::stopped);
}

TEST_F(PermitAhead, IsGivenBackAfterARefusal) {
  brain_.commit();
  brain_.reply(JobId{1}, answer(429), true);
  EXPECT_FALSE(brain_.is_sent(JobId{2}));
  EXPECT_EQ(event_of(JobId{2}), JobEvent::given_back);
}

TEST_F(PermitAhead, IsGivenBackBehindARequestThatDoesNotEnd) {
  brain_.commit();
  brain_.advance(999);
  brain_.feed(input::Woke{});
  EXPECT_EQ(brain_.batches(), 0U);
  brain_.advance(1);
  brain_.feed(input::Woke{});
  ASSERT_EQ(brain_.batches(), 1U);
  EXPECT_EQ(event_of(JobId{2}), JobEvent::given_back);
  brain_.commit();
  EXPECT_TRUE(brain_.permits_asked().empty()) << "not behind the same request again";
}

TEST(NoPermitAhead, WhereADoubtNeedsAnOperator) {
  Brain brain(one_in_flight(UnknownOutcome::hold));
  brain.load(ready_work({a_job(1), a_job(2)}));
  brain.connect();
  brain.commit();
  EXPECT_TRUE(brain.permits_asked().empty());
}

TEST(NoPermitAhead, UnderALimitThatMayBind) {
  for (const Tier limit : {Tier{1'000'000, 60'000}, Tier{400, 60'000}}) {
    DispatcherPolicy policy = one_in_flight();
    policy.limiter.tiers = {limit};
    Brain brain(policy);
    brain.load(ready_work({a_job(1), a_job(2)}));
    brain.connect();
    brain.commit();
    EXPECT_EQ(brain.permits_asked().size(), limit.count > 1'000 ? 1U : 0U) << limit.count;
  }
}

}  // namespace
}  // namespace dl
