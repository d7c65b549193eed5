// The dispatcher driven by values only: what leads to a request on the wire, and what follows it.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

using Level = command::Say::Level;

TEST(Dispatcher, SendsNothingBeforeThePermitIsGranted) {
  Brain brain(brain_policy());
  brain.load(ready_work({a_job(1)}));
  EXPECT_EQ(brain.batches(), 0U) << "connect first: the intent comes after TCP and TLS";
  brain.connect();
  EXPECT_EQ(brain.permits_asked(), std::vector<JobId>{JobId{1}});
  EXPECT_TRUE(brain.on_the_wire().empty());
  brain.commit();
  EXPECT_EQ(brain.on_the_wire(), std::vector<JobId>{JobId{1}});
}

TEST(Dispatcher, AsksForNoMorePermitsThanTheLimiterHas) {
  Brain brain(brain_policy());
  std::vector<JobRef> jobs;
  for (int i = 1; i <= 50; ++i) jobs.push_back(a_job(i));
  brain.load(ready_work(jobs));
  brain.connect();
  EXPECT_EQ(brain.permits_asked().size(), 10U) << "the burst: 40 / 4";
  brain.commit_all();
  EXPECT_EQ(brain.on_the_wire().size(), 10U);
  EXPECT_TRUE(brain.permits_asked().empty());
}

TEST(Dispatcher, KeepsToTheNumberOfRequestsInFlight) {
  DispatcherPolicy policy = brain_policy();
  policy.limiter.tiers.clear();
  policy.in_flight_max = 4;
  Brain brain(policy);
  std::vector<JobRef> jobs;
  for (int i = 1; i <= 50; ++i) jobs.push_back(a_job(i));
  brain.start_with(jobs);
  EXPECT_EQ(brain.on_the_wire().size(), 4U);
  brain.reply(brain.on_the_wire().front(), answer(201, {"dsp-1"}));
  brain.connect();
  brain.commit_all();
  EXPECT_EQ(brain.on_the_wire().size(), 4U);
}

TEST(Dispatcher, GivesTheSlotOfARefusedPermitBackAndLooksAgain) {
  DispatcherPolicy policy = brain_policy();
  policy.limiter.tiers = {{1, 60'000}};
  Brain brain(policy);
  brain.load(ready_work({a_job(1), a_job(2)}));
  brain.connect();
  brain.commit_refusing("it is not ready any more");
  EXPECT_EQ(brain.loads_asked(), 1) << "the view was stale";
  EXPECT_EQ(brain.permits_asked(), std::vector<JobId>{JobId{2}}) << "the one slot is free again";
}

// The tables list it as ready and yet refuse it: asking again at once, for ever, would burn both
// threads.
TEST(Dispatcher, SetsAsideAJobThatTheTablesListAndRefuse) {
  Brain brain(brain_policy(Lifetime::drain));
  const LoadedWork work = ready_work({a_job(7)});
  brain.load(work);
  brain.connect();
  brain.commit_refusing("its payload was changed behind our back");
  brain.load(work);
  ASSERT_EQ(brain.permits_asked(), std::vector<JobId>{JobId{7}})
      << "once more: it may have been us";
  brain.commit_refusing("its payload was changed behind our back");
  ASSERT_EQ(brain.said(Level::error).size(), 1U);
  const std::string said = brain.said(Level::error).front();
  EXPECT_NE(said.find("job 7"), std::string::npos) << said;
  EXPECT_NE(said.find("its payload was changed behind our back"), std::string::npos) << said;
  for (int i = 0; i < 5 && brain.loads_asked() > 0; ++i) {
    brain.load(work);
    EXPECT_TRUE(brain.permits_asked().empty());
  }
  EXPECT_EQ(brain.loads_asked(), 0) << "it does not spin";
  EXPECT_EQ(brain.ending(), Ending::drained) << "it keeps no drain from ending";
}

TEST(Dispatcher, TriesAShelvedJobAgainOnceTheTablesHaveChanged) {
  Brain brain(brain_policy());
  const LoadedWork work = ready_work({a_job(7)});
  brain.load(work);
  brain.connect();
  for (int round = 0; round < 3; ++round) {
    brain.commit_refusing("its payload was changed");
    brain.load(work);
    brain.commit_refusing("its payload was changed");
    EXPECT_TRUE(brain.permits_asked().empty());
    brain.feed(input::TablesChanged{});
    brain.load(work);
    EXPECT_EQ(brain.permits_asked(), std::vector<JobId>{JobId{7}});
  }
  EXPECT_EQ(brain.said(Level::error).size(), 1U) << "said once";
  brain.commit();
  EXPECT_TRUE(brain.is_sent(JobId{7}));
}

TEST(Dispatcher, ForgetsARefusalOnceThePermitIsGranted) {
  Brain brain(brain_policy());
  brain.load(ready_work({a_job(7)}));
  brain.connect();
  brain.commit_refusing("a request of it is open");
  brain.load(ready_work({a_job(7)}));
  brain.commit();
  brain.reply(JobId{7}, answer(412));
  brain.commit();
  brain.wake();
  brain.commit();
  brain.connect();
  brain.commit_refusing("a request of it is open");
  EXPECT_TRUE(brain.said(Level::error).empty()) << "not twice in a row";
}

// Else a window full of shelved jobs would hide the work behind it, and be loaded without end.
TEST(Dispatcher, LoadsMoreThanWhatItLeavesOut) {
  Brain brain(brain_policy());
  LoadedWork window = ready_work({a_job(1)});
  window.ready_complete = false;
  brain.load(window);
  brain.connect();
  EXPECT_EQ(brain.loads_asked(), 1) << "the table has more";
  brain.commit_refusing("no");
  brain.load(window);
  brain.load(window);
  brain.commit_refusing("no");
  brain.load(window);
  EXPECT_EQ(brain.loads_asked(), 1);
  EXPECT_EQ(brain.last_limits().ready, LoadLimits{}.ready + 1) << "one is shelved";
  brain.load(ready_work({a_job(1), a_job(2)}));
  EXPECT_EQ(brain.permits_asked(), std::vector<JobId>{JobId{2}});
  EXPECT_EQ(brain.loads_asked(), 0);
}

TEST(Dispatcher, RefillsItsWindowWithOneLoad) {
  Brain brain(brain_policy());
  LoadedWork window = ready_work({a_job(1), a_job(2)});
  window.ready_complete = false;
  brain.load(window);
  EXPECT_EQ(brain.loads_asked(), 1);
  brain.connect();
  brain.commit_all();
  brain.load(ready_work({}));
  EXPECT_EQ(brain.loads_asked(), 0);
}

TEST(Dispatcher, SurvivesAConnectionClosedWhileThePermitIsOnItsWay) {
  for (const bool granted : {true, false}) {
    Brain brain(brain_policy());
    brain.load(ready_work({a_job(1)}));
    brain.connect();
    brain.feed(input::Closed{ConnectionId{0, 1}});
    if (granted) {
      brain.commit();
      DspReply gone;
      gone.wire = Wire::not_sent;
      brain.reply(JobId{1}, gone);
      EXPECT_EQ(brain.batch().outcomes.front().event, JobEvent::not_sent);
    } else {
      brain.commit_refusing("it is not ready any more");
      brain.load(ready_work({a_job(1)}));
      brain.wake();
      EXPECT_EQ(brain.connects_asked(), 1) << "the old one is gone";
    }
  }
}

TEST(Dispatcher, GivesUpARequestThatNoWorkerReports) {
  DispatcherPolicy policy = brain_policy();
  policy.http_timeout_ms = 120'000;
  Brain brain(policy);
  brain.start_with({a_job(1)});
  brain.advance(148'000);
  brain.feed(input::Woke{});
  brain.advance(1'999);
  brain.feed(input::Woke{});
  EXPECT_EQ(brain.batches(), 0U);
  brain.advance(1);
  brain.feed(input::Woke{});
  ASSERT_EQ(brain.batches(), 1U);
  const Outcome outcome = brain.batch().outcomes.front();
  EXPECT_EQ(outcome.event, JobEvent::unknown);
  EXPECT_EQ(outcome.slot, SlotEnd::unsure);
  EXPECT_TRUE(outcome.hold);
  brain.reply(JobId{1}, answer(201, {"dsp-1"}));
  EXPECT_EQ(brain.batches(), 1U) << "its late answer changes nothing any more";
}

TEST(Dispatcher, WakesForTheRequestThatNobodyMayReport) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1)});
  brain.wake();  // to look a first time, and
  brain.wake();  // a second
  ASSERT_EQ(brain.batches(), 1U);
  EXPECT_EQ(brain.batch().outcomes.size(), 1U);
}

TEST(Dispatcher, TakesAFreshConnectionForAPost) {
  for (const UnknownOutcome unknown : {UnknownOutcome::hold, UnknownOutcome::lookup}) {
    Brain brain(brain_policy(Lifetime::for_ever, unknown));
    brain.start_with({a_job(1)});
    const ConnectionId used = brain.connection_of(JobId{1});
    brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
    brain.commit();
    brain.feed(input::TablesChanged{});
    brain.load(ready_work({a_job(2)}));
    brain.connect();
    brain.commit_all();
    ASSERT_TRUE(brain.is_sent(JobId{2}));
    EXPECT_NE(brain.connection_of(JobId{2}), used);
  }
}

TEST(Dispatcher, ReusesAConnectionForAPostWhereTheDspHonoursKeys) {
  Brain brain(brain_policy(Lifetime::for_ever, UnknownOutcome::resubmit));
  brain.start_with({a_job(1)});
  const ConnectionId used = brain.connection_of(JobId{1});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.commit();
  brain.feed(input::TablesChanged{});
  brain.load(ready_work({a_job(2)}));
  brain.commit_all();
  ASSERT_TRUE(brain.is_sent(JobId{2})) << "no new connection is needed";
  EXPECT_EQ(brain.connection_of(JobId{2}), used);
}

// The age of a key is judged with the permit. A disk that stands still between that and the send
// must not make it a key that the DSP has forgotten meanwhile.
TEST(Dispatcher, DoesNotSendAgainUnderAKeyThatWasJudgedLongAgo) {
  for (const Millis span : {30'000, 30'001}) {
    Brain brain(brain_policy(Lifetime::for_ever, UnknownOutcome::resubmit));
    brain.start_with({a_job(1)});
    brain.let_commits_take(span);
    brain.reply(JobId{1}, silence());
    brain.commit();
    brain.wake();
    brain.connect();
    brain.commit();
    if (span == 30'000) {
      ASSERT_TRUE(brain.is_sent(JobId{1}));
      EXPECT_EQ(brain.purpose_of(JobId{1}), Purpose::resubmit);
    } else {
      EXPECT_FALSE(brain.is_sent(JobId{1}));
      ASSERT_EQ(brain.batch().outcomes.size(), 1U);
      EXPECT_EQ(brain.batch().outcomes.front().slot, SlotEnd::not_sent);
      EXPECT_NE(brain.batch().outcomes.front().error.find("recorded too late"), std::string::npos);
    }
  }
}

TEST(Dispatcher, PollsOnAReusedConnection) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1)});
  const ConnectionId used = brain.connection_of(JobId{1});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.commit();
  brain.wake();
  brain.commit();
  ASSERT_TRUE(brain.is_sent(JobId{1}));
  EXPECT_EQ(brain.purpose_of(JobId{1}), Purpose::status);
  EXPECT_EQ(brain.connection_of(JobId{1}), used);
}

// Ages count from the sending of the creation, however long answers and commits take. With nothing
// else to send it guesses as soon as that is more likely right than wrong, or probes after four
// permits unused.
TEST(Dispatcher, CountsAPollsAgeFromTheSendingOfTheCreation) {
  constexpr Millis kSpacing = 1'500;
  Brain brain(brain_policy());
  brain.start_with({a_job(1)});
  const std::int64_t posted_at = brain.now().boot_ms;
  Schedule schedule(Pace::limited);
  std::int64_t sent_at = posted_at;
  Millis looked = kNeverLooked;
  brain.advance(700);
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.commit();
  for (int look = 0; look < 6; ++look) {
    const std::int64_t likely_at = posted_at + schedule.likely_age(JobKind::campaign, looked);
    const std::int64_t probe_at = sent_at + 4 * kSpacing;
    EXPECT_EQ(brain.wake_at(), std::min(likely_at, probe_at)) << "look " << look;
    brain.wake();
    brain.commit();
    ASSERT_TRUE(brain.is_sent(JobId{1}));
    sent_at = brain.now().boot_ms;
    brain.advance(900);
    brain.reply(JobId{1}, status_answer("processing"), true);
    brain.commit();
    schedule.saw_undone(JobKind::campaign, looked, sent_at - posted_at);
    looked = sent_at - posted_at;
  }
}

TEST(Dispatcher, LooksNotBeforeTheDspAskedForIt) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1)});
  DspReply accepted = answer(202, {"dsp-1"});
  accepted.retry_after = "45";
  brain.reply(JobId{1}, accepted, true);
  EXPECT_EQ(brain.batch().outcomes.front().due_in_ms, 45'000) << "a restart keeps to it too";
  brain.commit();
  EXPECT_EQ(brain.wake_at(), brain.now().boot_ms + 45'000);
  brain.wake();
  brain.commit();
  DspReply pending = status_answer("pending");
  pending.retry_after = "120";
  brain.reply(JobId{1}, pending, true);
  brain.commit();
  EXPECT_EQ(brain.wake_at(), brain.now().boot_ms + 120'000);
}

// A look that is due and cannot go waits for the connection; it does not wake every millisecond.
TEST(Dispatcher, DoesNotSpinWhileALookWaits) {
  for (const bool connects : {true, false}) {
    Brain brain(brain_policy());
    brain.start_with({a_job(1)});
    brain.reply(JobId{1}, answer(201, {"dsp-1"}));
    brain.commit();
    int wakes = 0;
    const std::int64_t until = brain.now().boot_ms + 600'000;
    while (brain.now().boot_ms < until) {
      ++wakes;
      ASSERT_LT(wakes, 1'000) << "it spins at " << brain.now().boot_ms;
      if (!connects) brain.refuse_connections("connection refused");
      if (connects) brain.connect();
      brain.commit_all();
      if (brain.is_sent(JobId{1})) {
        brain.reply(JobId{1}, status_answer("pending"));
        brain.commit_all();
      }
      brain.wake();
    }
  }
}

TEST(Dispatcher, WritesDownWhatItLearnedBeforeItEnds) {
  Brain brain(brain_policy(Lifetime::drain));
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.commit();
  brain.wake();
  brain.commit();
  brain.reply(JobId{1}, status_answer("success"), true);
  EXPECT_TRUE(brain.batch().processing.empty()) << "not with every outcome";
  brain.commit();
  ASSERT_EQ(brain.batches(), 1U);
  EXPECT_FALSE(brain.batch().processing.empty());
  EXPECT_EQ(brain.ending(), std::nullopt);
}

TEST(Dispatcher, WritesDownWhatItLearnedWithAnOutcomeNowAndThen) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1), a_job(2)});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}), true);
  brain.commit();
  brain.wake();
  brain.commit();
  brain.reply(JobId{1}, status_answer("pending"), true);
  brain.commit();
  brain.advance(10'000);
  brain.reply(JobId{2}, answer(201, {"dsp-2"}), true);
  EXPECT_FALSE(brain.batch().processing.empty());
}

TEST(Dispatcher, LooksAtTheTablesAgainWhereAnOutcomeCameTooLate) {
  Brain brain(brain_policy());
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, answer(201, {"dsp-1"}));
  brain.commit_unmatched();
  EXPECT_EQ(brain.loads_asked(), 1);
  EXPECT_EQ(brain.outcomes_recorded(), 1) << "late evidence always counts";
}

TEST(Dispatcher, LeavesOutOfALoadWhatIsOnItsWay) {
  Brain brain(brain_policy());
  brain.load(ready_work({a_job(1)}));
  brain.connect();
  brain.feed(input::TablesChanged{});
  brain.load(ready_work({a_job(1)}));
  EXPECT_EQ(brain.permits_asked().size(), 1U) << "its permit is asked for once";
  brain.commit();
  brain.feed(input::TablesChanged{});
  brain.load(ready_work({a_job(1)}));
  EXPECT_TRUE(brain.permits_asked().empty());
}

}  // namespace
}  // namespace dl
