#include "daemon/core/retry_after.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

constexpr std::int64_t kSunday = 784'111'777;      // Sun, 06 Nov 1994 08:49:37 GMT
constexpr std::int64_t kWall = 1'790'000'000'000;  // 2026-09-21T14:13:20Z
constexpr std::string_view kNow = "Mon, 21 Sep 2026 14:13:20 GMT";

TEST(HttpDate, ReadsTheThreeFormsOfRfc9110) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", 2026), kSunday);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", 2026), kSunday);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", 2026), kSunday);
  EXPECT_EQ(parse_http_date("Sat Nov 26 08:49:37 1994", 2026), kSunday + 20 * 86'400);
}

TEST(HttpDate, KnowsLeapDaysAndLeapSeconds) {
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT", 2026), 1'709'164'800);
  EXPECT_EQ(parse_http_date("Wed, 29 Feb 2023 00:00:00 GMT", 2026), std::nullopt);
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", 2026), 1'483'228'800);
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:61 GMT", 2026), std::nullopt);
}

TEST(HttpDate, TakesTwoDigitsMoreThanFiftyYearsAheadForThePast) {
  const auto year_1976 = parse_http_date("Tuesday, 01-Jan-76 00:00:00 GMT", 2025);
  const auto year_2076 = parse_http_date("Tuesday, 01-Jan-76 00:00:00 GMT", 2026);
  EXPECT_EQ(year_1976, 189'302'400);
  EXPECT_EQ(year_2076, 3'345'062'400);
  EXPECT_EQ(parse_http_date("Friday, 01-Jan-27 00:00:00 GMT", 2026), 1'798'761'600);
  EXPECT_EQ(parse_http_date("Friday, 01-Jan-99 00:00:00 GMT", 2026), 915'148'800);
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const std::string_view text :
       {"", " ", "GMT", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun Nov 6 08:49:37 1994",
        "Sunday, 06-Nov-1994 08:49:37 GMT", ", 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
        "Sun, 06 Nov -994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text, 2026), std::nullopt) << text;
  }
}

TEST(RetryAfter, ReadsSeconds) {
  EXPECT_EQ(parse_retry_after("0", std::nullopt, kWall), 0);
  EXPECT_EQ(parse_retry_after("7", std::nullopt, kWall), 7'000);
  EXPECT_EQ(parse_retry_after(" 120 ", std::nullopt, kWall), 120'000);
  EXPECT_EQ(parse_retry_after("0000000005", std::nullopt, kWall), 5'000);
}

TEST(RetryAfter, IsClampedToAnHour) {
  EXPECT_EQ(parse_retry_after("3600", std::nullopt, kWall), 3'600'000);
  EXPECT_EQ(parse_retry_after("3601", std::nullopt, kWall), 3'600'000);
  EXPECT_EQ(parse_retry_after("99999999999999999999999", std::nullopt, kWall), 3'600'000);
  EXPECT_EQ(parse_retry_after("Mon, 21 Sep 2026 18:00:00 GMT", kNow, kWall), 3'600'000);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", kNow, kWall), 3'600'000);
}

TEST(RetryAfter, ReadsADateAgainstTheAnswersOwnDate) {
  const std::int64_t our_clock_is_wrong = kWall + 5 * 3'600'000;
  EXPECT_EQ(parse_retry_after("Mon, 21 Sep 2026 14:13:50 GMT", kNow, our_clock_is_wrong), 30'000);
  EXPECT_EQ(parse_retry_after("Monday, 21-Sep-26 14:13:50 GMT", kNow, our_clock_is_wrong), 30'000);
  EXPECT_EQ(parse_retry_after("Mon Sep 21 14:13:50 2026", kNow, our_clock_is_wrong), 30'000);
}

TEST(RetryAfter, ReadsADateAgainstOurClockWhereTheAnswerHasNone) {
  constexpr std::string_view kHalfAMinute = "Mon, 21 Sep 2026 14:13:50 GMT";
  EXPECT_EQ(parse_retry_after(kHalfAMinute, std::nullopt, kWall), 30'000);
  EXPECT_EQ(parse_retry_after(kHalfAMinute, "yesterday", kWall), 30'000);
}

TEST(RetryAfter, WaitsNotAtAllForADateInThePast) {
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", kNow, kWall), 0);
}

TEST(RetryAfter, IgnoresGarbage) {
  for (const std::string_view value :
       {"", "   ", "-1", "+1", "1.5", "1 2", "2s", "0x10", "soon", "12,13", "1e3", "١٢"}) {
    EXPECT_EQ(parse_retry_after(value, kNow, kWall), std::nullopt) << value;
  }
}

}  // namespace
}  // namespace dl
