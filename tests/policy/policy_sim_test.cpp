// The policy simulator itself: one seed is one run, the limit holds whatever happens, and the
// figures are counted right. What the policy reaches is judged by `./dev bench limits`; here only
// what a small graph shows in milliseconds.
#include <gtest/gtest.h>

#include "tests/bench/policy_sim.h"
#include "tests/bench/prototype.h"
#include "tests/bench/server_limit.h"

namespace dl::bench {
namespace {

constexpr Tier kLimit{40, 60'000};

Workload workload(const std::string& shape, const std::string& distribution,
                  std::uint64_t seed = 1) {
  Result<Workload> made = make_workload(shape, distribution, seed);
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

TEST(PolicySim, GivesOneRunForOneSeed) {
  SimSettings settings;
  settings.spikes = true;
  settings.kill_every_ms = 120'000;
  settings.lost_answers = 0.02;
  const Workload work = workload("6x3x4", "logn");
  const SimRun first = simulate(work, settings);
  EXPECT_EQ(simulate(work, settings).fingerprint, first.fingerprint);
  settings.seed = 2;
  EXPECT_NE(simulate(work, settings).fingerprint, first.fingerprint);
}

TEST(PolicySim, FinishesEveryEntity) {
  for (const char* const shape : {"mini", "tiny", "skew", "3x2x1"}) {
    for (const char* const distribution : {"zero", "unif", "bimodal", "queue", "up"}) {
      const Workload work = workload(shape, distribution);
      const SimRun run = simulate(work, {});
      const Figures figures = judge(run.exchanges, kLimit);
      EXPECT_TRUE(run.drained) << work.name;
      EXPECT_EQ(figures.entities, static_cast<std::int64_t>(work.entities.size())) << work.name;
      EXPECT_GE(figures.per_entity, 2) << work.name;
      EXPECT_LE(figures.most_in_window, kLimit.count) << work.name;
    }
  }
}

TEST(PolicySim, HoldsTheLimitThroughKillsAndLostAnswers) {
  SimSettings settings;
  settings.spikes = true;
  settings.kill_every_ms = 60'000;
  settings.lost_answers = 0.05;
  settings.http_timeout_ms = 30'000;
  settings.limiter.tiers = {kLimit, {10, 1'000}};
  const Workload work = workload("20x5x10", "unif");
  for (settings.seed = 1; settings.seed <= 5; ++settings.seed) {
    const SimRun run = simulate(work, settings);
    EXPECT_TRUE(run.drained);
    EXPECT_GT(run.kills, 10);
    EXPECT_LE(judge(run.exchanges, {40, 60'000}).most_in_window, 40) << "seed " << settings.seed;
    EXPECT_LE(judge(run.exchanges, {10, 1'000}).most_in_window, 10) << "seed " << settings.seed;
  }
}

// That the judge can find fault: a brain whose slots last half as long is seen to break the limit.
TEST(PolicySim, SeesALimitThatIsBroken) {
  SimSettings settings;
  settings.limiter.tiers = {{40, 30'000}};
  const SimRun run = simulate(workload("20x5x10", "unif"), settings);
  EXPECT_GT(judge(run.exchanges, kLimit).most_in_window, 60);
}

TEST(PolicySim, LivesWithAServerThatAllowsLess) {
  for (const char* const server : {"log", "log-counting", "fixed", "weighted", "bucket10"}) {
    SimSettings settings;
    settings.server = server;
    settings.server_phases = {{0, {30, 60'000}}};
    const Workload work = workload("20x5x10", "unif");
    const SimRun run = simulate(work, settings);
    const Figures figures = judge(run.exchanges, kLimit);
    EXPECT_TRUE(run.drained) << server;
    EXPECT_EQ(figures.entities, static_cast<std::int64_t>(work.entities.size())) << server;
    EXPECT_GT(figures.refused, 0) << server;
    EXPECT_LT(figures.refused, 0.02) << server;
  }
}

// The ETA, from the first tenth of a run to its last window, where processing takes seconds.
TEST(PolicySim, ForetellsItsEndWithinATenth) {
  for (const char* const shape : {"std", "one", "wide", "small"}) {
    for (const char* const distribution : {"fixed3", "unif", "logn", "bimodal"}) {
      const Workload work = workload(shape, distribution);
      const SimRun run = simulate(work, {});
      ASSERT_GT(run.etas.size(), 10U) << work.name;
      const auto makespan = static_cast<Millis>(run.exchanges.back().answered);
      EXPECT_LT(worst_eta_error(run, makespan, kLimit.window_ms), 0.10) << work.name;
    }
  }
}

// Three workers that each wait for one entity: what the prototype pays is known from the reference
// simulator (3 s: 2.24 requests an entity and 1.12 of the bound).
TEST(Prototype, PaysWhatTheReferenceSaysItPays) {
  const Workload work = workload("std", "fixed3");
  const PrototypeRun run = simulate_prototype(work, {}, Patience::endless);
  const Figures figures = judge(run.exchanges, kLimit);
  EXPECT_NEAR(figures.per_entity, 2.24, 0.01);
  EXPECT_NEAR(figures.makespan_ms / least_makespan_ms(work, kLimit), 1.12, 0.01);
  EXPECT_EQ(run.created_twice, 0);
}

TEST(Prototype, AsWrittenLosesWhatIsSlow) {
  const Workload work = workload("tiny", "slow");
  const PrototypeRun run = simulate_prototype(work, {}, Patience::as_written);
  EXPECT_EQ(run.campaigns_lost, 3);
  EXPECT_EQ(run.created_twice, 3);
}

TEST(Figures, CountAHalfOpenWindow) {
  EXPECT_EQ(most_in_window({0, 10, 59.9}, 60), 3);
  EXPECT_EQ(most_in_window({0, 10, 60}, 60), 2) << "two a window apart are not in one";
  EXPECT_EQ(most_in_window({}, 60), 0);
}

TEST(Figures, AreCountedFromExchanges) {
  const std::vector<Exchange> exchanges = {
      {.arrived = 1'000, .answered = 1'100, .campaign = 0},
      {.arrived = 3'000, .answered = 3'100, .campaign = 0, .finished = true},
      {.arrived = 5'000, .answered = 5'050, .refused = true},
      {.arrived = 6'000, .answered = 6'100, .campaign = 1},
      {.arrived = 9'000, .answered = 9'100, .campaign = 1, .finished = true},
  };
  const Figures figures = judge(exchanges, kLimit);
  EXPECT_EQ(figures.entities, 2);
  EXPECT_DOUBLE_EQ(figures.per_entity, 2.5);
  EXPECT_DOUBLE_EQ(figures.makespan_ms, 8'100);
  EXPECT_DOUBLE_EQ(figures.mean_completion_ms, (2'100 + 8'100) / 2.0);
  EXPECT_DOUBLE_EQ(figures.refused, 0.2);
}

TEST(Workload, HasTheShapesOfTheReference) {
  EXPECT_EQ(workload("std", "zero").entities.size(), 5'600U);
  EXPECT_EQ(workload("one", "zero").entities.size(), 1'002U);
  EXPECT_EQ(workload("wide", "zero").entities.size(), 1'051U);
  EXPECT_EQ(workload("small", "zero").entities.size(), 3'000U);
  EXPECT_EQ(workload("mini", "zero").entities.size(), 9U);
  EXPECT_FALSE(make_workload("std", "sometimes", 1));
  EXPECT_FALSE(make_workload("3x2", "zero", 1));
  EXPECT_FALSE(make_workload("3x2x1x", "zero", 1));
}

TEST(ServerLimit, CountsAsItsDisciplineDoes) {
  const Tier limit{2, 60'000};
  struct Case {
    const char* name;
    std::vector<double> at;
    std::vector<bool> accepted;
  };
  const std::vector<Case> cases = {
      {"log", {0, 1, 2, 60'000, 60'001}, {true, true, false, true, true}},
      {"log-counting", {0, 1, 59'000, 60'500}, {true, true, false, true}},
      {"fixed", {42'000, 42'500, 43'000, 44'000, 45'000}, {true, true, true, true, false}},
      {"weighted", {0, 1, 43'000, 73'000}, {true, true, false, true}},
      {"bucket40", {0, 1}, {true, true}},
      {"none", {0, 0, 0, 0}, {true, true, true, true}},
  };
  for (const Case& each : cases) {
    Result<ServerLimit> server = make_server_limit(each.name, limit);
    ASSERT_TRUE(server);
    for (std::size_t i = 0; i < each.at.size(); ++i) {
      EXPECT_EQ((*server)(each.at[i]).accepted, each.accepted[i]) << each.name << " " << i;
    }
  }
  EXPECT_FALSE(make_server_limit("polite", limit));
}

}  // namespace
}  // namespace dl::bench
