// Whole graphs through the simulator, averaged over seeds and printed as a table.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/policy_sim.h"

namespace dl::bench {

// The mean over the seeds, but for the worst where it says so.
struct RunSummary {
  double per_entity = 0;      // requests
  double makespan_ratio = 0;  // to 2 E W/N
  double makespan_worst = 0;  // the same, of the worst seed
  double bound_ratio = 0;     // makespan to makespan_bound_ms()
  double makespan_s = 0;
  double completion_ratio = 0;      // mean campaign completion to the best
  std::int64_t most_in_window = 0;  // of all seeds
  double use = 0;
  double eta_error = 0;      // the worst, see worst_eta_error()
  double created_twice = 0;  // entities
  double campaigns_lost = 0;
  std::uint64_t fingerprint = 0;
};

struct RunPlan {
  std::vector<std::string> shapes{"std"};
  std::vector<std::string> distributions{"unif"};
  std::vector<std::string> policies{"daemon"};
  int seeds = 3;
  int first_seed = 0;  // 0: 1 to seeds; else this one alone
  SimSettings settings;
};

// Errors: usage.
Result<RunSummary> summarize(const std::string& shape, const std::string& distribution,
                             const std::string& policy, const RunPlan& plan);
Status print_runs(const RunPlan& plan);

}  // namespace dl::bench
