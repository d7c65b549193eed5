// What the dispatcher loads: the order of work, and when each job is due by clocks that step.
#include <gmock/gmock.h>

#include <numeric>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::ElementsAre;

class StoreLoad : public StoreTest {
 protected:
  StoreLoad() { start(); }
  static std::vector<std::int64_t> ids(const LoadedWork& loaded) {
    std::vector<std::int64_t> all;
    for (const JobRef& each : loaded.ready) all.push_back(each.id.value);
    for (const TimedJob& each : loaded.timed) all.push_back(each.job.id.value);
    return all;
  }
  LoadedWork load_at_most(LoadLimits limits) { return store_->load(limits, now_).value(); }
  // ready -> waiting for two seconds.
  void refuse(int id) { finish(refused(grant(id))); }
  void act(const std::string& what, int id) {
    EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, who, why, at) VALUES (" +
                              std::to_string(id) + ", '" + what + "', 'maria', 'x', " +
                              std::to_string(now_.wall_ms) + ")"));
  }
  // in_doubt, as a daemon that looks up leaves it.
  void lose(int id, Millis due_in_ms) {
    Outcome lost = unsure(grant(id));
    lost.hold.reset();
    lost.due_in_ms = due_in_ms;
    finish(lost);
  }
  int next_id_ = 0;
  void boot(const std::string& key, std::int64_t boot_ms) {
    facts_.boot_key = key;
    now_.boot_ms = boot_ms;
    start();
  }
};

TEST_F(StoreLoad, GivesTheReadyJobsInOrderOfWork) {
  add_job(20, JobKind::campaign, {});
  add_job(21, JobKind::campaign, {});
  as_daemon(
      "UPDATE job SET state = 'ready', priority = -1 WHERE id = 21; UPDATE job SET state = 'ready' "
      "WHERE id = 20");
  const LoadedWork loaded = load();
  EXPECT_THAT(ids(loaded), ElementsAre(21, kCampaign, 20, kOther))
      << "priority, campaign, level, id";
  EXPECT_TRUE(loaded.ready_complete);
  EXPECT_EQ(loaded.ready[0].priority, -1);
  EXPECT_EQ(loaded.ready[1].kind, JobKind::campaign);
  EXPECT_TRUE(loaded.ready[1].has_children);
  EXPECT_EQ(loaded.ready[2].root_id, 1);
  EXPECT_EQ(loaded.ready[2].level, 2);
  EXPECT_FALSE(loaded.ready[2].has_children);
}

TEST_F(StoreLoad, SaysWhenThereIsMoreThanWasAskedFor) {
  EXPECT_TRUE(load_at_most({.ready = 2, .timed = 1}).ready_complete);
  LoadedWork some = load_at_most({.ready = 1, .timed = 1});
  EXPECT_THAT(ids(some), ElementsAre(kCampaign));
  EXPECT_FALSE(some.ready_complete);
  refuse(kOther);
  pass(1'000);
  refuse(kCampaign);
  EXPECT_TRUE(load_at_most({.ready = 2, .timed = 3}).timed_complete);
  some = load_at_most({.ready = 1, .timed = 1});
  EXPECT_THAT(ids(some), ElementsAre(kOther)) << "soonest due first";
  EXPECT_FALSE(some.timed_complete);
}

TEST_F(StoreLoad, LeavesOutWhatIsLeasedHeldOrHidden) {
  doubt(kCampaign);
  confirm(kOther, "dsp-5");
  EXPECT_THAT(ids(load()), ElementsAre(kOther));
  grant(kOther, Purpose::status);
  const LoadedWork loaded = load();
  EXPECT_THAT(ids(loaded), ElementsAre());
  const auto campaigns = loaded.totals[static_cast<std::size_t>(JobKind::campaign)];
  EXPECT_EQ(std::accumulate(campaigns.begin(), campaigns.end(), std::int64_t{0}), 2)
      << "a batch that is loading is not counted";
}

TEST_F(StoreLoad, TellsHowLongARetryStillWaits) {
  refuse(kCampaign);
  EXPECT_EQ(timed(kCampaign).state, JobState::waiting);
  EXPECT_EQ(timed(kCampaign).due_in_ms, 2'000);
  pass(500);
  EXPECT_EQ(timed(kCampaign).due_in_ms, 1'500);
  pass(5'000);
  EXPECT_EQ(timed(kCampaign).due_in_ms, 0);
}

constexpr Millis kDay = 86'400'000;

// A jump between any two of a job's steps, and as many loads as there may be.
TEST_F(StoreLoad, HeedsTheBootClockAloneForWhatHappenedInThisBoot) {
  for (const Millis step : {Millis{0}, -kDay, kDay, -400 * kDay, 400 * kDay}) {
    const std::string of_step = std::to_string(step);
    const int retry = 100 + next_id_++;
    const int poll = 100 + next_id_++;
    for (const int id : {retry, poll}) {
      add_job(id, JobKind::campaign, {});
      as_daemon("UPDATE job SET state = 'ready' WHERE id = " + std::to_string(id));
    }
    const auto jump = [&](Millis by) { now_.wall_ms += by; };
    const Granted post = grant(poll);
    const Granted refused_post = grant(retry);
    jump(step);
    pass(40);
    finish(refused(refused_post));
    finish(accepted(post, "dsp-" + std::to_string(poll)));
    jump(-2 * step);
    pass(300);
    EXPECT_EQ(timed(retry).due_in_ms, 1'700) << of_step;
    EXPECT_EQ(timed(poll).due_in_ms, 200) << of_step;
    EXPECT_EQ(timed(poll).posted_ago_ms, 340) << of_step;
    const Granted look = grant(poll, Purpose::status);
    jump(3 * step);
    pass(60);
    finish(undecided(look, 1'000));
    jump(-step);
    pass(700);
    EXPECT_EQ(timed(poll).posted_ago_ms, 1'100) << of_step;
    EXPECT_EQ(timed(poll).looked_age_ms, 340) << of_step;
    EXPECT_EQ(timed(poll).due_in_ms, 300) << of_step;
    EXPECT_EQ(timed(retry).due_in_ms, 940) << of_step;
    start();  // the next owner in the same boot knows it as well
    EXPECT_EQ(timed(poll).looked_age_ms, 340) << of_step;
    EXPECT_EQ(timed(retry).due_in_ms, 940) << of_step;
  }
}

// Of another boot only the wall clock tells anything.
TEST_F(StoreLoad, NeverWaitsLongerThanPlannedWhenTheWallClockStepsOverAReboot) {
  refuse(kCampaign);
  confirm(kOther, "dsp-5");
  boot("boot-b", 500);
  for (const Millis step : {-kDay / 24, -kDay, -400 * kDay}) {
    now_.wall_ms = kWallStart + step;
    EXPECT_EQ(timed(kCampaign).due_in_ms, 2'000) << step;
    EXPECT_EQ(timed(kOther).due_in_ms, 500) << step;
    EXPECT_EQ(timed(kOther).posted_ago_ms, 0) << step;
  }
  now_.wall_ms = kWallStart + 3'600'000;
  EXPECT_EQ(timed(kCampaign).due_in_ms, 0);
  EXPECT_EQ(timed(kOther).posted_ago_ms, 3'600'040);
}

TEST_F(StoreLoad, TellsTheAgeOfACreationAndOfItsLastLook) {
  const Granted post = grant(kCampaign);
  pass(40);
  finish(accepted(post, "dsp-1"));
  TimedJob poll = timed(kCampaign);
  EXPECT_EQ(poll.state, JobState::confirming);
  EXPECT_EQ(poll.posted_ago_ms, 40);
  EXPECT_EQ(poll.looked_age_ms, 0) << "never looked";
  pass(3'000);
  Outcome look = undecided(grant(kCampaign, Purpose::status), 4'000);
  look.overdue = true;
  finish(look);
  pass(1'000);
  poll = timed(kCampaign);
  EXPECT_EQ(poll.posted_ago_ms, 4'040);
  EXPECT_EQ(poll.looked_age_ms, 3'040);
  EXPECT_EQ(poll.due_in_ms, 3'000);
  EXPECT_TRUE(poll.overdue);
  finish(undecided(grant(kCampaign, Purpose::status), 0));
  EXPECT_EQ(timed(kCampaign).looked_age_ms, 4'040) << "the last look, not the first";
}

TEST_F(StoreLoad, ForgetsTheLooksAtADeadCreation) {
  confirm(kCampaign, "dead");
  pass(1'000);
  finish(undecided(grant(kCampaign, Purpose::status), 0));
  Outcome failed = outcome_of(grant(kCampaign, Purpose::status), JobEvent::creation_failed);
  failed.spends_attempt = true;
  failed.due_in_ms = 0;
  finish(failed);
  pass(1'000);
  make_due(kCampaign);
  confirm(kCampaign, "alive");
  EXPECT_EQ(timed(kCampaign).looked_age_ms, 0);
}

class SettleTime : public StoreLoad {
 protected:
  SettleTime() {
    policy_.unknown_outcome = UnknownOutcome::lookup;
    start();
  }
};

TEST_F(SettleTime, OfALookupIsByTheBootClock) {
  lose(kCampaign, 1'000);  // due by the wall clock long before it has settled
  pass(60'000);
  now_.wall_ms += 86'400'000;
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms - 60'000);
  pass(policy_.settle_ms - 60'000);
  EXPECT_EQ(timed(kCampaign).due_in_ms, 0);
}

TEST_F(SettleTime, BeginsAnewInANewBoot) {
  lose(kCampaign, 1'000);
  pass(policy_.settle_ms);
  boot("boot-b", 500);
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms);
  pass(60'000);
  start();
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms - 60'000)
      << "of the boot, not of the process";
}

TEST_F(SettleTime, OfAReclaimedPostRunsFromItsEndInTheBootThatEndedIt) {
  grant(kCampaign);
  boot("boot-b", 70'000'000'000);  // sent in one boot, ended in the next
  EXPECT_EQ(value("SELECT finished_boot_key FROM request"), "boot-b");
  pass(60'000);
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms - 60'000);
  boot("boot-c", 900);
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms);
  now_.wall_ms += policy_.settle_ms;
  boot("boot-a", kBootStart + policy_.settle_ms);  // as from another time name space
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms)
      << "its end is no time of this boot, which was not here since";
}

TEST_F(SettleTime, RunsFromTheLastOfSeveralPosts) {
  policy_.unknown_outcome = UnknownOutcome::resubmit;
  start();
  lose(kCampaign, 0);
  pass(policy_.settle_ms);
  Outcome again = unsure(grant(kCampaign, Purpose::resubmit));
  again.hold.reset();
  again.due_in_ms = 5;
  finish(again);
  EXPECT_EQ(timed(kCampaign).due_in_ms, 5) << "a resubmission need not settle";
  policy_.unknown_outcome = UnknownOutcome::lookup;
  start();
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms);
}

TEST_F(SettleTime, OfAJobDeclaredAbsentHoldsWhateverThePolicy) {
  for (const UnknownOutcome what :
       {UnknownOutcome::hold, UnknownOutcome::resubmit, UnknownOutcome::lookup}) {
    policy_.unknown_outcome = what;
    start();
    const int id = what == UnknownOutcome::hold       ? kCampaign
                   : what == UnknownOutcome::resubmit ? kOther
                                                      : 20;
    if (id == 20) {
      add_job(20, JobKind::campaign, {});
      as_daemon("UPDATE job SET state = 'ready' WHERE id = 20");
    }
    doubt(id);
    pass(60'000);
    now_.wall_ms += 7 * 86'400'000;  // by the wall clock it has settled long ago
    act("absent", id);
    EXPECT_EQ(timed(id).state, JobState::waiting);
    EXPECT_EQ(timed(id).due_in_ms, policy_.settle_ms - 60'000);
    EXPECT_EQ(refusal(id), "it is not ready any more");
    pass(policy_.settle_ms - 60'000 - 1);
    const std::vector<std::string> before = everything();
    EXPECT_TRUE(make_due(id).empty()) << "whoever asks too early gets nothing";
    EXPECT_EQ(before, everything());
    pass(1);
    EXPECT_EQ(timed(id).due_in_ms, 0);
    if (what == UnknownOutcome::lookup) continue;  // looked up first: below
    EXPECT_EQ(make_due(id).size(), 1U);
    EXPECT_EQ(value("SELECT resolution FROM request WHERE job_id = " + std::to_string(id)),
              "absent");
    grant(id);
  }
}

// The operator may have looked too early, or in the wrong place; and the DSP's index may be behind
// when it is asked once. His word and a single false 404 made a duplicate, so it takes as many
// looks as without him.
TEST_F(SettleTime, OfAJobDeclaredAbsentEndsWithTheDspsOwnWordWhereItCanBeAsked) {
  policy_.unknown_outcome = UnknownOutcome::lookup;
  start();
  for (const int id : {kCampaign, kOther}) {
    doubt(id);
    act("absent", id);
  }
  pass(policy_.settle_ms);
  for (const int id : {kCampaign, kOther}) {
    EXPECT_TRUE(make_due(id).empty());
    EXPECT_EQ(job(id, "state, looks, hold"), "in_doubt|0|NULL");
    EXPECT_EQ(timed(id).due_in_ms, 0);
    EXPECT_EQ(value("SELECT rule_id FROM job_history ORDER BY id DESC LIMIT 1"), "41");
  }
  Outcome gone = outcome_of(grant(kCampaign, Purpose::lookup), JobEvent::absent);
  gone.resolution = "absent";
  finish(gone);
  EXPECT_EQ(job(kCampaign, "state, attempt"), "ready|1");
  Outcome there = outcome_of(grant(kOther, Purpose::lookup), JobEvent::found);
  there.dsp_id = "dsp-5";
  there.resolution = "found";
  finish(there);
  EXPECT_EQ(job(kOther, "state, dsp_id"), "confirming|dsp-5");
  expect_consistent();
}

TEST_F(SettleTime, OfAJobDeclaredAbsentNeedsNoLookThatCouldFindNothing) {
  policy_.unknown_outcome = UnknownOutcome::hold;
  start();
  doubt(kCampaign);  // sent without the key in its body
  policy_.unknown_outcome = UnknownOutcome::lookup;
  start();
  act("absent", kCampaign);
  pass(policy_.settle_ms);
  EXPECT_EQ(make_due(kCampaign).size(), 1U) << "the operator's word is all there is";
  EXPECT_EQ(state_of(kCampaign), "ready");
}

TEST_F(SettleTime, OfAJobDeclaredAbsentBeginsAnewInANewBoot) {
  lose(kCampaign, 1'000);
  pass(policy_.settle_ms - 1);
  act("absent", kCampaign);
  pass(1);
  boot("boot-b", 500);
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms);
}

}  // namespace
}  // namespace dl
