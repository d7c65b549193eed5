#include "storage/model/rate_spec.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

TEST(RateSpec, ReadsOneTier) {
  EXPECT_EQ(*parse_rate_spec("40/60s"), (std::vector<Tier>{{40, 60'000}}));
  EXPECT_EQ(*parse_rate_spec("1000000/1ms"), (std::vector<Tier>{{1'000'000, 1}}));
}

TEST(RateSpec, KeepsSeveralTiersInTheirOrder) {
  EXPECT_EQ(*parse_rate_spec("40/60s,10/1s"), (std::vector<Tier>{{40, 60'000}, {10, 1'000}}));
}

TEST(RateSpec, IsEmptyForNone) { EXPECT_TRUE(parse_rate_spec("none")->empty()); }

TEST(RateSpec, HoldsASlotForTheWindowAThousandthAndFiftyMilliseconds) {
  EXPECT_EQ(held_for({40, 60'000}), 60'110);
  EXPECT_EQ(held_for({1, 1}), 51);
  EXPECT_EQ(longest_hold({{10, 1'000}, {40, 60'000}, {20, 2'000}}), 60'110);
  EXPECT_EQ(longest_hold({}), 0);
}

TEST(RateSpec, TakesTheLowestRateForTheSlowestAndOfEqualsTheFirst) {
  const std::vector<Tier> tiers = {{10, 1'000}, {40, 60'000}, {2, 3'000}, {10, 2'000}};
  EXPECT_EQ(*slowest_of(tiers), (Tier{40, 60'000}));
  const std::vector<Tier> equals = {{10, 1'000}, {2, 3'000}, {40, 60'000}};
  EXPECT_EQ(*slowest_of(equals), (Tier{2, 3'000}));
  const std::vector<Tier> none;
  EXPECT_TRUE(slowest_of(none) == none.end());
}

TEST(RateSpec, RefusesEverythingElse) {
  for (const std::string_view text : {"",
                                      "40",
                                      "40/",
                                      "/60s",
                                      "0/60s",
                                      "-1/60s",
                                      "40/0s",
                                      "40/60",
                                      "40 /60s",
                                      "40/60s,",
                                      ",40/60s",
                                      "40/60s,,10/1s",
                                      "40/60s,none",
                                      "NONE",
                                      "1000001/1s",
                                      "99999999999/1s",
                                      "40/32d",
                                      "40/60s/2",
                                      "4x/60s",
                                      "40/60s,20/1m"}) {
    const Result<std::vector<Tier>> tiers = parse_rate_spec(text);
    ASSERT_FALSE(tiers) << text;
    EXPECT_EQ(tiers.error().code, Errc::usage);
  }
}

TEST(RateSpec, NamesTheWindowThatHasTwoCounts) {
  EXPECT_EQ(parse_rate_spec("40/60s,20/1m").error().message,
            "\"40/60s,20/1m\" gives two counts for one window of 60s");
}

TEST(RateSpec, SurvivesBeingWrittenAndRead) {
  for (const std::string_view text : {"none", "40/60s", "40/60s,10/1s", "5/500ms"}) {
    EXPECT_EQ(format_rate_spec(*parse_rate_spec(text)), text);
  }
}

}  // namespace
}  // namespace dl
