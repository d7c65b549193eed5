// What the dispatcher says of the time left, in each of its honest states.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

using State = Outlook::State;

LoadedWork work_of(std::vector<JobRef> ready, JobState state) {
  LoadedWork work = ready_work(std::move(ready));
  work.totals[0][static_cast<std::size_t>(state)] = static_cast<std::int64_t>(work.ready.size());
  return work;
}

Outlook outlook_of(const Brain& brain) { return brain.dispatcher().standing(brain.now()).outlook; }

std::vector<JobRef> jobs(int n) {
  std::vector<JobRef> all;
  for (int i = 1; i <= n; ++i) all.push_back(a_job(i));
  return all;
}

TEST(DispatcherOutlook, ClearsWhenThePermitsAreThere) {
  Brain brain(brain_policy());
  brain.load(work_of(jobs(400), JobState::ready));
  const Outlook outlook = outlook_of(brain);
  EXPECT_EQ(outlook.state, State::clears);
  ASSERT_TRUE(outlook.left_ms);
  EXPECT_NEAR(static_cast<double>(*outlook.left_ms), 800 * 1'500.0, 40'000);
}

TEST(DispatcherOutlook, ClearsLaterWhereTheDspAskedToWait) {
  Brain brain(brain_policy());
  brain.load(work_of(jobs(40), JobState::ready));
  const Millis before = *outlook_of(brain).left_ms;
  brain.connect();
  brain.commit_all();
  DspReply reply = answer(429);
  reply.retry_after = "600";
  brain.reply(JobId{1}, reply);
  brain.feed(input::TablesChanged{});
  brain.load(work_of(jobs(40), JobState::ready));
  const Outlook outlook = outlook_of(brain);
  EXPECT_EQ(outlook.state, State::clears);
  EXPECT_GT(*outlook.left_ms, before + 500'000);
  EXPECT_NE(outlook.reason.find("asked to wait 10 min"), std::string::npos) << outlook.reason;
}

// Of a wait of our own after a reboot it was said, too, that the DSP asked for it.
TEST(DispatcherOutlook, SaysWhenTheWaitIsOurOwn) {
  Recovery recovery;
  recovery.sends_from_boot_ms = 1'000'000 + 120'000;
  Brain brain(brain_policy(), recovery);
  brain.load(work_of(jobs(4), JobState::ready));
  EXPECT_EQ(outlook_of(brain).reason,
            "for 2 min 0 s the DSP may still count what was sent before this start");
}

TEST(DispatcherOutlook, IsStalledWhereAPersonMustDecide) {
  Brain brain(brain_policy());
  LoadedWork work;
  work.totals[2][static_cast<std::size_t>(JobState::in_doubt)] = 3;
  brain.load(work);
  EXPECT_EQ(outlook_of(brain).state, State::stalled);
  EXPECT_EQ(outlook_of(brain).reason, "3 in doubt wait for a decision (v_in_doubt)");
}

TEST(DispatcherOutlook, IsStalledBehindJobsThatFailed) {
  Brain brain(brain_policy());
  LoadedWork work;
  work.totals[0][static_cast<std::size_t>(JobState::failed)] = 1;
  work.totals[2][static_cast<std::size_t>(JobState::blocked)] = 8;
  brain.load(work);
  EXPECT_EQ(outlook_of(brain).state, State::stalled);
  EXPECT_EQ(outlook_of(brain).reason, "the rest waits for jobs that failed (v_blocked)");
}

TEST(DispatcherOutlook, IsGrowingWhereMoreComesThanGoes) {
  Brain brain(brain_policy());
  for (int minute = 0; minute < 40; ++minute) {
    if (minute > 0) brain.feed(input::TablesChanged{});
    brain.load(work_of(jobs(100 + 10 * minute), JobState::ready));
    brain.advance(3'000);
  }
  EXPECT_EQ(outlook_of(brain).state, State::growing);
  EXPECT_TRUE(outlook_of(brain).left_ms);
}

TEST(DispatcherOutlook, IsDoneWhereNothingIsLeft) {
  Brain brain(brain_policy());
  brain.load(LoadedWork{});
  EXPECT_EQ(outlook_of(brain).state, State::done);
}

}  // namespace
}  // namespace dl
