// Goals L1 and L2 on the limiter alone: whatever the line does, the DSP counts at most N in any
// half-open W, and while there is work and no fault at least 95 % of the limit is used.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/limiter_world.h"

namespace dl {
namespace {

const std::vector<std::vector<Tier>> kShapes = {
    {{40, 60'000}},
    {{10, 1'000}, {40, 60'000}},
    {{40, 60'000}, {4, 5'000}},
    {{1, 1'500}, {40, 60'000}},
    {{3, 1'000}},
    {{1, 10'000}},
};

LimiterPolicy random_policy(std::uint64_t seed) {
  LimiterPolicy policy;
  policy.tiers = kShapes[seed % kShapes.size()];
  policy.strict = seed % 7 == 0;
  policy.headroom = seed % 5 == 0 ? 2 : 0;
  if (seed % 3 == 0) policy.burst = policy.tiers.back().count;  // as bursty as it may be
  policy.late_arrival_ms = seed % 2 == 0 ? 60'000 : 5'000;
  return policy;
}

// Nothing but the tiers: what the limiter was told, kept by what the DSP counted.
void expect_kept(const WorldReport& report, const LimiterPolicy& policy, std::uint64_t seed) {
  ASSERT_FALSE(report.counted_ms.empty());
  for (const Tier& tier : policy.tiers) {
    EXPECT_LE(report.fullest_window(tier.window_ms), tier.count)
        << "seed " << seed << ", tier " << format_rate_spec({tier});
  }
}

TEST(LimiterProperty, KeepsEveryWindowOverAnUnreliableLine) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.policy = random_policy(seed);
    options.delay_max_ms = Millis{1} << (seed % 14);  // up to 8 s each way
    options.lost_chance = seed % 4 == 0 ? 0 : 0.02 * static_cast<double>(seed % 4);
    options.not_sent_chance = seed % 3 == 0 ? 0.1 : 0;
    options.refused_chance = seed % 6 == 0 ? 0.05 : 0;
    expect_kept(run_world(options), options.policy, seed);
  }
}

TEST(LimiterProperty, KeepsEveryWindowWhateverTheHeadersSay) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.policy = random_policy(seed);
    options.delay_max_ms = Millis{1} << (seed % 13);
    options.lost_chance = 0.02;
    options.not_sent_chance = 0.02;
    options.told_chance = 0.3;
    options.restart_every_ms = seed % 2 == 0 ? 90'000 : 0;
    expect_kept(run_world(options), options.policy, seed);
  }
}

TEST(LimiterProperty, KeepsEveryWindowAcrossKills) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.policy = random_policy(seed);
    options.delay_max_ms = Millis{1} << (seed % 13);
    options.lost_chance = 0.02;
    options.not_sent_chance = 0.02;
    options.refused_chance = seed % 2 == 0 ? 0.02 : 0;
    options.restart_every_ms = 200'000 / static_cast<Millis>(1 + seed % 4);
    options.down_max_ms = seed % 3 == 0 ? 0 : 90'000;
    const WorldReport report = run_world(options);
    EXPECT_GT(report.restarts, 5) << "seed " << seed;
    expect_kept(report, options.policy, seed);
  }
}

TEST(LimiterProperty, FillsAWindowToTheBrim) {
  WorldOptions options;
  options.policy.tiers = {{40, 60'000}};
  options.policy.burst = 40;
  EXPECT_EQ(run_world(options).fullest_window(60'000), 40) << "the check can fail";
}

TEST(LimiterProperty, UsesTheLimitWhileThereIsWork) {
  for (const int burst : {0, 1, 40}) {
    WorldOptions options;
    options.policy.tiers = {{40, 60'000}};
    options.policy.burst = burst;
    options.lasts_ms = 4 * 3'600'000;
    const WorldReport report = run_world(options);
    const auto allowed = 40 * options.lasts_ms / 60'000;
    EXPECT_GE(static_cast<double>(report.counted_ms.size()), 0.99 * static_cast<double>(allowed))
        << "burst " << burst;
  }
}

TEST(LimiterProperty, UsesEveryShapeOfLimit) {
  for (const std::vector<Tier>& tiers : kShapes) {
    WorldOptions options;
    options.policy.tiers = tiers;
    options.delay_max_ms = 10;
    double share = 0;  // of the tier that allows least
    const WorldReport report = run_world(options);
    for (const Tier& tier : tiers) {
      const double allowed = static_cast<double>(tier.count) *
                             static_cast<double>(options.lasts_ms) /
                             static_cast<double>(tier.window_ms);
      share = std::max(share, static_cast<double>(report.counted_ms.size()) / allowed);
    }
    EXPECT_GE(share, 0.93) << format_rate_spec(tiers);
    EXPECT_LE(share, 1.01) << format_rate_spec(tiers);
  }
}

TEST(LimiterProperty, UsesMostOfItsUpTimeDespiteKillsAndLosses) {
  std::int64_t sent = 0;
  double allowed = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.policy.tiers = {{40, 60'000}};
    options.lost_chance = 0.02;
    options.restart_every_ms = 600'000;
    options.lasts_ms = 4 * 3'600'000;
    const WorldReport report = run_world(options);
    sent += static_cast<std::int64_t>(report.counted_ms.size());
    allowed += 40.0 * static_cast<double>(report.up_ms) / 60'000;
  }
  EXPECT_GE(static_cast<double>(sent), 0.93 * allowed);
}

}  // namespace
}  // namespace dl
