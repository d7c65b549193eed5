// dl-sim: runs seeds of the simulator until enough points were seen, or replays one with a trace.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <vector>

#include "tests/sim/lean_sqlite.h"
#include "tests/sim/simulator.h"

namespace {

using dl::sim::Counts;
using dl::sim::Focus;
using dl::sim::Honours;
using dl::sim::Report;
using dl::sim::Shape;

struct Options {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 0;
  std::int64_t points = 0;
  int jobs = 1;
  bool trace = false;
  dl::sim::Wishes wishes;
};

// What one process counted. Plain numbers, so that they go through a pipe as they are.
struct Sum {
  Counts counts;
  std::uint64_t seeds = 0;
  std::uint64_t violations = 0;
};

void add_up(Counts& total, const Counts& report) {
  total.points += report.points;
  total.power_losses += report.power_losses;
  total.in_the_middle += report.in_the_middle;
  total.stops += report.stops;
  total.acts += report.acts;
  total.batches += report.batches;
  total.steps += report.steps;
  total.requests += report.requests;
  total.virtual_ms += report.virtual_ms;
  total.succeeded += report.succeeded;
  total.jobs += report.jobs;
}

void print_summary(const Counts& total, std::uint64_t seeds, double seconds) {
  std::printf(
      "%llu seeds: %lld power losses and %lld kills, %lld of them in the middle of a write; "
      "%lld stops, %lld acts, %lld sheets; %lld requests, %lld of %lld jobs succeeded; "
      "%lld virtual days in %.1f s, %.0f points/s\n",
      static_cast<unsigned long long>(seeds), static_cast<long long>(total.power_losses),
      static_cast<long long>(total.points - total.power_losses),
      static_cast<long long>(total.in_the_middle), static_cast<long long>(total.stops),
      static_cast<long long>(total.acts), static_cast<long long>(total.batches),
      static_cast<long long>(total.requests), static_cast<long long>(total.succeeded),
      static_cast<long long>(total.jobs), static_cast<long long>(total.virtual_ms / 86'400'000),
      seconds, static_cast<double>(total.points) / seconds);
}

// The seeds of one process: each `jobs`-th one, until it has its share.
Sum run_share(const Options& options, int job) {
  dl::sim::Simulator simulator;
  Sum sum;
  const auto jobs = static_cast<std::uint64_t>(options.jobs);
  const std::int64_t points = (options.points + options.jobs - 1) / options.jobs;
  for (std::uint64_t n = static_cast<std::uint64_t>(job);; n += jobs) {
    if (options.points > 0 ? sum.counts.points >= points : n >= options.seeds) break;
    const std::uint64_t seed = options.first_seed + n;
    const Report report = simulator.run(seed, options.wishes,
                                        options.trace ? dl::sim::Trace::on : dl::sim::Trace::off);
    add_up(sum.counts, report);
    ++sum.seeds;
    sum.violations += report.violations.size();
    for (const std::string& what : report.violations) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), what.c_str());
      std::fflush(stdout);
    }
  }
  return sum;
}

// Seeds know nothing of each other, so a process each is enough. Nothing: a process did not come to
// its end.
std::optional<Sum> run_in_processes(const Options& options) {
  std::vector<int> ends;
  for (int job = 0; job < options.jobs; ++job) {
    int pipe_ends[2];
    if (pipe(pipe_ends) != 0) return std::nullopt;
    const pid_t child = fork();
    if (child < 0) return std::nullopt;
    if (child == 0) {
      const Sum sum = run_share(options, job);
      const bool told = write(pipe_ends[1], &sum, sizeof sum) == static_cast<ssize_t>(sizeof sum);
      std::_Exit(told ? 0 : 1);
    }
    close(pipe_ends[1]);
    ends.push_back(pipe_ends[0]);
  }
  Sum total;
  bool complete = true;
  for (const int end : ends) {
    Sum sum;
    complete = read(end, &sum, sizeof sum) == static_cast<ssize_t>(sizeof sum) && complete;
    close(end);
    add_up(total.counts, sum.counts);
    total.seeds += sum.seeds;
    total.violations += sum.violations;
  }
  while (wait(nullptr) > 0) {
  }
  return complete ? std::optional(total) : std::nullopt;
}

int run(const Options& options) {
  const auto started = std::chrono::steady_clock::now();
  const std::optional<Sum> total =
      options.jobs == 1 ? run_share(options, 0) : run_in_processes(options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  if (!total) {
    std::fputs("dl-sim: one of the processes did not come to its end\n", stderr);
    return 70;
  }
  print_summary(total->counts, total->seeds, took.count());
  std::printf("%lld points, %llu violations\n", static_cast<long long>(total->counts.points),
              static_cast<unsigned long long>(total->violations));
  return total->violations == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Crashes at every step, checked against the promises.", "dl-sim");
  std::uint64_t one_seed = 0;
  const std::map<std::string, Honours> honours = {
      {"keys", Honours::keys}, {"lookups", Honours::lookups}, {"nothing", Honours::nothing}};
  const std::map<std::string, Shape> shapes = {{"deep", Shape::deep},
                                               {"wide", Shape::wide},
                                               {"crossed", Shape::crossed},
                                               {"crowd", Shape::crowd}};
  const std::map<std::string, Focus> focuses = {
      {"anything", Focus::anything}, {"crowd", Focus::crowd},
      {"reboots", Focus::reboots},   {"refusals", Focus::refusals},
      {"old-keys", Focus::old_keys}, {"late-work", Focus::late_work}};
  app.add_option("--points", options.points, "run seeds until so many points were seen");
  app.add_option("--seeds", options.seeds, "run so many seeds (default 200)");
  app.add_option("--first-seed", options.first_seed, "begin with this seed (default 1)");
  app.add_option("--jobs", options.jobs, "processes that share the seeds (1)")
      ->check(CLI::Range(1, 64));
  app.add_option("--seed", one_seed, "run this seed alone");
  app.add_flag("--trace", options.trace, "say what happens");
  app.add_option("--honours", options.wishes.honours, "what the DSP offers against doubt")
      ->transform(CLI::CheckedTransformer(honours));
  app.add_option("--shape", options.wishes.shape, "of the jobs")
      ->transform(CLI::CheckedTransformer(shapes));
  app.add_option("--focus", options.wishes.focus, "what the seeds lean on (each its own)")
      ->transform(CLI::CheckedTransformer(focuses));
  CLI11_PARSE(app, argc, argv);
  dl::sim::make_sqlite_lean();
  if (one_seed != 0) {
    options.first_seed = one_seed;
    options.seeds = 1;
    options.points = 0;
    options.jobs = 1;
  } else if (options.seeds == 0 && options.points == 0) {
    options.seeds = 200;
  }
  return run(options);
}
