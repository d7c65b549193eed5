// One entity that the DSP refuses for ever, while it answers everything else, may not keep the
// account shut.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/unit/brain.h"

namespace dl {
namespace {

using Level = command::Say::Level;

constexpr Millis kHour = 3'600'000;

// A DSP that is done at once, but for job 1: requests of one purpose for it are answered `status`
// for ever.
class OneEntity {
 public:
  OneEntity(const DispatcherPolicy& policy, Purpose purpose, int status)
      : brain(policy), purpose_(purpose), status_(status) {
    std::vector<JobRef> jobs;
    for (int i = 1; i <= kJobs; ++i) jobs.push_back(a_job(i));
    brain.load(ready_work(jobs));
  }

  // Or until it ends by itself.
  void run_for(Millis span) {
    const std::int64_t end = brain.now().boot_ms + span;
    while (!brain.ending() && brain.now().boot_ms < end && !::testing::Test::HasFatalFailure()) {
      commit_all();
      brain.connect();
      commit_all();
      for (const JobId job : brain.on_the_wire()) answer_for(job);
      if (brain.batches() > 0 || brain.connects_asked() > 0 || !brain.on_the_wire().empty())
        continue;
      if (brain.ending() || !brain.wake_at()) return;
      brain.advance(std::max<Millis>(1, *brain.wake_at() - brain.now().boot_ms));
      brain.feed(input::Woke{});
    }
  }

  static constexpr int kJobs = 60;
  Brain brain;
  std::optional<std::string> retry_after;  // of the refusals
  std::set<JobId> confirmed;
  int refused = 0;
  int least_cap = 40;
  std::size_t pauses_of_others = 0;  // for credentials, until the others were done

 private:
  void commit_all() {
    for (; brain.batches() > 0; brain.commit()) {
      if (brain.batch().account)
        least_cap = std::min(least_cap, brain.batch().account->cap.value_or(least_cap));
    }
  }

  void answer_for(JobId job) {
    brain.advance(20);
    const Purpose purpose = brain.purpose_of(job);
    if (job == JobId{1} && purpose == purpose_) {
      ++refused;
      DspReply reply = answer(status_);
      reply.retry_after = retry_after;
      return brain.reply(job, std::move(reply), true);
    }
    if (is_post(purpose))
      return brain.reply(job, answer(201, {"dsp-" + std::to_string(job.value)}), true);
    confirmed.insert(job);
    pauses_of_others = brain.said(Level::error).size();
    brain.reply(job, status_answer("success"), true);
  }

  Purpose purpose_;
  int status_;
};

TEST(DispatcherOneEntity, WhoseLooksAreRefusedKeepsTheAccountShutForNobody) {
  for (const int status : {503, 429, 401, 403}) {
    OneEntity world(brain_policy(), Purpose::status, status);
    world.run_for(kHour / 4);
    EXPECT_EQ(std::ssize(world.confirmed), OneEntity::kJobs - 1) << status;
    const int before = world.refused;
    EXPECT_LE(before, 10) << status;
    world.run_for(4 * kHour);
    EXPECT_GE(world.refused, before + 4) << status << ": but it is not forgotten";
  }
}

// The first refusal may be about the account. (Seen: ten requests an hour, for ever.)
TEST(DispatcherOneEntity, ThatAsksToWaitForAnHourIsWaitedForAlone) {
  for (const int status : {503, 429}) {
    OneEntity world(brain_policy(), Purpose::status, status);
    world.retry_after = "3600";
    world.run_for(kHour + kHour / 4);
    EXPECT_EQ(std::ssize(world.confirmed), OneEntity::kJobs - 1) << status;
    const int before = world.refused;
    world.run_for(4 * kHour);
    EXPECT_LE(world.refused, before + 5) << status << ": its own wish is heeded";
    EXPECT_GE(world.refused, before + 2) << status;
  }
}

TEST(DispatcherOneEntity, PausesTheAccountForCredentialsOnlyWhereNoneHasPassedSince) {
  OneEntity world(brain_policy(), Purpose::status, 403);
  world.run_for(kHour / 4);
  EXPECT_LE(world.pauses_of_others, 2U) << "to be safe, and short: another one is asked at once";
  EXPECT_GE(world.refused, 2);
}

TEST(DispatcherOneEntity, TeachesTheLimiterOnce) {
  OneEntity world(brain_policy(), Purpose::status, 503);
  world.run_for(4 * kHour);
  EXPECT_GT(world.refused, 60);
  EXPECT_GE(world.least_cap, 20) << "also once nothing else is left";
}

TEST(DispatcherOneEntity, EndsADrainOnlyOnceAllElseIsDone) {
  OneEntity world(brain_policy(Lifetime::drain), Purpose::status, 403);
  world.run_for(24 * kHour);
  EXPECT_EQ(std::ssize(world.confirmed), OneEntity::kJobs - 1);
  EXPECT_EQ(world.brain.ending(), Ending::unauthorized);
}

TEST(DispatcherOneEntity, WhoseCreationIsForbiddenEndsADrainOnlyOnceAllElseIsDone) {
  OneEntity world(brain_policy(Lifetime::drain), Purpose::create, 403);
  world.run_for(24 * kHour);
  EXPECT_EQ(std::ssize(world.confirmed), OneEntity::kJobs - 1);
  EXPECT_EQ(world.brain.ending(), Ending::unauthorized);
}

// Alone it is asked first, each time anew: another one is asked before the drain gives up.
TEST(DispatcherOneEntity, ThatGoesFirstDoesNotEndADrain) {
  DispatcherPolicy policy = brain_policy(Lifetime::drain);
  policy.in_flight_max = 1;
  OneEntity world(policy, Purpose::create, 403);
  world.run_for(24 * kHour);
  EXPECT_EQ(std::ssize(world.confirmed), OneEntity::kJobs - 1);
}

TEST(DispatcherOneEntity, IsNoExcuseToKnockForLongWithAWrongToken) {
  DispatcherPolicy policy = brain_policy(Lifetime::drain);
  policy.in_flight_max = 1;
  Brain brain(policy);
  brain.load(ready_work({a_job(1), a_job(2), a_job(3), a_job(4)}));
  int knocks = 0;
  while (!brain.ending() && knocks < 10) {
    brain.connect();
    brain.commit_all();
    for (const JobId job : brain.on_the_wire()) ++knocks, brain.reply(job, answer(401));
    brain.commit_all();
    if (!brain.ending() && brain.connects_asked() == 0) brain.wake();
  }
  EXPECT_EQ(brain.ending(), Ending::unauthorized);
  EXPECT_EQ(knocks, 2);
}

TEST(DispatcherCredentials, AreProbedOnceAWindowWhereThatIsLonger) {
  DispatcherPolicy policy = brain_policy();
  policy.limiter.tiers = {{10, kHour}};
  policy.decision.window_ms = kHour;
  Brain brain(policy);
  brain.start_with({a_job(1)});
  brain.reply(JobId{1}, answer(401));
  brain.commit_all();
  brain.advance(kHour - 1'000);
  brain.feed(input::Woke{});
  brain.connect();
  EXPECT_TRUE(brain.permits_asked().empty()) << "a wrong token does not use the limit up";
  brain.advance(2'000);
  brain.feed(input::Woke{});
  brain.connect();
  EXPECT_EQ(brain.permits_asked().size(), 1U);
}

}  // namespace
}  // namespace dl
