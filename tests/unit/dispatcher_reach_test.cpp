// Whether the DSP is there, and knows us: what accepts connections may have nobody behind it, and a
// connection keeps the token with which it was made.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

using Level = command::Say::Level;

DispatcherPolicy policy_of(UnknownOutcome unknown_outcome, int in_flight = 8) {
  DispatcherPolicy policy = brain_policy(Lifetime::for_ever, unknown_outcome);
  policy.in_flight_max = in_flight;
  return policy;
}

std::vector<JobRef> jobs(int n) {
  std::vector<JobRef> all;
  for (int i = 1; i <= n; ++i) all.push_back(a_job(i));
  return all;
}

TEST(DispatcherToken, TheProbeGoesOutOnAConnectionThatReadTheTokenAnew) {
  Brain brain(policy_of(UnknownOutcome::resubmit));
  brain.start_with(jobs(2));
  const ConnectionId of_the_first = brain.connection_of(JobId{1});
  const ConnectionId of_the_second = brain.connection_of(JobId{2});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.reply(JobId{2}, answer(401), true);
  EXPECT_TRUE(brain.is_hung_up(of_the_second));
  brain.commit_all();
  brain.advance(60'000);
  brain.feed(input::Woke{});
  EXPECT_TRUE(brain.is_hung_up(of_the_first)) << "idle or not";
  EXPECT_EQ(brain.connects_asked(), 1);
  brain.connect();
  EXPECT_EQ(brain.permits_asked().size(), 1U);
}

TEST(DispatcherToken, AChangeRetiresWhatIsIdleOpeningOrBusy) {
  Brain brain(policy_of(UnknownOutcome::resubmit, 3));
  brain.start_with(jobs(2));
  const ConnectionId idle = brain.connection_of(JobId{1});
  const ConnectionId busy = brain.connection_of(JobId{2});
  brain.reply(JobId{1}, answer(422), true);
  brain.feed(input::TokenChanged{});
  EXPECT_TRUE(brain.is_hung_up(idle));
  EXPECT_FALSE(brain.is_hung_up(busy));
  brain.reply(JobId{2}, answer(401), true);
  EXPECT_TRUE(brain.is_hung_up(busy));
  brain.commit_all();
  EXPECT_TRUE(brain.said(Level::error).empty()) << "that was the old token's 401";
}

TEST(DispatcherToken, AConnectionThatWasOpeningMeanwhileIsNotUsed) {
  Brain brain(policy_of(UnknownOutcome::resubmit, 1));
  brain.load(ready_work(jobs(1)));
  ASSERT_EQ(brain.connects_asked(), 1);
  brain.feed(input::TokenChanged{});
  brain.connect();
  EXPECT_TRUE(brain.permits_asked().empty());
  ASSERT_EQ(brain.connects_asked(), 1) << "another one";
  brain.connect();
  EXPECT_EQ(brain.permits_asked().size(), 1U);
}

TEST(DispatcherSilence, AfterThreeRequestsInARowOnlyOneAtATimeGoesOut) {
  Brain brain(policy_of(UnknownOutcome::hold, 4));
  brain.start_with(jobs(30));
  ASSERT_EQ(brain.on_the_wire().size(), 4U);
  brain.reply(JobId{1}, silence());
  brain.reply(JobId{2}, silence());
  brain.connect();
  brain.commit_all();
  ASSERT_EQ(brain.on_the_wire().size(), 4U) << "two may be lost";
  for (const JobId job : brain.on_the_wire()) brain.reply(job, silence());
  brain.commit_all();
  EXPECT_EQ(brain.connects_asked(), 0) << "it backs off";
  for (int knock = 0; knock < 5; ++knock) {
    brain.wake();
    brain.connect();
    brain.commit_all();
    ASSERT_EQ(brain.on_the_wire().size(), 1U);
    brain.reply(brain.on_the_wire().front(), silence());
    brain.commit_all();
    EXPECT_EQ(brain.connects_asked(), 0);
  }
  EXPECT_EQ(brain.dispatcher().standing(brain.now()).outlook.state, Outlook::State::stalled);
  EXPECT_NE(brain.said(Level::warning).back().find("requests in a row without an answer"),
            std::string::npos);
}

TEST(DispatcherSilence, EndsWithAnAnswer) {
  Brain brain(policy_of(UnknownOutcome::hold, 3));
  brain.start_with(jobs(20));
  for (const JobId job : brain.on_the_wire()) brain.reply(job, silence());
  brain.commit_all();
  brain.wake();
  brain.connect();
  brain.commit_all();
  ASSERT_EQ(brain.on_the_wire().size(), 1U);
  brain.reply(brain.on_the_wire().front(), answer(500));
  brain.connect();
  brain.commit_all();
  EXPECT_EQ(brain.on_the_wire().size(), 3U);
}

TEST(DispatcherSilence, ADrainEndsWhereNobodyAnswersForLong) {
  DispatcherPolicy policy = policy_of(UnknownOutcome::hold, 3);
  policy.lifetime = Lifetime::drain;
  Brain brain(policy);
  brain.start_with(jobs(20));
  for (const JobId job : brain.on_the_wire()) brain.reply(job, silence());
  brain.commit_all();
  for (int knock = 0; knock < 12 && !brain.ending(); ++knock) {
    brain.wake();
    brain.connect();
    brain.commit_all();
    for (const JobId job : brain.on_the_wire()) brain.reply(job, silence());
    brain.commit_all();
  }
  EXPECT_EQ(brain.ending(), Ending::unreachable);
}

// docker-proxy, ssh -L, a balancer without a backend: connecting succeeds, and then the connection
// is closed.
TEST(DispatcherSilence, AConnectionThatIsClosedUnusedIsAFailedKnock) {
  DispatcherPolicy policy = policy_of(UnknownOutcome::hold, 1);
  policy.limiter.tiers = {{1, 10'000}};
  Brain brain(policy);
  brain.start_with(jobs(5));
  brain.reply(JobId{1}, answer(422));
  brain.commit_all();
  for (std::int64_t serial = 2; serial <= 3; ++serial) {
    brain.wake();  // a second before the next permit, and again once it may knock
    ASSERT_EQ(brain.connects_asked(), 1);
    brain.connect();
    ASSERT_TRUE(brain.permits_asked().empty());
    brain.feed(input::Closed{ConnectionId{0, serial}});
    EXPECT_EQ(brain.connects_asked(), 0) << "not at once";
  }
  EXPECT_EQ(brain.said(Level::warning).size(), 1U) << "once";
}

}  // namespace
}  // namespace dl
