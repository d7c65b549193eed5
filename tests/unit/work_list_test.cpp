#include "daemon/core/work_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace dl {
namespace {

struct JobSpec {
  std::int64_t id = 0;
  std::int64_t root = 1;
  int level = 0;
  bool has_children = false;
  std::int64_t priority = 0;
};

JobRef job(const JobSpec& spec) {
  JobRef ref;
  ref.id = JobId{spec.id};
  ref.root_id = spec.root;
  ref.level = spec.level;
  ref.has_children = spec.has_children;
  ref.priority = spec.priority;
  return ref;
}

TimedJob timed(const JobRef& ref, JobState state, Millis due_in_ms) {
  TimedJob t;
  t.job = ref;
  t.state = state;
  t.due_in_ms = due_in_ms;
  return t;
}

const Schedule kFree(Pace::unlimited);  // polls are timers

constexpr auto kNobody = [](JobId) { return false; };

// Takes everything, best first.
std::vector<std::int64_t> drained(WorkList& work) {
  std::vector<std::int64_t> ids;
  while (const auto best = work.best(0)) {
    ids.push_back(best->job.id.value);
    work.take(*best, 0);
  }
  return ids;
}

Candidate poll(const JobRef& ref) { return Candidate{.job = ref, .purpose = Purpose::status}; }

TEST(WorkList, ServesPriorityThenTheOldestCampaign) {
  WorkList work(UnknownOutcome::hold, kFree);
  work.add_ready(job({.id = 30, .root = 3}));
  work.add_ready(job({.id = 10, .root = 1}));
  work.add_ready(job({.id = 40, .root = 4, .priority = -5}));
  work.add_ready(job({.id = 50, .root = 0, .priority = 5}));
  work.add_ready(job({.id = 20, .root = 2}));
  EXPECT_EQ(drained(work), (std::vector<std::int64_t>{40, 10, 20, 30, 50}));
}

TEST(WorkList, ServesParentsPollsThenPostsByLevelThenLeafPolls) {
  WorkList work(UnknownOutcome::hold, kFree);
  work.put_back(poll(job({.id = 9, .level = 2})));
  work.add_ready(job({.id = 4, .level = 2}));
  work.add_ready(job({.id = 3, .level = 2}));
  work.add_ready(job({.id = 7, .level = 1, .has_children = true}));
  work.put_back(poll(job({.id = 8, .level = 1, .has_children = true})));
  work.put_back(Candidate{.job = job({.id = 5, .level = 0}), .purpose = Purpose::lookup});
  EXPECT_EQ(drained(work), (std::vector<std::int64_t>{5, 8, 7, 3, 4, 9}));
}

TEST(WorkList, FinishesAnOldCampaignsLeavesBeforeItStartsANewOne) {
  WorkList work(UnknownOutcome::hold, kFree);
  work.add_ready(job({.id = 20, .root = 2}));
  work.put_back(poll(job({.id = 9, .root = 1, .level = 2})));
  EXPECT_EQ(drained(work), (std::vector<std::int64_t>{9, 20}));
}

TEST(WorkList, KeepsAJobOnce) {
  WorkList work(UnknownOutcome::hold, kFree);
  for (int i = 0; i < 3; ++i) work.add_ready(job({.id = 1}));
  EXPECT_EQ(work.candidates(), 1);
  work.take(*work.best(0), 0);
  EXPECT_FALSE(work.has_candidates());
  EXPECT_FALSE(work.has_work_left());
}

TEST(WorkList, FiresWhatIsDueAndNothingSooner) {
  WorkList work(UnknownOutcome::hold, kFree);
  work.add_waiting(job({.id = 1}), 1'000);
  work.add_later(poll(job({.id = 2})), 2'000);
  EXPECT_EQ(work.next_due_boot_ms(), 1'000);
  EXPECT_TRUE(work.fire(999).empty());
  const std::vector<JobRef> due = work.fire(1'000);
  ASSERT_EQ(due.size(), 1U) << "a retry goes through the tables first";
  EXPECT_EQ(due.front().id, JobId{1});
  EXPECT_FALSE(work.has_candidates());
  EXPECT_TRUE(work.fire(2'000).empty());
  EXPECT_EQ(work.best(0)->job.id, JobId{2}) << "a poll is a candidate at once";
  EXPECT_EQ(work.next_due_boot_ms(), std::nullopt);
}

TEST(WorkList, LoadsEachStateAsWhatItNeeds) {
  for (const UnknownOutcome unknown :
       {UnknownOutcome::hold, UnknownOutcome::resubmit, UnknownOutcome::lookup}) {
    WorkList work(unknown, kFree);
    LoadedWork loaded;
    loaded.ready = {job({.id = 1})};
    loaded.timed = {timed(job({.id = 2}), JobState::waiting, 100),
                    timed(job({.id = 3}), JobState::confirming, 200),
                    timed(job({.id = 4}), JobState::in_doubt, 300)};
    loaded.timed[1].posted_ago_ms = 9'000;
    work.reload(loaded, kNobody, 50'000);
    EXPECT_EQ(work.best(0)->purpose, Purpose::create);
    work.take(*work.best(0), 0);
    EXPECT_EQ(work.fire(50'100).size(), 1U);
    work.fire(50'200);
    EXPECT_EQ(work.best(0)->purpose, Purpose::status);
    EXPECT_EQ(work.best(0)->posted_boot_ms, 41'000);
    EXPECT_EQ(work.best(0)->looked_age_ms, -1) << "never looked";
    work.take(*work.best(0), 0);
    work.fire(50'300);
    EXPECT_EQ(work.best(0)->purpose,
              unknown == UnknownOutcome::lookup ? Purpose::lookup : Purpose::resubmit);
  }
}

TEST(WorkList, ForgetsWhatTheTablesDoNotListAnyMore) {
  WorkList work(UnknownOutcome::hold, kFree);
  work.add_ready(job({.id = 1}));
  work.add_waiting(job({.id = 2}), 10);
  work.reload(LoadedWork{}, kNobody, 0);
  EXPECT_FALSE(work.has_work_left());
  EXPECT_TRUE(work.fire(100).empty());
}

TEST(WorkList, LeavesOutWhatIsOnItsWayElsewhere) {
  WorkList work(UnknownOutcome::hold, kFree);
  LoadedWork loaded;
  loaded.ready = {job({.id = 1}), job({.id = 2})};
  loaded.timed = {timed(job({.id = 3}), JobState::waiting, 0),
                  timed(job({.id = 4}), JobState::waiting, 0)};
  work.reload(
      loaded, [](JobId id) { return id.value % 2 == 0; }, 0);
  EXPECT_EQ(drained(work), std::vector<std::int64_t>{1});
  EXPECT_EQ(work.fire(0).size(), 1U);
}

TEST(WorkList, WaitsForTimersButNotForOverdueOnes) {
  WorkList work(UnknownOutcome::hold, kFree);
  Candidate overdue = poll(job({.id = 1}));
  overdue.overdue = true;
  work.add_later(overdue, 1'000);
  EXPECT_FALSE(work.has_work_left());
  work.add_later(poll(job({.id = 2})), 1'000);
  EXPECT_TRUE(work.has_work_left());
  work.fire(1'000);
  EXPECT_TRUE(work.has_work_left()) << "an overdue poll that is due is sent first";
  drained(work);
  EXPECT_FALSE(work.has_work_left());
}

TEST(WorkList, AvoidsWhatItIsToldWhereItCan) {
  WorkList work(UnknownOutcome::hold, kFree);
  work.add_ready(job({.id = 1}));
  work.add_ready(job({.id = 2}));
  EXPECT_EQ(work.best_but([](JobId id) { return id.value == 1; }, 0)->job.id, JobId{2});
  EXPECT_EQ(work.best_but([](JobId) { return true; }, 0)->job.id, JobId{1});
  EXPECT_EQ(WorkList(UnknownOutcome::hold, kFree).best_but(kNobody, 0), std::nullopt);
}

LoadedWork window(std::int64_t first, std::int64_t last, bool complete) {
  LoadedWork loaded;
  for (std::int64_t id = first; id <= last; ++id)
    loaded.ready.push_back(job({.id = id, .root = id}));
  loaded.ready_complete = complete;
  return loaded;
}

// Beyond an incomplete window the table remembers: a job there must not overtake what was not
// loaded.
TEST(WorkListWindow, TakesNothingFromBeyondItsEnd) {
  WorkList work(UnknownOutcome::hold, kFree);
  work.reload(window(1, 1'000, false), kNobody, 0);
  work.add_ready(job({.id = 5'000, .root = 5'000}));
  EXPECT_EQ(work.candidates(), 1'000);
  work.add_ready(job({.id = 5'001, .root = 500, .level = 1}));
  EXPECT_EQ(work.candidates(), 1'001) << "inside it is welcome";
  work.reload(window(1, 1'000, true), kNobody, 0);
  work.add_ready(job({.id = 5'000, .root = 5'000}));
  EXPECT_EQ(work.candidates(), 1'001) << "a complete window has no end";
}

TEST(WorkListWindow, AsksForMoreWhenItRunsLowAndTheTableHasMore) {
  WorkList work(UnknownOutcome::hold, kFree);
  work.reload(window(1, 1'000, false), kNobody, 0);
  EXPECT_FALSE(work.wants_more());
  while (work.candidates() > 200) work.take(*work.best(0), 0);
  EXPECT_FALSE(work.wants_more());
  work.take(*work.best(0), 0);
  EXPECT_TRUE(work.wants_more());
  work.reload(window(1, 3, true), kNobody, 0);
  EXPECT_FALSE(work.wants_more()) << "there is no more";
}

TEST(WorkListWindow, AsksForMoreTimersToo) {
  WorkList work(UnknownOutcome::hold, kFree);
  LoadedWork loaded;
  for (int id = 1; id <= 200; ++id) {
    loaded.timed.push_back(timed(job({.id = id}), JobState::waiting, id));
  }
  loaded.timed_complete = false;
  work.reload(loaded, kNobody, 0);
  EXPECT_FALSE(work.wants_more());
  work.fire(1);
  EXPECT_TRUE(work.wants_more());
}

// Whatever comes in, memory stays flat, and what is kept is the front of the order.
TEST(WorkListWindow, KeepsTheFrontWhereMoreComesThanItHolds) {
  constexpr int kHighWater = 20'000;
  WorkList work(UnknownOutcome::hold, kFree);
  work.put_back(poll(job({.id = 99'999, .root = 99'999})));
  std::vector<std::int64_t> ids;
  for (std::int64_t id = 1; id <= kHighWater + 5'000; ++id) ids.push_back(id);
  std::mt19937_64 random(7);
  std::shuffle(ids.begin(), ids.end(), random);
  for (const std::int64_t id : ids) work.add_ready(job({.id = id, .root = id}));
  EXPECT_EQ(work.candidates(), kHighWater + 1) << "a poll is never dropped";
  for (std::int64_t id = 1; id <= kHighWater; ++id) {
    ASSERT_EQ(work.best(0)->job.id.value, id);
    work.take(*work.best(0), 0);
  }
  EXPECT_TRUE(work.wants_more()) << "the table has the rest";
}

}  // namespace
}  // namespace dl
