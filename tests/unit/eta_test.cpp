#include "daemon/core/eta.h"

#include <gtest/gtest.h>

#include <utility>

namespace dl {
namespace {

std::int64_t& count(Totals& totals, JobKind kind, JobState state) {
  return totals[static_cast<std::size_t>(kind)][static_cast<std::size_t>(state)];
}

Outlook clears(Millis left) { return {Outlook::State::clears, left, ""}; }
Outlook stalled(const std::string& why) { return {Outlook::State::stalled, {}, why}; }

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

TEST(Eta, NeedsAPostForWhatIsNotPostedAndPollsForWhatIsNotDone) {
  Tally tally;
  tally.to_post = 1'000;
  tally.confirming = 100;
  EXPECT_EQ(permits_left(tally, 1.02, 0), 1'000 + 1'122);
  EXPECT_EQ(permits_left(tally, 1.02, 30), 1'000 + 1'122 - 30) << "these have theirs";
  EXPECT_EQ(permits_left(Tally{}, 1.02, 3), 0);
}

TEST(Eta, IsTheLastPermitAndTheLastProcessing) {
  Tally tally;
  tally.to_post = 1'000;
  EXPECT_EQ(eta_ms(tally, {3'000'000, 5'000, 12'000}), 3'002'500);
  tally.confirming = std::exchange(tally.to_post, 0);
  EXPECT_EQ(eta_ms(tally, {1'500'000, 5'000, 12'000}), 1'500'000) << "nothing is posted any more";
}

TEST(Eta, IsNotBelowTheLongestChainsProcessing) {
  Tally tally;
  tally.to_post = 3;
  EXPECT_EQ(eta_ms(tally, {300, 4'000, 12'000}), 12'000);
}

TEST(Eta, SaysNothingWhereThereIsNothingToSay) {
  Tally tally;
  tally.succeeded = 5;
  EXPECT_EQ(eta_ms(tally, {100, 0, 0}), std::nullopt) << "nothing left";
  tally.to_post = 5;
  EXPECT_EQ(eta_ms(tally, Going{}), std::nullopt) << "no rate to reckon by";
}

TEST(Trend, GrowsWhereMoreComesThanGoes) {
  Trend trend(60'000);
  EXPECT_FALSE(trend.grows(0, 100)) << "nothing to compare with";
  for (std::int64_t now = 0; now <= 50'000; now += 1'000) trend.note(now, 100 + now / 1'000);
  EXPECT_FALSE(trend.grows(50'000, 150)) << "not yet a span";
  for (std::int64_t now = 51'000; now <= 120'000; now += 1'000) trend.note(now, 100 + now / 1'000);
  EXPECT_TRUE(trend.grows(120'000, 220));
  EXPECT_FALSE(trend.grows(120'000, 100));
}

TEST(Trend, TakesANewBatchForGrowthOnlyUntilTheSpanIsOver) {
  Trend trend(60'000);
  const auto work_at = [](std::int64_t now) { return (now < 100'000 ? 200 : 1'000) - now / 1'000; };
  std::int64_t grew_until = 0;
  for (std::int64_t now = 0; now <= 300'000; now += 1'000) {
    trend.note(now, work_at(now));
    if (trend.grows(now, work_at(now))) grew_until = now;
  }
  EXPECT_GE(grew_until, 100'000);
  EXPECT_LE(grew_until, 162'000);
}

TEST(Trend, TellsTheSpacingWhereNoLimitDoes) {
  Trend trend(60'000);
  EXPECT_EQ(trend.spacing_ms(0, 100), 0);
  for (std::int64_t now = 0; now <= 90'000; now += 1'000) trend.note(now, 10'000 - now / 100);
  EXPECT_NEAR(trend.spacing_ms(90'000, 10'000 - 900), 100, 1);
  EXPECT_EQ(trend.spacing_ms(90'000, 20'000), 0) << "nothing goes";
}

TEST(OutlookText, IsOneOfThreeHonestStates) {
  EXPECT_EQ(outlook_text(clears(72'000)), "clears in 1 min 12 s");
  EXPECT_EQ(outlook_text({Outlook::State::clears, 72'000, "the DSP asked to wait 9 s"}),
            "clears in 1 min 12 s (the DSP asked to wait 9 s)");
  EXPECT_EQ(outlook_text(stalled("paused by maria: lunch")), "stalled: paused by maria: lunch");
  EXPECT_EQ(outlook_text({Outlook::State::growing, 3'600'000, ""}),
            "growing: more comes in than goes out; what is there takes 1 h 0 min");
  EXPECT_EQ(outlook_text({}), "unknown yet");
  EXPECT_EQ(outlook_text({Outlook::State::done, {}, ""}), "done");
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
  EXPECT_EQ(progress_text(tally, clears(72'000)),
            "13/23 done, 4 confirming, 5 to send, 1 failed, ETA 1 min 12 s");
  tally.in_doubt = 2;
  EXPECT_EQ(progress_text(tally, Outlook{}),
            "13/23 done, 4 confirming, 3 to send, 2 in doubt, 1 failed");
  tally.confirming = 0;
  EXPECT_EQ(progress_text(tally, Outlook{Outlook::State::done, {}, ""}),
            "13/23 done, 3 blocked, 2 in doubt, 1 failed")
      << "what will not be sent is not to send";
}

TEST(ProgressText, GivesNoEtaWhileStalled) {
  Tally tally;
  tally.total = tally.to_post = 2;
  EXPECT_EQ(progress_text(tally, stalled("paused by maria")),
            "0/2 done, 2 to send, stalled: paused by maria");
}

TEST(ProgressText, IsShortWhenAllIsDone) {
  Tally tally;
  tally.total = tally.succeeded = 23;
  EXPECT_EQ(progress_text(tally, Outlook{}), "23/23 done");
}

}  // namespace
}  // namespace dl
