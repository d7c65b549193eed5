#include "tests/bench/limiter_trials.h"

#include <algorithm>
#include <cstdio>

namespace dl::bench {
namespace {

constexpr Millis kMinute = 60'000;
constexpr Millis kHour = 60 * kMinute;
constexpr Millis kPhase = 2 * kHour;

// More than 40 a minute can send in `hours`.
Workload endless_work(int hours) {
  const std::string shape = std::to_string(hours * 22 + 20) + "x5x10";
  return *make_workload(shape, "unif", 1);
}

TroubleTrial trouble_trial(const std::string& name, const SimSettings& settings,
                           const TrialPlan& plan) {
  TroubleTrial trial{.name = name};
  trial.is_clean = settings.kill_every_ms == 0 && settings.lost_answers == 0;
  const Workload workload = endless_work(plan.hours);
  Millis down = 0;
  double requests = 0;
  for (int seed = 1; seed <= plan.seeds; ++seed) {
    SimSettings mine = settings;
    mine.seed = static_cast<std::uint64_t>(seed);
    mine.end_ms = plan.hours * kHour;
    const SimRun run = simulate(workload, mine);
    const Figures figures = judge(run.exchanges, mine.limiter.tiers.front());
    trial.most_in_window = std::max(trial.most_in_window, figures.most_in_window);
    trial.kills += run.kills;
    requests += static_cast<double>(figures.requests);
    down += run.down_ms;
  }
  const auto time = static_cast<double>(plan.seeds * plan.hours * kHour);
  const double allowed = time / kMinute * 40;
  trial.use = requests / allowed;
  trial.use_of_up_time = trial.use * time / (time - static_cast<double>(down));
  return trial;
}

struct Share {
  double requests = 0;
  double refused = 0;
};
Share share_between(const SimRun& run, Millis from, Millis to) {
  Share share;
  for (const Exchange& exchange : run.exchanges) {
    if (exchange.arrived < static_cast<double>(from) ||
        exchange.arrived >= static_cast<double>(to)) {
      continue;
    }
    ++share.requests;
    share.refused += exchange.refused ? 1 : 0;
  }
  return share;
}

RefusalTrial refusal_trial(const std::string& server) {
  RefusalTrial trial{.server = server};
  SimSettings settings;
  settings.server = server;
  settings.server_phases = {{0, {30, kMinute}}, {kPhase, {40, kMinute}}};
  settings.end_ms = 2 * kPhase;
  const SimRun run = simulate(endless_work(4), settings);
  const Share before = share_between(run, 0, kPhase);
  const Share after = share_between(run, kPhase, 2 * kPhase);
  trial.refused = before.refused / std::max(1.0, before.requests);
  trial.accepted_per_minute = (before.requests - before.refused) * kMinute / kPhase;
  trial.accepted_per_minute_after = (after.requests - after.refused) * kMinute / kPhase;
  for (int minute = 1; minute < 120 && trial.minutes_to_36 == 0; ++minute) {
    const Millis from = kPhase + minute * kMinute;
    const Share share = share_between(run, from, from + kMinute);
    if (share.requests - share.refused >= 36) trial.minutes_to_36 = minute;
  }
  return trial;
}

}  // namespace

std::vector<TroubleTrial> run_trouble_trials(const TrialPlan& plan) {
  SimSettings calm;
  SimSettings spikes;
  spikes.spikes = true;
  spikes.http_timeout_ms = 30'000;
  SimSettings kills = spikes;
  kills.kill_every_ms = 2 * kMinute;
  SimSettings lost = spikes;
  lost.lost_answers = 0.02;
  SimSettings both = kills;
  both.lost_answers = 0.02;
  SimSettings tiers = both;
  tiers.limiter.tiers = {{40, kMinute}, {10, 1'000}};
  return {trouble_trial("steady answers", calm, plan),
          trouble_trial("1 % of answers take 1 to 8 s", spikes, plan),
          trouble_trial("kill -9 every 2 min, down 0 to 20 s", kills, plan),
          trouble_trial("2 % of answers lost, those requests up to 60 s late", lost, plan),
          trouble_trial("kills and lost answers", both, plan),
          trouble_trial("kills and lost answers, also 10/1s", tiers, plan)};
}

std::vector<RefusalTrial> run_refusal_trials(const TrialPlan&) {
  std::vector<RefusalTrial> trials;
  for (const char* server :
       {"log", "log-counting", "fixed", "weighted", "weighted-counting", "bucket40", "bucket10"}) {
    trials.push_back(refusal_trial(server));
  }
  return trials;
}

Status print_trials(const TrialPlan& plan) {
  std::printf("A client with always something to send, set to 40/60s: %d x %d h\n\n", plan.seeds,
              plan.hours);
  std::printf("%-55s %8s %8s %8s %6s\n", "", "most", "use", "up-time", "kills");
  for (const TroubleTrial& trial : run_trouble_trials(plan)) {
    std::printf("%-55s %8lld %7.1f%% %7.1f%% %6d\n", trial.name.c_str(),
                static_cast<long long>(trial.most_in_window), 100 * trial.use,
                100 * trial.use_of_up_time, trial.kills);
  }
  std::printf("\nSet to 40/60s; the server allows 30/60s for 2 h, then 40/60s for 2 h\n\n");
  std::printf("%-20s %9s %13s %13s %13s\n", "server counts by", "refused", "accepted/min", "then",
              "at 36 after");
  for (const RefusalTrial& trial : run_refusal_trials(plan)) {
    std::printf("%-20s %8.2f%% %13.1f %13.1f %9.0f min\n", trial.server.c_str(),
                100 * trial.refused, trial.accepted_per_minute, trial.accepted_per_minute_after,
                trial.minutes_to_36);
  }
  return Done{};
}

}  // namespace dl::bench
