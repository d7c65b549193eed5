#include "tests/bench/policy_runs.h"

#include <algorithm>
#include <cstdio>

#include "tests/bench/prototype.h"

namespace dl::bench {
namespace {

// Adds one seed's run.
void add_run(RunSummary& sum, const std::string& policy, const Workload& workload,
             const SimSettings& settings) {
  const Tier& limit = settings.limiter.tiers.front();
  Figures figures;
  if (policy == "daemon") {
    const SimRun run = simulate(workload, settings);
    figures = judge(run.exchanges, limit);
    const double error =
        worst_eta_error(run, static_cast<Millis>(figures.makespan_ms), limit.window_ms);
    sum.eta_error = std::max(sum.eta_error, error);
    sum.fingerprint = sum.fingerprint * 31 + run.fingerprint;
  } else {
    const auto patience = policy == "prototype" ? Patience::endless : Patience::as_written;
    const PrototypeRun run = simulate_prototype(workload, settings, patience);
    figures = judge(run.exchanges, limit);
    sum.created_twice += static_cast<double>(run.created_twice);
    sum.campaigns_lost += static_cast<double>(run.campaigns_lost);
  }
  const double makespan = figures.makespan_ms / least_makespan_ms(workload, limit);
  sum.per_entity +=
      static_cast<double>(figures.requests) / static_cast<double>(workload.entities.size());
  sum.makespan_ratio += makespan;
  sum.makespan_worst = std::max(sum.makespan_worst, makespan);
  sum.bound_ratio +=
      figures.makespan_ms / makespan_bound_ms(workload, limit, settings.round_trip_ms);
  sum.makespan_s += figures.makespan_ms / 1'000;
  sum.completion_ratio +=
      figures.mean_completion_ms / best_mean_completion_ms(workload, limit, settings.round_trip_ms);
  sum.most_in_window = std::max(sum.most_in_window, figures.most_in_window);
  sum.use += figures.use;
}

}  // namespace

Result<RunSummary> summarize(const std::string& shape, const std::string& distribution,
                             const std::string& policy, const RunPlan& plan) {
  RunSummary sum;
  const int first = plan.first_seed > 0 ? plan.first_seed : 1;
  const int last = plan.first_seed > 0 ? plan.first_seed : plan.seeds;
  for (int seed = first; seed <= last; ++seed) {
    SimSettings settings = plan.settings;
    settings.seed = static_cast<std::uint64_t>(seed);
    Result<Workload> workload = make_workload(shape, distribution, settings.seed);
    if (!workload) return workload.error();
    add_run(sum, policy, *workload, settings);
  }
  const double n = last - first + 1;
  for (double* mean : {&sum.per_entity, &sum.makespan_ratio, &sum.makespan_s, &sum.completion_ratio,
                       &sum.use, &sum.bound_ratio, &sum.created_twice, &sum.campaigns_lost}) {
    *mean /= n;
  }
  return sum;
}

Status print_runs(const RunPlan& plan) {
  std::printf("%-6s %-10s %-20s %9s %9s %9s %9s %9s %6s %7s %7s %7s  %s\n", "shape", "processing",
              "policy", "req/ent", "makespan", "worst", "to bound", "mean/best", "in W", "ETA off",
              "twice", "lost", "fingerprint");
  for (const std::string& shape : plan.shapes) {
    for (const std::string& distribution : plan.distributions) {
      for (const std::string& policy : plan.policies) {
        const Result<RunSummary> sum = summarize(shape, distribution, policy, plan);
        if (!sum) return sum.error();
        std::printf(
            "%-6s %-10s %-20s %9.4f %9.4f %9.4f %9.4f %9.4f %6lld %6.1f%% %7.0f %7.0f  %016llx\n",
            shape.c_str(), distribution.c_str(), policy.c_str(), sum->per_entity,
            sum->makespan_ratio, sum->makespan_worst, sum->bound_ratio, sum->completion_ratio,
            static_cast<long long>(sum->most_in_window), 100 * sum->eta_error, sum->created_twice,
            sum->campaigns_lost, static_cast<unsigned long long>(sum->fingerprint));
        std::fflush(stdout);
      }
    }
  }
  return Done{};
}

}  // namespace dl::bench
