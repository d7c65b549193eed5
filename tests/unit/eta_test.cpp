#include "daemon/core/eta.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

std::int64_t& count(Totals& totals, JobKind kind, JobState state) {
  return totals[static_cast<std::size_t>(kind)][static_cast<std::size_t>(state)];
}

constexpr Tier kFortyAMinute{40, 60'000};

TEST(Tally, SortsEveryStateIntoWhatItMeansForTheEnd) {
  Totals totals{};
  for (auto& of_kind : totals) of_kind.fill(1);
  const Tally tally = tally_of(totals);
  EXPECT_EQ(tally.total, 3 * 8) << "cancelled ones do not count";
  EXPECT_EQ(tally.succeeded, 3);
  EXPECT_EQ(tally.failed, 3);
  EXPECT_EQ(tally.confirming, 3);
  EXPECT_EQ(tally.in_doubt, 3);
  EXPECT_EQ(tally.to_post, 3 * 5) << "blocked, ready, waiting, submitting, in doubt";
  EXPECT_EQ(tally.levels, 3);
}

TEST(Tally, CountsOnlyTheLevelsThatStillHaveWork) {
  Totals totals{};
  count(totals, JobKind::campaign, JobState::succeeded) = 6;
  count(totals, JobKind::ad_group, JobState::failed) = 1;
  count(totals, JobKind::ad, JobState::blocked) = 9;
  EXPECT_EQ(tally_of(totals).levels, 1);
}

TEST(Eta, IsThePermitsLeftAtTheRate) {
  Tally tally;
  tally.total = tally.to_post = 1'000;
  tally.levels = 3;
  const Millis eta = *eta_ms(tally, kFortyAMinute, 0);
  EXPECT_NEAR(static_cast<double>(eta), 2'050 * 1'500.0, 2.0);
  EXPECT_EQ(*eta_ms(tally, kFortyAMinute, 10), eta - 15'000) << "ten may leave at once";
}

TEST(Eta, NeedsOnlyThePollForWhatIsPosted) {
  Tally tally;
  tally.total = tally.confirming = 1'000;
  tally.levels = 1;
  EXPECT_NEAR(static_cast<double>(*eta_ms(tally, kFortyAMinute, 0)), 1'050 * 1'500.0, 2.0);
}

TEST(Eta, IsNotBelowTheLongestChainsProcessing) {
  Tally tally;
  tally.total = tally.to_post = 3;
  tally.levels = 3;
  EXPECT_EQ(eta_ms(tally, kFortyAMinute, 10), 12'000);
}

TEST(Eta, SaysNothingWhereThereIsNothingToSay) {
  Tally tally;
  tally.total = tally.succeeded = 5;
  EXPECT_EQ(eta_ms(tally, kFortyAMinute, 0), std::nullopt) << "nothing left";
  tally.to_post = 5;
  EXPECT_EQ(eta_ms(tally, std::nullopt, 0), std::nullopt) << "no limit to reckon by";
}

TEST(SpanText, IsReadByPeople) {
  EXPECT_EQ(span_text(0), "0 s");
  EXPECT_EQ(span_text(1), "1 s");
  EXPECT_EQ(span_text(59'000), "59 s");
  EXPECT_EQ(span_text(59'001), "1 min 0 s");
  EXPECT_EQ(span_text(72'000), "1 min 12 s");
  EXPECT_EQ(span_text(3'600'000), "1 h 0 min");
  EXPECT_EQ(span_text(100LL * 3'600'000 + 61'000), "100 h 1 min");
}

TEST(ProgressText, SaysWhatIsThereAndNothingElse) {
  Tally tally;
  tally.total = 23;
  tally.succeeded = 13;
  tally.confirming = 4;
  tally.failed = 1;
  tally.to_post = 5;
  EXPECT_EQ(progress_text(tally, 72'000, ""),
            "13/23 done, 4 confirming, 5 to send, 1 failed, ETA 1 min 12 s");
  tally.in_doubt = 2;
  EXPECT_EQ(progress_text(tally, std::nullopt, ""),
            "13/23 done, 4 confirming, 3 to send, 2 in doubt, 1 failed");
}

TEST(ProgressText, GivesNoEtaWhileStalled) {
  Tally tally;
  tally.total = tally.to_post = 2;
  EXPECT_EQ(progress_text(tally, 9'000, "paused by maria"),
            "0/2 done, 2 to send, stalled: paused by maria");
}

TEST(ProgressText, IsShortWhenAllIsDone) {
  Tally tally;
  tally.total = tally.succeeded = 23;
  EXPECT_EQ(progress_text(tally, std::nullopt, ""), "23/23 done");
}

}  // namespace
}  // namespace dl
