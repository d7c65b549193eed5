// RateLimit headers: every form that was seen in the wild or in a draft, and what is no form at
// all.
#include "daemon/core/rate_limit_headers.h"

#include <gmock/gmock.h>

#include <random>

#include "daemon/core/retry_after.h"

namespace dl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kWall = 1'790'000'000'000;

DspReply pair(const std::string& remaining, const std::string& reset) {
  DspReply reply;
  reply.rate_limit_remaining = remaining;
  reply.rate_limit_reset = reset;
  return reply;
}

DspReply field(const std::string& rate_limit, const std::string& policy = "") {
  DspReply reply;
  reply.rate_limit = rate_limit;
  if (!policy.empty()) reply.rate_limit_policy = policy;
  return reply;
}

std::vector<Allowance> parsed(const DspReply& reply) { return parse_rate_limit(reply, kWall); }

TEST(RateLimitHeaders, RemainingAndReset) {
  EXPECT_THAT(parsed(pair("3", "20")), ElementsAre(Allowance{3, 20'000}));
  EXPECT_THAT(parsed(pair(" 0 ", "0.25")), ElementsAre(Allowance{0, 250}));
  EXPECT_THAT(parsed(pair("12.9", "1")), ElementsAre(Allowance{12, 1'000}))
      << "rounded to the safe side";
}

TEST(RateLimitHeaders, ResetAsATimeIsReadAgainstTheAnswersOwnDate) {
  EXPECT_THAT(parsed(pair("1", "1790000030")), ElementsAre(Allowance{1, 30'000}))
      << "no Date: our clock";
  EXPECT_THAT(parsed(pair("1", "1790000030500")), ElementsAre(Allowance{1, 30'500}))
      << "in milliseconds";
  DspReply reply = pair("1", "784111807");
  EXPECT_THAT(parsed(reply), ElementsAre(Allowance{1, kLongestWait})) << "too small for a time";
  reply = pair("1", "1445412500");
  reply.date = "Wed, 21 Oct 2015 07:28:00 GMT";  // 1445412480
  EXPECT_THAT(parsed(reply), ElementsAre(Allowance{1, 20'000}));
  EXPECT_THAT(parsed(pair("1", "1789999999")), IsEmpty()) << "it is over";
}

TEST(RateLimitHeaders, StructuredField) {
  EXPECT_THAT(parsed(field("\"default\";r=50;t=30")), ElementsAre(Allowance{50, 30'000}));
  EXPECT_THAT(parsed(field("\"day\";r=999;t=7200, \"minute\" ; r=3 ; t=20")),
              ElementsAre(Allowance{999, kLongestWait}, Allowance{3, 20'000}));
  EXPECT_THAT(parsed(field("limit=40, remaining=7, reset=11")), ElementsAre(Allowance{7, 11'000}));
  EXPECT_THAT(parsed(field("\"a,b;c\";r=1;t=2")), ElementsAre(Allowance{1, 2'000}))
      << "separators in a name";
}

TEST(RateLimitHeaders, PolicyGivesTheWindowWhereTheResetIsMissing) {
  EXPECT_THAT(parsed(field("\"minute\";r=0", "\"minute\";q=40;w=60, \"day\";q=1000;w=86400")),
              ElementsAre(Allowance{0, 60'000}));
  EXPECT_THAT(parsed(field("\"other\";r=0", "\"minute\";q=40;w=60")), IsEmpty());
}

TEST(RateLimitHeaders, BothFormsAtOnceBothHold) {
  DspReply reply = pair("9", "10");
  reply.rate_limit = "\"x\";r=4;t=5";
  EXPECT_THAT(parsed(reply), ElementsAre(Allowance{9, 10'000}, Allowance{4, 5'000}));
}

TEST(RateLimitHeaders, GarbageIsAsIfItWereNotThere) {
  for (const char* bad : {"", " ", "-1", "+3", "1e3", "0x10", "nan", "inf", "1.2.3", "3, 4",
                          "three", "99999999999999999999", "."}) {
    EXPECT_THAT(parsed(pair(bad, "20")), IsEmpty()) << bad;
    EXPECT_THAT(parsed(pair("3", bad)), IsEmpty()) << bad;
  }
  EXPECT_THAT(parsed(pair("3", "0")), IsEmpty());
  for (const char* bad : {"", ";", ",,,", "\"", "r=1;t", "r;t=1", "\"x\";r=;t=", "\"x\";r=-1;t=3",
                          "remaining=1", "\"x;r=1;t=3"}) {
    EXPECT_THAT(parsed(field(bad, bad)), IsEmpty()) << bad;
  }
  DspReply half;
  half.rate_limit_remaining = "0";
  EXPECT_THAT(parsed(half), IsEmpty()) << "until when?";
}

TEST(RateLimitHeaders, NeverMoreThanAnHourWhateverTheBytes) {
  std::mt19937_64 random(17);
  const std::string alphabet = "0123456789.;,=\"rtqw x-e";
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const auto size = random() % 24;
    for (std::size_t i = 0; i < size; ++i) text += alphabet[random() % alphabet.size()];
    DspReply reply = pair(text, text);
    reply.rate_limit = text;
    reply.rate_limit_policy = text;
    for (const Allowance& one : parsed(reply)) {
      ASSERT_GE(one.remaining, 0) << text;
      ASSERT_GT(one.for_ms, 0) << text;
      ASSERT_LE(one.for_ms, kLongestWait) << text;
    }
  }
}

}  // namespace
}  // namespace dl
