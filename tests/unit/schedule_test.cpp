#include "daemon/core/schedule.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

constexpr JobKind kKindsOfJob[] = {JobKind::campaign, JobKind::ad_group, JobKind::ad};

void teach(Schedule& schedule, JobKind kind, Millis takes, int times) {
  for (int i = 0; i < times; ++i) {
    schedule.saw_undone(kind, kNeverLooked, takes * 9 / 10);
    schedule.saw_done(kind, takes * 9 / 10, takes);
  }
}

TEST(Schedule, LooksLaterAndLaterUnderALimit) {
  const Schedule schedule(Pace::limited);
  for (const JobKind kind : kKindsOfJob) {
    Millis age = kNeverLooked;
    for (int look = 0; look < 50; ++look) {
      const Millis likely = schedule.likely_age(kind, age);
      const Millis ripe = schedule.ripe_age(kind, age);
      EXPECT_GT(likely, age);
      EXPECT_GE(ripe, likely);
      EXPECT_EQ(schedule.next_look_age(kind, age), likely) << "before that a look is a guess";
      age = ripe;
    }
  }
}

TEST(Schedule, LooksAtOnceAndSoonAgainWithoutALimit) {
  const Schedule schedule(Pace::unlimited);
  EXPECT_EQ(schedule.next_look_age(JobKind::ad, kNeverLooked), 0);
  EXPECT_EQ(schedule.next_look_age(JobKind::ad, 0), 5) << "at least 5 ms apart";
  EXPECT_EQ(schedule.next_look_age(JobKind::ad, 5), 10);
  EXPECT_EQ(schedule.next_look_age(JobKind::ad, 1'000), 1'500) << "age x 1.5";
  EXPECT_EQ(schedule.next_look_age(JobKind::ad, 60'000), 62'000) << "at most 2 s apart";
}

TEST(Schedule, BelievesWhatItSawWhenItIsTimeTo) {
  Schedule schedule(Pace::limited);
  const Millis before = schedule.ripe_age(JobKind::ad, kNeverLooked);
  teach(schedule, JobKind::ad, 2'000, 100);
  EXPECT_EQ(schedule.ripe_age(JobKind::ad, kNeverLooked), before)
      << "one answer for the whole of an input";
  schedule.believe_what_was_seen(1'000);
  const Millis after = schedule.ripe_age(JobKind::ad, kNeverLooked);
  EXPECT_LT(after, before);
  EXPECT_GE(after, 1'800);
  EXPECT_LE(after, 2'400);
  teach(schedule, JobKind::ad, 60'000, 100);
  schedule.believe_what_was_seen(1'049);
  EXPECT_EQ(schedule.ripe_age(JobKind::ad, kNeverLooked), after) << "at most every 50 ms";
  schedule.believe_what_was_seen(1'050);
  EXPECT_GT(schedule.ripe_age(JobKind::ad, kNeverLooked), after);
}

TEST(Schedule, LetsANewKindBeginAsItsParents) {
  Schedule schedule(Pace::limited);
  teach(schedule, JobKind::campaign, 60'000, 100);
  schedule.saw_done(JobKind::ad_group, kNeverLooked, 66'000);
  schedule.believe_what_was_seen(1'000);
  EXPECT_GT(schedule.ripe_age(JobKind::ad_group, kNeverLooked), 50'000);
  EXPECT_LT(schedule.ripe_age(JobKind::ad, kNeverLooked), 120'000)
      << "nothing was seen of its parents' children";
}

TEST(Schedule, ExpectsAKindThatItHasNotSeenToBeLikeItsParents) {
  Schedule schedule(Pace::limited);
  const Millis by_the_prior = schedule.likely_age(JobKind::ad, kNeverLooked);
  schedule.saw_done(JobKind::campaign, kNeverLooked, 1);
  schedule.believe_what_was_seen(1'000);
  EXPECT_LT(schedule.expected_age(JobKind::campaign), by_the_prior / 10);
  for (const JobKind kind : {JobKind::ad_group, JobKind::ad}) {
    EXPECT_EQ(schedule.expected_age(kind), schedule.expected_age(JobKind::campaign));
    EXPECT_EQ(schedule.likely_age(kind, kNeverLooked), by_the_prior)
        << "where permits are scarce it is no ground for a look";
  }
  teach(schedule, JobKind::ad_group, 60'000, 100);
  schedule.believe_what_was_seen(2'000);
  EXPECT_LT(schedule.expected_age(JobKind::campaign), by_the_prior / 10) << "of it enough was seen";
  EXPECT_GT(schedule.expected_age(JobKind::ad), 50'000) << "the nearest above it";
}

TEST(Schedule, AddsUpTheKindsItHasSeenForTheLongestChain) {
  Schedule schedule(Pace::limited);
  EXPECT_EQ(schedule.longest_chain_ms(), 0) << "kinds without data count nothing";
  teach(schedule, JobKind::campaign, 4'000, 100);
  schedule.believe_what_was_seen(1'000);
  const Millis one = schedule.longest_chain_ms();
  EXPECT_GE(one, 3'600);
  teach(schedule, JobKind::ad_group, 4'000, 100);
  schedule.believe_what_was_seen(2'000);
  EXPECT_GE(schedule.longest_chain_ms(), one + 3'600);
}

TEST(Schedule, StartsWarm) {
  Schedule schedule(Pace::limited);
  teach(schedule, JobKind::campaign, 30'000, 40);
  teach(schedule, JobKind::ad, 9'000, 40);
  schedule.believe_what_was_seen(1'000);
  EXPECT_TRUE(schedule.has_changes());
  const std::vector<ProcessingBin> learned = schedule.take_changes();
  EXPECT_FALSE(schedule.has_changes());
  const Schedule again(Pace::limited, learned);
  for (const JobKind kind : kKindsOfJob) {
    EXPECT_EQ(again.ripe_age(kind, kNeverLooked), schedule.ripe_age(kind, kNeverLooked));
    EXPECT_EQ(again.likely_age(kind, 10'000), schedule.likely_age(kind, 10'000));
  }
  EXPECT_EQ(again.longest_chain_ms(), schedule.longest_chain_ms());
}

}  // namespace
}  // namespace dl
