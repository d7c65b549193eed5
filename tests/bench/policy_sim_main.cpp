// dl-policy-sim: the daemon's policy in a pure simulator, against the reference and the prototype.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/bench/limiter_trials.h"
#include "tests/bench/limits_report.h"
#include "tests/bench/policy_runs.h"

namespace {

constexpr const char* kAbout =
    "The daemon's own limiter and schedule in a discrete-event simulator.\n\n"
    "  dl-policy-sim run --shape std --dist unif,logn --seeds 3\n"
    "  dl-policy-sim run --policy prototype --dist slow\n"
    "  dl-policy-sim limiter                          the limiter under trouble and refusals\n";

void declare_run(CLI::App& app, dl::bench::RunPlan& plan) {
  app.add_option("--shape", plan.shapes, std::string(dl::bench::kShapeNames))->delimiter(',');
  app.add_option("--dist", plan.distributions, std::string(dl::bench::kDistributionNames))
      ->delimiter(',');
  app.add_option("--policy", plan.policies,
                 "daemon, prototype (polls without end), prototype-as-written")
      ->delimiter(',')
      ->check(CLI::IsMember({"daemon", "prototype", "prototype-as-written"}));
  app.add_option("--seeds", plan.seeds, "runs each with seeds 1 to this (3)")
      ->check(CLI::Range(1, 10'000));
  app.add_option("--seed", plan.first_seed, "runs this seed only");
  app.add_option("--rtt-ms", plan.settings.round_trip_ms, "from request to answer (100)");
  app.add_option("--commit-ms", plan.settings.commit_ms, "of each transaction (0)");
  app.add_option("--burst", plan.settings.limiter.burst, "of the pace (0: N/4)");
  app.add_flag("--strict", plan.settings.limiter.strict, "W/N after each answer");
}

int complain(const dl::Error& error) {
  std::fprintf(stderr, "dl-policy-sim: %s\n", error.message.c_str());
  return static_cast<int>(error.code);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kAbout, "dl-policy-sim");
  app.require_subcommand(1);
  dl::bench::RunPlan plan;
  CLI::App* const run = app.add_subcommand("run", "submit graphs and print their figures");
  declare_run(*run, plan);
  dl::bench::TrialPlan trials;
  CLI::App* const limiter = app.add_subcommand("limiter", "the limiter under trouble and refusals");
  limiter->add_option("--hours", trials.hours, "of each trial with trouble (6)");
  limiter->add_option("--seeds", trials.seeds, "of each (3)");
  std::string folder;
  CLI::App* const report =
      app.add_subcommand("report", "judge the runs in a folder against the goals");
  report->add_option("FOLDER", folder, "as tests/bench/limits.sh leaves it")->required();
  report->add_option("--seeds", plan.seeds, "of what is only simulated (3)");
  CLI11_PARSE(app, argc, argv);
  if (report->parsed()) {
    const dl::Result<dl::bench::Verdict> verdict = dl::bench::print_report(folder, plan.seeds);
    if (!verdict) return complain(verdict.error());
    return *verdict == dl::bench::Verdict::all_met ? 0 : static_cast<int>(dl::Errc::incomplete);
  }
  const dl::Status done =
      run->parsed() ? dl::bench::print_runs(plan) : dl::bench::print_trials(trials);
  return done ? 0 : complain(done.error());
}
