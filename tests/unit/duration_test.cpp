#include "storage/model/duration.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

TEST(Duration, ReadsANumberAndAUnit) {
  const struct {
    std::string_view text;
    Millis span;
  } table[] = {
      {"500ms", 500},  {"1ms", 1},          {"180s", 180'000},           {"2min", 120'000},
      {"2m", 120'000}, {"24h", 86'400'000}, {"1d", 86'400'000},          {"0", 0},
      {"0s", 0},       {"007s", 7'000},     {"3660d", kLongestDuration},
  };
  for (const auto& row : table) {
    const Result<Millis> span = parse_duration(row.text);
    ASSERT_TRUE(span) << row.text;
    EXPECT_EQ(*span, row.span) << row.text;
  }
}

TEST(Duration, RefusesWhatLeavesAnythingToGuess) {
  for (const std::string_view text :
       {"", " ", "5", "s", "-5s", "+5s", "5 s", " 5s", "5s ", "1.5s", "5S", "5sec", "1h30m", "0x5s",
        "5µs", "99999999999999999999s", "99999999999999999999", "3661d", "9223372036854775807ms"}) {
    const Result<Millis> span = parse_duration(text);
    ASSERT_FALSE(span) << text;
    EXPECT_EQ(span.error().code, Errc::usage);
    EXPECT_NE(span.error().message.find(text), std::string::npos) << span.error().message;
  }
}

TEST(Duration, SaysHowToMendABareNumber) {
  EXPECT_EQ(parse_duration("180").error().message, "\"180\" has no unit; write 180s for seconds");
}

TEST(Duration, IsWrittenInTheLargestUnitThatDividesIt) {
  EXPECT_EQ(format_duration(86'400'000), "24h");
  EXPECT_EQ(format_duration(63'072'000'000), "730d");
  EXPECT_EQ(format_duration(180'000), "180s");
  EXPECT_EQ(format_duration(1'500), "1500ms");
  EXPECT_EQ(format_duration(0), "0s");
}

TEST(Duration, SurvivesBeingWrittenAndRead) {
  for (const Millis span :
       {Millis{0}, Millis{1}, Millis{999}, Millis{1'000}, Millis{61'001}, kLongestDuration}) {
    EXPECT_EQ(*parse_duration(format_duration(span)), span);
  }
}

}  // namespace
}  // namespace dl
