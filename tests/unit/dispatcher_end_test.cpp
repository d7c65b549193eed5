// Pauses, refusals and the ways to end.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

using Level = command::Say::Level;

TEST(DispatcherStop, GivesBackPermitsThatComeTooLate) {
  Brain brain(brain_policy());
  brain.load(ready_work({a_job(1)}));
  brain.connect();
  brain.feed(input::StopAsked{});
  EXPECT_FALSE(brain.ending()) << "a permit is still on its way";
  brain.commit();
  EXPECT_TRUE(brain.on_the_wire().empty()) << "nothing is sent any more";
  const Outcome outcome = brain.batch().outcomes.front();
  EXPECT_EQ(outcome.event, JobEvent::given_back);
  EXPECT_EQ(outcome.slot, SlotEnd::not_sent);
  EXPECT_EQ(outcome.resolution, "not_sent");
  EXPECT_FALSE(outcome.spends_attempt);
  brain.commit();
  EXPECT_EQ(brain.ending(), Ending::stopped);
}

TEST(DispatcherStop, SurvivesALateGrantForAConnectionThatIsGone) {
  Brain brain(brain_policy());
  brain.load(ready_work({a_job(1)}));
  brain.connect();
  brain.feed(input::Closed{ConnectionId{1, 1}});
  brain.feed(input::StopAsked{});
  brain.commit_all();
  EXPECT_EQ(brain.ending(), Ending::stopped);
}

TEST(DispatcherStop, WaitsForWhatIsOnTheWire) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1), a_job(2)});
  brain.feed(input::StopAsked{});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}));
  brain.commit();
  EXPECT_FALSE(brain.ending());
  brain.reply(JobId{2}, answer(201, {"dsp-2"}));
  EXPECT_FALSE(brain.ending()) << "its outcome is not in the tables yet";
  brain.commit();
  EXPECT_EQ(brain.ending(), Ending::stopped);
}

TEST(DispatcherDrain, EndsOnlyAfterASecondLook) {
  Brain brain(brain_policy(Lifetime::drain));
  brain.load(ready_work({}));
  EXPECT_FALSE(brain.ending());
  EXPECT_EQ(brain.loads_asked(), 1) << "the tables have the last word";
  brain.load(ready_work({a_job(1)}));
  EXPECT_FALSE(brain.ending()) << "somebody brought work meanwhile";
  brain.connect();
  brain.commit();
  brain.reply(JobId{1}, answer(422));
  brain.commit();
  brain.load(ready_work({}));
  EXPECT_EQ(brain.ending(), Ending::drained);
}

TEST(DispatcherDrain, WaitsForTimersButNotForOverdueJobs) {
  for (const bool overdue : {false, true}) {
    Brain brain(brain_policy(Lifetime::drain));
    LoadedWork work;
    work.timed = {TimedJob{a_job(1), JobState::confirming, 600'000, 90'000'000, 0, overdue}};
    brain.load(work);
    if (brain.loads_asked() > 0) brain.load(work);
    EXPECT_EQ(brain.ending().has_value(), overdue);
  }
}

TEST(DispatcherDrain, NeverEndsWhereItIsToRunForEver) {
  Brain brain(brain_policy());
  brain.load(ready_work({}));
  brain.feed(input::TablesChanged{});
  brain.load(ready_work({}));
  EXPECT_FALSE(brain.ending());
}

TEST(DispatcherCredentials, PauseTheAccountAndEndADrain) {
  for (const int status : {401, 403}) {
    Brain brain(brain_policy(Lifetime::drain));
    brain.start_with({a_job(1), a_job(2), a_job(3)});
    brain.reply(JobId{1}, answer(status));
    ASSERT_TRUE(brain.batch().account);
    EXPECT_EQ(brain.batch().account->paused_by, "daemon");
    EXPECT_FALSE(brain.batch().outcomes.front().spends_attempt);
    EXPECT_EQ(brain.said(Level::error).size(), 1U) << "loud";
    brain.reply(JobId{2}, answer(status));
    brain.reply(JobId{3}, answer(status));
    EXPECT_EQ(brain.said(Level::error).size(), 1U) << "once";
    brain.commit_all();
    EXPECT_EQ(brain.ending(), Ending::unauthorized);
  }
}

TEST(DispatcherCredentials, AreProbedOnceAMinuteUntilTheyWork) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1), a_job(2)});
  brain.reply(JobId{1}, answer(401));
  brain.reply(JobId{2}, answer(401));
  brain.commit_all();
  brain.advance(59'000);
  brain.feed(input::Woke{});
  brain.connect();
  EXPECT_TRUE(brain.permits_asked().empty()) << "not yet";
  brain.advance(1'001);
  brain.feed(input::Woke{});
  brain.connect();
  EXPECT_EQ(brain.permits_asked().size(), 1U) << "one probe";
  brain.commit();
  EXPECT_TRUE(brain.permits_asked().empty());
  const JobId probe = brain.on_the_wire().front();
  brain.reply(probe, answer(201, {"dsp-1"}));
  EXPECT_EQ(brain.batch().account->paused_by, std::nullopt) << "resumed, and kept so";
  brain.connect();
  brain.commit_all();
  EXPECT_EQ(brain.on_the_wire().size(), 1U) << "the other one follows";
}

TEST(DispatcherCredentials, AreProbedAtOnceWhenTheTokenChanged) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, answer(401));
  brain.commit_all();
  brain.advance(5'000);
  brain.feed(input::TokenChanged{});
  brain.connect();
  EXPECT_EQ(brain.permits_asked().size(), 1U);
}

TEST(DispatcherCredentials, PauseTooWhenTheTokenCannotBeRead) {
  Brain brain(brain_policy(Lifetime::drain));
  brain.load(ready_work({a_job(1)}));
  brain.feed(input::ConnectFailed{ConnectionId{1, 1}, "cannot read the token file",
                                  ConnectTrouble::credentials});
  brain.commit_all();
  EXPECT_EQ(brain.ending(), Ending::unauthorized);
}

// One job that the DSP forbids must not keep the account shut for the others.
TEST(DispatcherProbe, IsAnotherJobThanTheOneThatWasRefused) {
  for (const int status : {429, 403, 503}) {
    DispatcherPolicy policy = brain_policy();
    policy.in_flight_max = 1;
    Brain brain(policy);
    brain.start_with({a_job(1), a_job(2)});
    ASSERT_TRUE(brain.is_sent(JobId{1}));
    brain.reply(JobId{1}, answer(status));
    for (int i = 0; i < 50 && brain.on_the_wire().empty(); ++i) {
      brain.commit_all();
      brain.connect();
      brain.commit_all();
      if (brain.on_the_wire().empty()) brain.wake();
    }
    EXPECT_TRUE(brain.is_sent(JobId{2})) << status;
    EXPECT_FALSE(brain.is_sent(JobId{1})) << status;
  }
}

TEST(DispatcherProbe, IsTheSameJobWhereThereIsNoOther) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, answer(429));
  for (int i = 0; i < 50 && brain.on_the_wire().empty(); ++i) {
    brain.commit_all();
    brain.connect();
    if (brain.batches() == 0) brain.wake();
  }
  EXPECT_TRUE(brain.is_sent(JobId{1}));
}

TEST(DispatcherPause, ByAPersonHoldsEverythingUntilAPersonResumes) {
  Brain brain(brain_policy());
  LoadedWork paused = ready_work({a_job(1)});
  paused.account.paused_by = "maria";
  paused.account.paused_reason = "month end";
  brain.load(paused);
  brain.connect();
  brain.advance(3'600'000);
  brain.feed(input::Woke{});
  EXPECT_TRUE(brain.permits_asked().empty());
  EXPECT_EQ(brain.dispatcher().standing(brain.now()).outlook.reason, "paused by maria: month end");
  brain.feed(input::TablesChanged{});
  brain.load(ready_work({a_job(1)}));
  brain.connect();
  EXPECT_EQ(brain.permits_asked().size(), 1U);
}

// Whether a person has paused or resumed meanwhile is the tables' to say: only our own change is
// written.
TEST(DispatcherPause, IsWrittenOnlyWhenTheDaemonItselfPausesOrResumes) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1), a_job(2), a_job(3)});
  brain.reply(JobId{1}, answer(401));
  EXPECT_TRUE(brain.batch().account->writes_pause);
  brain.commit_all();
  brain.reply(JobId{2}, answer(429));  // the limiter has learned something
  ASSERT_TRUE(brain.batch().account);
  EXPECT_FALSE(brain.batch().account->writes_pause);
  brain.commit_all();
  brain.reply(JobId{3}, answer(201, {"dsp-3"}));
  EXPECT_TRUE(brain.batch().account->writes_pause) << "the credentials work again";
}

TEST(DispatcherPause, AsksTheTablesAgainForWhatItPassedOverWhileItsOwnWasOnTheWay) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1), a_job(2)});
  brain.feed(input::TablesChanged{});
  brain.reply(JobId{1}, answer(401));
  LoadedWork paused = ready_work({});
  paused.account.paused_by = "maria";
  brain.load(paused);  // her pause was first, ours will match nothing
  brain.commit();
  ASSERT_EQ(brain.loads_asked(), 1);
  brain.load(paused);
  brain.advance(120'000);
  brain.feed(input::Woke{});
  brain.connect();
  EXPECT_TRUE(brain.permits_asked().empty()) << "no probe: a person's pause holds everything";
  EXPECT_NE(brain.dispatcher().standing(brain.now()).outlook.reason.find("maria"),
            std::string::npos);
}

TEST(DispatcherTimers, AskTheTablesWhereAJobIsNotDueAfterAll) {
  Brain brain(brain_policy());
  TimedJob timed;
  timed.job = a_job(1);
  timed.state = JobState::waiting;
  timed.due_in_ms = 10;
  LoadedWork work;
  work.timed.push_back(timed);
  brain.load(work);
  brain.wake();
  ASSERT_EQ(brain.batch().due, std::vector<JobId>{JobId{1}});
  brain.commit_none_due();
  EXPECT_EQ(brain.loads_asked(), 1);
  work.timed.front().due_in_ms = 5'000;
  brain.load(work);
  EXPECT_EQ(brain.wake_at(), brain.now().boot_ms + 5'000);
}

TEST(DispatcherRefusal, PausesTheWholeAccountForRetryAfter) {
  Brain brain(brain_policy());
  std::vector<JobRef> jobs;
  for (int i = 1; i <= 20; ++i) jobs.push_back(a_job(i));
  brain.start_with(jobs);
  DspReply throttled = answer(429);
  throttled.retry_after = "30";
  for (const JobId job : brain.on_the_wire()) brain.reply(job, throttled);
  const std::int64_t gate = brain.now().boot_ms + 30'000;
  EXPECT_EQ(brain.batch().account->gate_boot_ms, gate) << "kept over a restart";
  brain.commit_all();
  brain.connect();
  while (brain.now().boot_ms < gate) {
    EXPECT_TRUE(brain.permits_asked().empty());
    brain.wake();
    brain.commit_all();
    brain.connect();
  }
  brain.commit_all();
  EXPECT_EQ(brain.on_the_wire().size(), 1U) << "one probe";
}

TEST(DispatcherUnreachable, BacksOffBetweenItsTries) {
  Brain brain(brain_policy());
  brain.load(ready_work({a_job(1), a_job(2), a_job(3)}));
  brain.refuse_connections("connection refused");
  Millis last = 0;
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(brain.connects_asked(), 0);
    const Millis wait = *brain.wake_at() - brain.now().boot_ms;
    EXPECT_LE(wait, 30'000);
    if (i < 6) {
      EXPECT_GT(wait, last / 2);
    }
    last = wait;
    brain.wake();
    while (brain.connects_asked() == 0) brain.wake();
    EXPECT_EQ(brain.connects_asked(), 1) << "one knock at a time";
    brain.refuse_connections("connection refused");
  }
  EXPECT_GE(last, 15'000);
  EXPECT_EQ(brain.said(Level::warning).size(), 1U) << "the same trouble is said once";
}

TEST(DispatcherUnreachable, EndsADrainAfterTheTimeout) {
  DispatcherPolicy policy = brain_policy(Lifetime::drain);
  policy.unreachable_timeout_ms = 60'000;
  Brain brain(policy);
  const std::int64_t start = brain.now().boot_ms;
  brain.load(ready_work({a_job(1)}));
  for (int i = 0; i < 100 && !brain.ending(); ++i) {
    brain.refuse_connections("connection refused");
    if (!brain.ending()) brain.wake();
  }
  EXPECT_EQ(brain.ending(), Ending::unreachable);
  EXPECT_GE(brain.now().boot_ms - start, 60'000);
  EXPECT_LE(brain.now().boot_ms - start, 120'000);
}

TEST(DispatcherUnreachable, IsOverWithTheFirstConnection) {
  DispatcherPolicy policy = brain_policy(Lifetime::drain);
  Brain brain(policy);
  brain.load(ready_work({a_job(1)}));
  brain.refuse_connections("connection refused");
  while (brain.connects_asked() == 0) brain.wake();
  brain.connect();
  brain.commit();
  brain.advance(100'000);
  brain.feed(input::Woke{});
  EXPECT_FALSE(brain.ending());
  EXPECT_NE(brain.dispatcher().standing(brain.now()).outlook.state, Outlook::State::stalled);
}

}  // namespace
}  // namespace dl
