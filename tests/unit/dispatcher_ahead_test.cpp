// Where permits abound, the permit of what goes out next on a connection is committed while the
// connection is in use.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

DispatcherPolicy in_flight(int most, UnknownOutcome unknown_outcome = UnknownOutcome::resubmit) {
  DispatcherPolicy policy = brain_policy(Lifetime::for_ever, unknown_outcome);
  policy.limiter.tiers.clear();
  policy.in_flight_max = most;
  return policy;
}
DispatcherPolicy one_in_flight(UnknownOutcome unknown_outcome = UnknownOutcome::resubmit) {
  return in_flight(1, unknown_outcome);
}

std::vector<JobRef> jobs(int count) {
  std::vector<JobRef> made;
  for (int id = 1; id <= count; ++id) made.push_back(a_job(id));
  return made;
}

// `count` jobs are loaded, and the first `on_the_wire` of them are sent, each with a commit of its
// own.
void begin(Brain& brain, int count, int on_the_wire) {
  brain.load(ready_work(jobs(count)));
  brain.connect();
  for (int i = 0; i < on_the_wire; ++i) brain.commit();
  ASSERT_EQ(brain.on_the_wire().size(), static_cast<std::size_t>(on_the_wire));
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

TEST_F(PermitAhead, IsGivenBackWithAllThatWaitBehindTheSameRequest) {
  brain_.commit();
  brain_.advance(500);
  brain_.feed(input::TablesChanged{});
  brain_.load(ready_work({a_job(3)}));
  brain_.commit();
  brain_.advance(500);
  brain_.feed(input::Woke{});
  EXPECT_EQ(event_of(JobId{2}), JobEvent::given_back);
  EXPECT_EQ(event_of(JobId{3}), JobEvent::given_back);
}

TEST_F(PermitAhead, GoesOnAfterOneThatIsRefused) {
  brain_.feed(input::TablesChanged{});
  brain_.load(ready_work({a_job(3)}));
  ASSERT_EQ(brain_.permits_asked(), (std::vector{JobId{2}, JobId{3}})) << "in two commits";
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain_.commit_refusing("it is cancelled");
  EXPECT_TRUE(brain_.on_the_wire().empty());
  brain_.commit();
  EXPECT_TRUE(brain_.is_sent(JobId{3})) << "on the connection that was free for job 2";
  EXPECT_EQ(brain_.connects_asked(), 0);
}

TEST_F(PermitAhead, IsGivenBackWhereTheConnectionThatAwaitsItIsClosed) {
  brain_.feed(input::TablesChanged{});
  brain_.load(ready_work({a_job(3)}));
  const ConnectionId connection = brain_.connection_of(JobId{1});
  brain_.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain_.feed(input::Closed{connection});
  for (int i = 0; i < 3; ++i) brain_.commit();  // both permits, and the outcome of job 1
  EXPECT_TRUE(brain_.on_the_wire().empty());
  EXPECT_EQ(event_of(JobId{2}), JobEvent::given_back);
  brain_.commit();
  EXPECT_EQ(event_of(JobId{3}), JobEvent::given_back);
}

TEST(PermitsAhead, AreThreeBehindOneConnectionAndLeaveInTheirOrder) {
  Brain brain(one_in_flight());
  begin(brain, 6, 1);
  EXPECT_EQ(brain.permits_asked(), (std::vector{JobId{2}, JobId{3}, JobId{4}}));
  brain.commit();
  for (int id = 1; id <= 3; ++id) {
    ASSERT_EQ(brain.on_the_wire(), std::vector{JobId{id}});
    brain.reply(JobId{id}, answer(201, {"dsp-" + std::to_string(id)}), true);
  }
  EXPECT_EQ(brain.on_the_wire(), std::vector{JobId{4}}) << "no commit in between";
}

TEST(PermitsAhead, AreSpreadBeforeAnyConnectionHasTwo) {
  Brain brain(in_flight(2));
  begin(brain, 2, 2);
  brain.feed(input::TablesChanged{});
  brain.load(ready_work({a_job(3), a_job(4)}));
  brain.commit();
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.reply(JobId{2}, answer(201, {"dsp-2"}), true);
  EXPECT_EQ(brain.on_the_wire(), (std::vector{JobId{3}, JobId{4}})) << "one behind each";
}

TEST(PermitsAhead, AreNoMoreThan32OrOneAConnection) {
  for (const auto& [in_flight_max, ahead] :
       {std::pair{8, 24}, {12, 24}, {16, 32}, {32, 32}, {50, 50}}) {
    Brain brain(in_flight(in_flight_max));
    begin(brain, 400, in_flight_max);
    EXPECT_EQ(brain.permits_asked().size(), static_cast<std::size_t>(ahead)) << in_flight_max;
  }
}

TEST(PermitsAhead, WaitForASecondBehindEachRequestNotBehindAll) {
  Brain brain(one_in_flight());
  begin(brain, 3, 1);
  brain.commit();
  brain.advance(900);
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  ASSERT_TRUE(brain.is_sent(JobId{2}));
  brain.advance(900);
  brain.reply(JobId{2}, answer(201, {"dsp-2"}), true);
  EXPECT_TRUE(brain.is_sent(JobId{3})) << "1,800 ms after its permit";
}

TEST(NoPermitAhead, WhereConnectionsDoNotLiveThroughAnAnswer) {
  Brain brain(in_flight(1));
  begin(brain, 1, 1);
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), false);
  brain.commit_all();
  brain.feed(input::TablesChanged{});
  brain.load(ready_work({a_job(2), a_job(3)}));
  brain.connect();
  brain.commit();
  ASSERT_TRUE(brain.is_sent(JobId{2}));
  EXPECT_TRUE(brain.permits_asked().empty()) << "it would be given back";
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
