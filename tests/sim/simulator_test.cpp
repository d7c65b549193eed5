#include "tests/sim/simulator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace dl::sim {
namespace {

// How many seeds each test runs; DL_SIM_SEEDS for more.
std::uint64_t seeds() {
  const char* given = std::getenv("DL_SIM_SEEDS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 60;
}

SimReport run(std::uint64_t seed, Honours honours, std::vector<Tier> limit = {{40, 60'000}}) {
  SimOptions options;
  options.seed = seed;
  options.honours = honours;
  options.limit = std::move(limit);
  options.folder = "/dev/shm/dl-sim-" + std::to_string(getpid()) + "-" + std::to_string(seed);
  return simulate(options);
}

void expect_no_violation(Honours honours, const char* name) {
  std::int64_t crashes = 0;
  std::int64_t succeeded = 0;
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    const SimReport report = run(seed, honours);
    crashes += report.crashes;
    succeeded += report.succeeded;
    for (const std::string& what : report.violations) {
      ADD_FAILURE() << what << "; replay: dl-sim --honours " << name << " --seed " << seed << " --trace";
    }
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(crashes, static_cast<std::int64_t>(seeds()));
  EXPECT_GT(succeeded, static_cast<std::int64_t>(seeds()) * 5);
}

TEST(Simulator, CreatesEverythingOnceWhereKeysAreHonoured) { expect_no_violation(Honours::keys, "keys"); }
TEST(Simulator, CreatesEverythingOnceWhereTheDspCanBeAsked) { expect_no_violation(Honours::lookups, "lookups"); }
TEST(Simulator, NeverCreatesTwiceWhereNothingHelps) { expect_no_violation(Honours::nothing, "nothing"); }

TEST(Simulator, HoldsEveryTier) {
  for (std::uint64_t seed = 1; seed <= seeds() / 2; ++seed) {
    const SimReport report = run(seed, Honours::keys, {{4, 5'000}, {20, 60'000}});
    for (const std::string& what : report.violations) ADD_FAILURE() << "seed " << seed << ": " << what;
  }
}

TEST(Simulator, ReplaysASeedExactly) {
  const SimReport first = run(7, Honours::keys);
  const SimReport second = run(7, Honours::keys);

  EXPECT_EQ(first.inputs, second.inputs);
  EXPECT_EQ(first.requests, second.requests);
  EXPECT_EQ(first.virtual_ms, second.virtual_ms);
}

}  // namespace
}  // namespace dl::sim
