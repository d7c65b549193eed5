#include "tests/bench/limits_report.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/bench/goal_table.h"
#include "tests/bench/goals.h"
#include "tests/bench/ledger_run.h"
#include "tests/bench/limiter_trials.h"
#include "tests/bench/policy_runs.h"
#include "tests/bench/prototype.h"

namespace dl::bench {
namespace {

constexpr Tier kLimit{40, 60'000};
constexpr Tier kLowLimit{30, 60'000};
constexpr int kMiniSeeds = 200;

struct RealRun {
  std::map<std::string, std::string> facts;
  LedgerRun ledger;

  std::string fact(const std::string& name) const {
    const auto at = facts.find(name);
    return at == facts.end() ? "" : at->second;
  }
  double number(const std::string& name) const { return std::atof(fact(name).c_str()); }
};

Result<RealRun> read_run(const std::filesystem::path& folder) {
  RealRun run;
  std::ifstream facts(folder / "facts");
  std::string name;
  std::string value;
  while (facts >> name && std::getline(facts >> std::ws, value)) run.facts[name] = value;
  if (std::filesystem::exists(folder / "access.log")) {
    Result<std::vector<Exchange>> log =
        read_access_log((folder / "access.log").string(), run.number("time_scale"));
    if (!log) return log.error();
    run.ledger.exchanges = std::move(*log);
    return run;
  }
  Result<LedgerRun> ledger = read_ledger((folder / "ledger").string(), run.fact("shape"));
  if (!ledger) return ledger.error();
  run.ledger = std::move(*ledger);
  return run;
}

// In order of their names.
Result<std::vector<RealRun>> read_runs(const std::string& folder) {
  std::vector<std::filesystem::path> places;
  std::error_code trouble;
  for (const auto& entry : std::filesystem::directory_iterator(folder, trouble)) {
    if (std::filesystem::exists(entry.path() / "facts")) places.push_back(entry.path());
  }
  if (places.empty()) return Error{Errc::no_input, folder + ": holds no run"};
  std::ranges::sort(places);
  std::vector<RealRun> runs;
  for (const auto& place : places) {
    Result<RealRun> run = read_run(place);
    if (!run) return run.error();
    runs.push_back(std::move(*run));
  }
  return runs;
}

SimSettings settings_like(const RealRun& run) {
  SimSettings settings;
  settings.round_trip_ms = std::max<Millis>(1, std::llround(run.number("round_trip_ms")));
  return settings;
}

struct Pair {
  Figures measured, simulated, prototype;
};
// The real run, and the same day in the simulator and by the prototype's policy.
Pair compare(const RealRun& run) {
  const SimSettings settings = settings_like(run);
  const Workload& workload = run.ledger.workload;
  return {judge(run.ledger.exchanges, kLimit),
          judge(simulate(workload, settings).exchanges, kLimit),
          judge(simulate_prototype(workload, settings, Patience::endless).exchanges, kLimit)};
}

void add_schedule(GoalTable& table, const ScheduleGoal& goal, const RunSummary* measured,
                  const RunSummary& simulated, const RunSummary& prototype) {
  const std::string of =
      " (" + std::string(goal.shape) + ", " + std::string(goal.distribution) + ")";
  const auto add = [&](const char* name, const std::string& what, double RunSummary::*figure,
                       double bound, double reference) {
    GoalRow row{.name = name, .what = what + of};
    if (measured != nullptr) row.measured = measured->*figure;
    row.simulated = simulated.*figure;
    row.prototype = prototype.*figure;
    if (bound > 0) row.goal = bound;
    if (reference > 0) row.reference = reference;
    table.add(row);
  };
  add("S1", "requests an entity", &RunSummary::per_entity, goal.per_entity,
      goal.reference_per_entity);
  // Of the simulator's other graphs chains of processing are longer than 2 E W/N.
  const bool by_rate = goal.shape == "std" || measured != nullptr;
  add("S2", by_rate ? "makespan to 2 E W/N" : "makespan to the bound",
      by_rate ? &RunSummary::makespan_ratio : &RunSummary::bound_ratio, goal.makespan,
      goal.reference_makespan);
  add("S3", "mean completion to the best", &RunSummary::completion_ratio, goal.completion,
      goal.reference_completion);
}

RunSummary summary_of(const Figures& figures, const Workload& workload, Millis round_trip_ms) {
  RunSummary summary;
  summary.per_entity =
      static_cast<double>(figures.requests) / static_cast<double>(workload.entities.size());
  summary.makespan_ratio = figures.makespan_ms / least_makespan_ms(workload, kLimit);
  summary.completion_ratio =
      figures.mean_completion_ms / best_mean_completion_ms(workload, kLimit, round_trip_ms);
  return summary;
}

class Report {
 public:
  Report(std::vector<RealRun> runs, int seeds) : runs_(std::move(runs)), seeds_(seeds) {}

  Result<Verdict> print() {
    add_limits();
    add_refusals();
    table_.section("S: the schedule, the real daemon in scaled time");
    for (const ScheduleGoal& goal : kScheduleGoals) add_measured(goal);
    add_mini();
    table_.section("S: from the simulator only, mean of " + std::to_string(seeds_) + " seeds");
    for (const ScheduleGoal& goal : kScheduleGoals) {
      if (Status ok = add_simulated(goal); !ok) return ok.error();
    }
    if (Status ok = add_simulated_mini(); !ok) return ok.error();
    return table_.print() ? Verdict::all_met : Verdict::some_missed;
  }

 private:
  std::vector<const RealRun*> of_kind(const std::string& kind) const {
    std::vector<const RealRun*> found;
    for (const RealRun& run : runs_) {
      if (run.fact("kind") == kind) found.push_back(&run);
    }
    return found;
  }

  void add_limits() {
    table_.section("L: the limit, as the server counted it");
    double broken = 0;
    for (const RealRun& run : runs_) {
      broken += run.number("broken") + run.number("unproven");
      if (run.fact("kind") == "mini") continue;
      const Figures figures = judge(run.ledger.exchanges, kLimit);
      table_.add({.name = "L1",
                  .what = "most in any 60 s: " + run.fact("what"),
                  .unit = Unit::count,
                  .measured = static_cast<double>(figures.most_in_window),
                  .goal = static_cast<double>(kLimit.count),
                  .reference = 40});
      if (run.fact("use_goal").empty()) continue;
      const bool is_clean = run.number("use_goal") >= kUseClean;
      table_.add({.name = "L2",
                  .what = "use of the limit: " + run.fact("what"),
                  .unit = Unit::share,
                  .better = Better::higher,
                  .measured = figures.use,
                  .goal = run.number("use_goal"),
                  .reference = is_clean ? kUseCleanReference : kUseTroubledReference});
    }
    table_.add({.name = "L1",
                .what = "duplicates and early children, all runs",
                .unit = Unit::count,
                .measured = broken,
                .goal = 0});
    for (const TroubleTrial& trial : run_trouble_trials({.seeds = seeds_})) {
      table_.add({.name = "L1",
                  .what = trial.name + ": most",
                  .unit = Unit::count,
                  .simulated = static_cast<double>(trial.most_in_window),
                  .goal = static_cast<double>(kLimit.count),
                  .reference = 40});
      table_.add({.name = "L2",
                  .what = trial.name + ": use",
                  .unit = Unit::share,
                  .better = Better::higher,
                  .simulated = trial.use_of_up_time,
                  .goal = trial.is_clean ? kUseClean : kUseTroubled,
                  .reference = trial.is_clean ? kUseCleanReference : kUseTroubledReference});
    }
  }

  void add_refusals() {
    table_.section("L3: the server allows 30/60s, we are set to 40/60s");
    for (const RealRun* run : of_kind("refused")) {
      const Figures figures = judge(run->ledger.exchanges, kLowLimit);
      add_refusal(run->fact("what"), figures.refused, figures.use * (1 - figures.refused), true);
    }
    for (const RefusalTrial& trial : run_refusal_trials({})) {
      add_refusal(trial.server, trial.refused, trial.accepted_per_minute / kLowLimit.count, false);
      table_.add({.name = "L3",
                  .what = "minutes until 36/min, once 40 are allowed: " + trial.server,
                  .unit = Unit::count,
                  .simulated = trial.minutes_to_36 > 0 ? trial.minutes_to_36 : 1e9,
                  .goal = kMinutesTo36,
                  .reference = kMinutesTo36Reference});
    }
  }

  void add_refusal(const std::string& server, double refused, double accepted, bool is_real) {
    const bool is_weighted = server.starts_with("weighted");
    GoalRow first{.name = "L3",
                  .what = "refused: " + server,
                  .unit = Unit::share,
                  .goal = kRefusedAt30,
                  .reference = kRefusedAt30Reference};
    GoalRow second{
        .name = "L3",
        .what = "accepted of 30/min: " + server,
        .unit = Unit::share,
        .better = Better::higher,
        .goal = is_weighted ? kAcceptedOf30Weighted : kAcceptedOf30,
        .reference = is_weighted ? kAcceptedOf30WeightedReference : kAcceptedOf30Reference};
    (is_real ? first.measured : first.simulated) = refused;
    (is_real ? second.measured : second.simulated) = accepted;
    table_.add(first);
    table_.add(second);
  }

  void add_measured(const ScheduleGoal& of_std) {
    for (const RealRun* run : of_kind("schedule")) {
      if (run->fact("processing") != of_std.distribution || of_std.mock.empty()) continue;
      const std::string shape = run->fact("shape");
      ScheduleGoal goal = of_std;
      if (shape != "std") {  // --quick: in so small a graph the first processing time weighs more
        goal.shape = shape;
        goal.completion = goal.reference_completion = 0;
      }
      const Pair pair = compare(*run);
      const Millis round_trip = settings_like(*run).round_trip_ms;
      const Workload& workload = run->ledger.workload;
      const RunSummary measured = summary_of(pair.measured, workload, round_trip);
      add_schedule(table_, goal, &measured, summary_of(pair.simulated, workload, round_trip),
                   summary_of(pair.prototype, workload, round_trip));
    }
  }

  void add_mini() {
    const std::vector<const RealRun*> minis = of_kind("mini");
    if (minis.empty()) return;
    double measured = 0;
    double simulated = 0;
    double prototype = 0;
    for (const RealRun* run : minis) {
      const Pair pair = compare(*run);
      measured += pair.measured.makespan_ms;
      simulated += pair.simulated.makespan_ms;
      prototype += pair.prototype.makespan_ms;
    }
    const double each = 1 / (1'000.0 * static_cast<double>(minis.size()));
    table_.add({.name = "S4",
                .what = "nine entities, U(2,5), mean of " + std::to_string(minis.size()),
                .unit = Unit::seconds,
                .measured = measured * each,
                .simulated = simulated * each,
                .goal = kMiniSeconds,
                .reference = kMiniSecondsReference,
                .prototype = prototype * each});
  }

  Status add_simulated(const ScheduleGoal& goal) {
    RunPlan plan;
    plan.seeds = seeds_;
    const std::string shape(goal.shape);
    const std::string distribution(goal.distribution);
    const Result<RunSummary> simulated = summarize(shape, distribution, "daemon", plan);
    if (!simulated) return simulated.error();
    const Result<RunSummary> prototype = summarize(shape, distribution, "prototype", plan);
    if (!prototype) return prototype.error();
    add_schedule(table_, goal, nullptr, *simulated, *prototype);
    GoalRow eta{.name = "ETA",
                .what = "off by at most (" + shape + ", " + distribution + ")",
                .unit = Unit::share,
                .simulated = simulated->eta_error};
    if (goal.has_eta_goal()) eta.goal = kEtaError;
    if (shape == "std") table_.add(eta);
    return Done{};
  }

  Status add_simulated_mini() {
    RunPlan plan;
    plan.seeds = kMiniSeeds;
    const Result<RunSummary> simulated = summarize("mini", "unif", "daemon", plan);
    if (!simulated) return simulated.error();
    const Result<RunSummary> prototype = summarize("mini", "unif", "prototype", plan);
    if (!prototype) return prototype.error();
    table_.add({.name = "S4",
                .what = "nine entities, U(2,5), mean of " + std::to_string(kMiniSeeds),
                .unit = Unit::seconds,
                .simulated = simulated->makespan_s,
                .goal = kMiniSeconds,
                .reference = kMiniSecondsReference,
                .prototype = prototype->makespan_s});
    return Done{};
  }

  std::vector<RealRun> runs_;
  int seeds_;
  GoalTable table_;
};

}  // namespace

Result<Verdict> print_report(const std::string& folder, int seeds) {
  Result<std::vector<RealRun>> runs = read_runs(folder);
  if (!runs) return runs.error();
  return Report(std::move(*runs), seeds).print();
}

}  // namespace dl::bench
