// dl-sim: runs seeds of the simulator until enough points were seen, or replays one with a trace.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>

#include "tests/sim/simulator.h"

namespace {

using dl::sim::Honours;
using dl::sim::Report;
using dl::sim::Shape;

struct Options {
  std::uint64_t first_seed = 1;
  std::uint64_t seeds = 0;
  std::int64_t points = 0;
  bool trace = false;
  dl::sim::Wishes wishes;
};

void add_up(Report& total, const Report& report) {
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

void print_summary(const Report& total, std::uint64_t seeds, double seconds) {
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

int run(const Options& options) {
  const auto started = std::chrono::steady_clock::now();
  dl::sim::Simulator simulator;
  Report total;
  std::uint64_t seed = options.first_seed;
  for (;; ++seed) {
    const bool enough = options.points > 0 ? total.points >= options.points
                                           : seed - options.first_seed >= options.seeds;
    if (enough) break;
    const Report report = simulator.run(seed, options.wishes,
                                        options.trace ? dl::sim::Trace::on : dl::sim::Trace::off);
    add_up(total, report);
    for (const std::string& what : report.violations) {
      total.violations.push_back(what);
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), what.c_str());
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  print_summary(total, seed - options.first_seed, took.count());
  std::printf("%lld points, %zu violations\n", static_cast<long long>(total.points),
              total.violations.size());
  return total.violations.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Crashes at every step, checked against the promises.", "dl-sim");
  std::uint64_t one_seed = 0;
  const std::map<std::string, Honours> honours = {
      {"keys", Honours::keys}, {"lookups", Honours::lookups}, {"nothing", Honours::nothing}};
  const std::map<std::string, Shape> shapes = {
      {"deep", Shape::deep}, {"wide", Shape::wide}, {"crossed", Shape::crossed}};
  app.add_option("--points", options.points, "run seeds until so many points were seen");
  app.add_option("--seeds", options.seeds, "run so many seeds (default 200)");
  app.add_option("--first-seed", options.first_seed, "begin with this seed (default 1)");
  app.add_option("--seed", one_seed, "run this seed alone");
  app.add_flag("--trace", options.trace, "say what happens");
  app.add_option("--honours", options.wishes.honours, "what the DSP offers against doubt")
      ->transform(CLI::CheckedTransformer(honours));
  app.add_option("--shape", options.wishes.shape, "of the jobs")
      ->transform(CLI::CheckedTransformer(shapes));
  CLI11_PARSE(app, argc, argv);
  if (one_seed != 0) {
    options.first_seed = one_seed;
    options.seeds = 1;
    options.points = 0;
  } else if (options.seeds == 0 && options.points == 0) {
    options.seeds = 200;
  }
  return run(options);
}
