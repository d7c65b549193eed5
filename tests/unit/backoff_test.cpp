#include "daemon/core/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace dl {
namespace {

TEST(Jitter, StaysBelowOneAndNeverNegative) {
  for (std::int64_t what = -1'000; what < 1'000; ++what) {
    for (std::int64_t nth = 0; nth < 5; ++nth) {
      EXPECT_GE(jitter(what, nth), 0.0);
      EXPECT_LT(jitter(what, nth), 1.0);
    }
  }
}

TEST(Jitter, IsTheSameEveryTime) {
  EXPECT_EQ(jitter(42, 3), jitter(42, 3));
  EXPECT_NE(jitter(42, 3), jitter(42, 4));
  EXPECT_NE(jitter(42, 3), jitter(43, 3));
}

// Neighbouring jobs and neighbouring tries are what meets in practice.
TEST(Jitter, SpreadsNeighboursEvenly) {
  std::array<int, 10> bins{};
  for (std::int64_t what = 1; what <= 1'000; ++what) {
    for (std::int64_t nth = 1; nth <= 4; ++nth) {
      ++bins[static_cast<std::size_t>(jitter(what, nth) * 10)];
    }
  }
  for (const int n : bins) {
    EXPECT_GT(n, 320);
    EXPECT_LT(n, 480);
  }
}

TEST(RetryBackoff, WaitsTwoToTheNAndUpToHalfAsMuchAgain) {
  for (std::int64_t job = 1; job <= 500; ++job) {
    for (int n = 0; n <= 9; ++n) {
      const Millis base = Millis{1'000} << n;
      EXPECT_GE(retry_backoff(job, n), base);
      EXPECT_LE(retry_backoff(job, n), base + base / 2);
    }
  }
}

TEST(RetryBackoff, IsClampedForAnyNumberOfTries) {
  for (const int n : {10, 20, 21, 63, 64, 1'000, 2'000'000'000}) {
    EXPECT_EQ(retry_backoff(7, n), 900'000) << n;
    EXPECT_EQ(retry_backoff(7, n, 5'000), 5'000) << n;
  }
  EXPECT_GE(retry_backoff(7, -5), 1'000);
  EXPECT_LE(retry_backoff(7, -5), 1'500);
}

TEST(RetryBackoff, DoesNotBringBackTogetherWhatFailedTogether) {
  std::vector<Millis> delays;
  for (std::int64_t job = 1; job <= 100; ++job) delays.push_back(retry_backoff(job, 3));
  std::sort(delays.begin(), delays.end());
  EXPECT_GE(delays.back() - delays.front(), 3'500) << "of 4,000";
  delays.erase(std::unique(delays.begin(), delays.end()), delays.end());
  EXPECT_GE(delays.size(), 90U);
}

}  // namespace
}  // namespace dl
