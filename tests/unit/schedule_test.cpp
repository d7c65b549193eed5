#include "daemon/core/schedule.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

constexpr JobKind kKindsOfJob[] = {JobKind::campaign, JobKind::ad_group, JobKind::ad};

TEST(Schedule, LooksLaterAndLaterUnderALimit) {
  const Schedule schedule(Pace::limited);
  for (const JobKind kind : kKindsOfJob) {
    Millis age = schedule.next_look_age(kind, kNeverLooked);
    EXPECT_GE(age, 1'000) << "an early look costs a POST";
    EXPECT_LE(age, 10'000);
    Millis step = 0;
    for (int look = 0; look < 50; ++look) {
      const Millis next = schedule.next_look_age(kind, age);
      EXPECT_GE(next - age, 1'000);
      EXPECT_GE(next - age, step) << "steps do not shrink";
      EXPECT_LE(next - age, 300'000);
      step = next - age;
      age = next;
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

}  // namespace
}  // namespace dl
