#include "tests/sim/lean_sqlite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/simulator.h"
#include "tests/support/process.h"

namespace dl::sim {
namespace {

constexpr int kSeeds = 10;

// The tool has SQLite from an archive, without mutexes and with a memory of its own; we have the
// system's as it is.
TEST(LeanSqlite, ComputesTheSame) {
  Report all;
  Simulator simulator;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Report report = simulator.run(seed, {}, Trace::off);
    all.points += report.points;
    all.requests += report.requests;
    all.succeeded += report.succeeded;
    all.jobs += report.jobs;
    EXPECT_TRUE(report.violations.empty());
  }
  const Finish tool = run(
      {.program = "dl-sim", .arguments = {"--seeds", std::to_string(kSeeds)}, .environment = {}});

  EXPECT_EQ(tool.exit_code, 0);
  EXPECT_THAT(tool.out, testing::HasSubstr(std::to_string(all.points) + " points, 0 violations"));
  EXPECT_THAT(tool.out, testing::HasSubstr(std::to_string(all.requests) + " requests, " +
                                           std::to_string(all.succeeded) + " of " +
                                           std::to_string(all.jobs) + " jobs succeeded"));
}

}  // namespace
}  // namespace dl::sim
