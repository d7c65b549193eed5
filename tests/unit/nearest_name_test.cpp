#include "storage/model/nearest_name.h"

#include <gtest/gtest.h>

#include <string>

namespace dl {
namespace {

constexpr std::string_view kKnown[] = {"workers", "rate_limit", "db", "settle"};

TEST(NearestName, FindsTheSlipOfAFinger) {
  EXPECT_EQ(nearest_name("wrokers", kKnown), "workers");
  EXPECT_EQ(nearest_name("worker", kKnown), "workers");
  EXPECT_EQ(nearest_name("rate_limits", kKnown), "rate_limit");
  EXPECT_EQ(nearest_name("bd", kKnown), "db");
  EXPECT_EQ(nearest_name("ratelimit", kKnown), "rate_limit");
}

TEST(NearestName, SaysNothingAboutAStranger) {
  EXPECT_EQ(nearest_name("endpoint", kKnown), std::nullopt);
  EXPECT_EQ(nearest_name("", kKnown), std::nullopt);
  EXPECT_EQ(nearest_name(std::string(10'000, 'w'), kKnown), std::nullopt);
}

}  // namespace
}  // namespace dl
