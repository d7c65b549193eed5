#include "tests/sim/simulator.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace dl::sim {
namespace {

// How many points the three tests see together; DL_SIM_POINTS for more.
std::int64_t points() {
  const char* given = std::getenv("DL_SIM_POINTS");
  return given != nullptr ? std::strtoll(given, nullptr, 10) : 1'800;
}

void expect_no_violation(Honours honours, const char* name) {
  Simulator simulator;
  const Wishes wishes{.honours = honours, .shape = {}, .focus = {}};
  std::int64_t seen = 0;
  std::int64_t power_losses = 0;
  std::int64_t jobs = 0;
  std::int64_t succeeded = 0;
  for (std::uint64_t seed = 1; seen < (points() + 2) / 3; ++seed) {
    const Report report = simulator.run(seed, wishes, Trace::off);
    seen += report.points;
    power_losses += report.power_losses;
    jobs += report.jobs;
    succeeded += report.succeeded;
    for (const std::string& what : report.violations) {
      ADD_FAILURE() << what << "; replay: dl-sim --honours " << name << " --seed " << seed
                    << " --trace";
    }
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(power_losses, seen / 4);
  EXPECT_GT(succeeded, jobs / 2);
}

TEST(Simulator, CreatesEverythingOnceWhereKeysAreHonoured) {
  expect_no_violation(Honours::keys, "keys");
}
TEST(Simulator, CreatesEverythingOnceWhereTheDspCanBeAsked) {
  expect_no_violation(Honours::lookups, "lookups");
}
TEST(Simulator, NeverCreatesTwiceWhereNothingHelps) {
  expect_no_violation(Honours::nothing, "nothing");
}

// Also after other seeds: nothing of one run is left for the next.
TEST(Simulator, ReplaysASeedExactly) {
  Simulator used;
  used.run(6, {}, Trace::off);
  const Report second = used.run(7, {}, Trace::off);
  const Report first = Simulator().run(7, {}, Trace::off);

  EXPECT_GT(first.points, 0);
  EXPECT_EQ(first.points, second.points);
  EXPECT_EQ(first.steps, second.steps);
  EXPECT_EQ(first.requests, second.requests);
  EXPECT_EQ(first.virtual_ms, second.virtual_ms);
}

}  // namespace
}  // namespace dl::sim
