// The pure parts: fault specs and draws, processing times, the limit's log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/mock_dsp/faults.h"
#include "tests/mock_dsp/limit_log.h"
#include "tests/mock_dsp/processing.h"

namespace dl::mock {
namespace {

TEST(FaultSpec, NamesTheItemThatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"500:0.1,los_answer:0.1", "did you mean lost_answer?"},
      {"slow:0.1", "a duration is missing"},
      {"garbage:0.1:3s", "takes no duration"},
      {"slow:0.1:3", "has no unit"},
      {"500:1.1", "neither a probability"},
      {"500:-0.1", "neither a probability"},
      {"500:nan", "neither a probability"},
      {"500:@0", "from 1"},
      {"500", "a probability is missing"},
      {"99:0.1", "no fault is called"},
      {"600:0.1", "a status is 300 to 599"},
      {"get.no_id:0.1", "can only hit a POST"},
      {"refuse:@1", "a probability only"},
      {"500:0.6,503:0.6", "more than 1"},
      {"500:0.1,", "no fault is called"},
  };
  for (const auto& [spec, why] : cases) {
    const auto faults = parse_faults(spec);
    ASSERT_FALSE(faults.has_value()) << spec;
    EXPECT_EQ(faults.error().code, Errc::usage);
    EXPECT_THAT(faults.error().message, testing::HasSubstr(why));
    EXPECT_THAT(faults.error().message,
                testing::HasSubstr("\"" + spec.substr(spec.find(',') + 1) + "\""));
  }
}

TEST(FaultSpec, AddsUpWhatCanHitOneRequestOnly) {
  EXPECT_TRUE(parse_faults("post.500:0.6,get.503:0.6,fail_status:1,refuse:1,reset:@9"));
  EXPECT_TRUE(parse_faults("")->empty());
}

TEST(Faults, HitAsOftenAsAsked) {
  Faults faults(*parse_faults("500:0.1,get.503:0.3"), 5);
  int posts = 0, gets_500 = 0, gets_503 = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (faults.draw(Method::post) != nullptr) ++posts;
    const Fault* const hit = faults.draw(Method::get);
    if (hit != nullptr) ++(hit->status == 500 ? gets_500 : gets_503);
  }
  EXPECT_NEAR(posts, 2'000, 200);
  EXPECT_NEAR(gets_500, 2'000, 200);
  EXPECT_NEAR(gets_503, 6'000, 400);
}

TEST(Faults, HitTheNthRequestThatTheyCouldHit) {
  Faults faults(*parse_faults("post.reset:@2,500:0"), 1);
  EXPECT_EQ(faults.draw(Method::post), nullptr);
  EXPECT_EQ(faults.draw(Method::get), nullptr);
  const Fault* const hit = faults.draw(Method::post);
  ASSERT_NE(hit, nullptr);
  EXPECT_EQ(hit->name, "reset");
  EXPECT_EQ(faults.draw(Method::post), nullptr);
}

TEST(Faults, RefuseTheSameEntitiesInAnyOrder) {
  const Faults one(*parse_faults("refuse:0.2,refuse_422:0.2"), 3);
  const Faults two(*parse_faults("refuse:0.2,refuse_422:0.2"), 3);
  int refused = 0, with_422 = 0;
  for (int i = 0; i < 5'000; ++i) {
    const Fault* const refusal = one.refusal_of("ad", "ad_" + std::to_string(i));
    if (refusal == nullptr) continue;
    ++refused;
    with_422 += refusal->status == 422 ? 1 : 0;
    EXPECT_NE(two.refusal_of("ad", "ad_" + std::to_string(i)), nullptr);
  }
  EXPECT_NEAR(refused, 2'000, 200);
  EXPECT_NEAR(with_422, 1'000, 150);
}

TEST(Processing, HasTheShapeAskedFor) {
  const auto median_of = [](std::string_view text) {
    Random random(1);
    const Processing processing = *parse_processing(text);
    std::vector<Micros> samples(4'001);
    for (Micros& sample : samples) sample = processing.sample(random);
    std::sort(samples.begin(), samples.end());
    return std::array<double, 3>{static_cast<double>(samples.front()) / 1e6,
                                 static_cast<double>(samples[2'000]) / 1e6,
                                 static_cast<double>(samples.back()) / 1e6};
  };
  EXPECT_THAT(median_of("zero"), testing::Each(0));
  EXPECT_THAT(median_of("fixed:3s"), testing::Each(3));
  const auto uniform = median_of("uniform:2s:5s");
  EXPECT_GE(uniform[0], 2);
  EXPECT_NEAR(uniform[1], 3.5, 0.1);
  EXPECT_LE(uniform[2], 5);
  EXPECT_NEAR(median_of("lognormal:4s:1")[1], 4, 0.3);
  EXPECT_EQ(median_of("bimodal")[1], 1);
  EXPECT_EQ(median_of("bimodal")[2], 60);
  EXPECT_NEAR(median_of("slow")[1], 300, 15);
}

TEST(Processing, RefusesOtherText) {
  for (const std::string_view text :
       {"", "fixed", "fixed:3", "fixed:3s:4s", "uniform:5s:2s", "zero:1", "lognormal:4s",
        "lognormal:4s:x", "lognormal:4s:-1"}) {
    const auto processing = parse_processing(text);
    ASSERT_FALSE(processing.has_value()) << text;
    EXPECT_THAT(processing.error().message, testing::HasSubstr("uniform:2s:5s"));
  }
}

TEST(LimitLog, CountsInHalfOpenWindows) {
  LimitLog log({{2, 10}}, Refused::not_counted);  // two in 10 ms
  EXPECT_EQ(log.admit(0), std::nullopt);
  EXPECT_EQ(log.admit(4'000), std::nullopt);
  EXPECT_EQ(log.admit(9'999), Micros{1});      // both are still in (-1, 9999]
  EXPECT_EQ(log.admit(10'000), std::nullopt);  // the first is just out
  EXPECT_EQ(log.admit(13'999), Micros{1});
  EXPECT_EQ(log.admit(14'000), std::nullopt);
}

TEST(LimitLog, HoldsEveryTier) {
  LimitLog log({{2, 10}, {3, 100}}, Refused::not_counted);
  for (const Micros now_us : {0, 1'000, 50'000}) EXPECT_EQ(log.admit(now_us), std::nullopt);
  EXPECT_EQ(log.admit(70'000), Micros{30'000});
  EXPECT_EQ(log.admit(100'000), std::nullopt);
}

TEST(LimitLog, CountsRefusedRequestsWhereAsked) {
  LimitLog log({{2, 10}}, Refused::counted);
  EXPECT_EQ(log.admit(0), std::nullopt);
  EXPECT_EQ(log.admit(0), std::nullopt);
  EXPECT_NE(log.admit(9'000), std::nullopt);
  EXPECT_EQ(log.admit(10'000), std::nullopt);
  EXPECT_NE(log.admit(11'000), std::nullopt);  // 9'000 and 10'000 count
}

}  // namespace
}  // namespace dl::mock
