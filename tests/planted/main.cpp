// dl-sim-mutants: can the simulator fail? Plants one fault after the other and says which seed
// found it. Each runs in a process of its own, for a check of the product may end it. The seeds are
// those of `dl-sim --first-seed`.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tests/planted/table.h"
#include "tests/sim/lean_sqlite.h"
#include "tests/sim/simulator.h"

namespace {

using dl::sim::Mutant;

constexpr std::uint64_t kSeriesApart = 1'000'000;

// The same build and seeds without a fault: what it found there, it would find in every mutant.
constexpr Mutant kControl{dl::Fault::none, "none (the control)", "", 1'000};

struct Options {
  bool quick = false;
  int series = 5;
  int jobs = 0;
  std::string only;
  std::uint64_t seed = 0;
};

struct Finding {  // shared with the child
  std::uint64_t seeds = 0;
  bool is_found = false;
  bool has_failed = false;  // the search itself
  char what[160] = {};
};

void search(const Mutant& mutant, std::uint64_t first_seed, Finding& finding) {
  dl::g_planted = mutant.fault;
  dl::sim::Simulator simulator;
  while (finding.seeds < mutant.within_seeds) {
    const std::uint64_t seed = first_seed + finding.seeds++;
    const dl::sim::Report report = simulator.run(seed, {}, dl::sim::Trace::off);
    if (report.violations.empty()) continue;
    std::strncpy(finding.what, report.violations.front().c_str(), sizeof finding.what - 1);
    finding.is_found = true;
    return;
  }
}

// A process that searches, and what it says on stderr.
struct Search {
  std::size_t which = 0;
  int words = -1;
};

pid_t begin(const Mutant& mutant, std::uint64_t first_seed, Finding& finding, int words) {
  const pid_t child = fork();
  if (child != 0) return child;
  dup2(words, STDERR_FILENO);
  search(mutant, first_seed, finding);
  _exit(0);
}

// Only a check of the product counts (DL_CHECK, storage/model/check.h): not a fault of the
// simulator, which would end the process just as well.
void end(int status, int words, Finding& finding) {
  char said[sizeof finding.what] = {};
  if (pread(words, said, sizeof said - 1, 0) < 0) said[0] = 0;
  close(words);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  finding.is_found =
      WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && std::strncmp(said, "bug: ", 5) == 0;
  if (finding.is_found) {
    std::strcpy(finding.what, "a check in the product ends the process");
  } else {
    finding.has_failed = true;
    std::fprintf(stderr, "the search itself failed (wait status %d): %s\n", status, said);
  }
}

// Every search, as many at once as there are processors. Search i: mutant i / series.
bool search_all(std::span<const Mutant> mutants, const Options& options,
                std::span<Finding> findings) {
  std::map<pid_t, Search> running;
  std::size_t next = 0;
  const auto jobs = static_cast<std::size_t>(options.jobs);
  const auto series = static_cast<std::size_t>(options.series);
  while (next < findings.size() || !running.empty()) {
    if (next < findings.size() && running.size() < jobs) {
      const std::uint64_t first_seed = 1 + next % series * kSeriesApart;
      const int words = memfd_create("words", MFD_CLOEXEC);
      if (words < 0) return false;
      const pid_t child = begin(mutants[next / series], first_seed, findings[next], words);
      if (child < 0) return false;
      running.emplace(child, Search{next++, words});
      continue;
    }
    int status = 0;
    const pid_t child = wait(&status);
    if (child < 0) return false;
    const Search& ended = running.at(child);
    end(status, ended.words, findings[ended.which]);
    running.erase(child);
  }
  return true;
}

// One line a mutant: the worst of its series.
bool print(const Mutant& mutant, std::span<const Finding> series) {
  const Finding* worst = &series.front();
  for (const Finding& finding : series) {
    const bool is_worse = !finding.is_found || finding.seeds > worst->seeds;
    if (worst->is_found && is_worse) worst = &finding;
  }
  std::printf("%-44s %-28s %6llu %6s  %s\n", std::string(mutant.name).c_str(),
              std::string(mutant.promise).c_str(),
              static_cast<unsigned long long>(mutant.within_seeds),
              worst->is_found ? std::to_string(worst->seeds).c_str() : "-",
              worst->is_found ? worst->what : "NOT FOUND");
  return worst->is_found;
}

// False: it found something, so nothing that was found proves anything.
bool print_control(std::span<const Finding> series) {
  const auto found = std::ranges::find_if(
      series, [](const Finding& finding) { return finding.is_found || finding.has_failed; });
  const bool is_silent = found == series.end();
  std::printf("%-44s %-28s %6llu %6s  %s\n", std::string(kControl.name).c_str(), "",
              static_cast<unsigned long long>(kControl.within_seeds), "-",
              is_silent           ? "nothing, as it must be"
              : found->has_failed ? "THE SEARCH FAILED"
                                  : found->what);
  return is_silent;
}

int replay(const Mutant& mutant, std::uint64_t seed) {
  dl::g_planted = mutant.fault;
  return dl::sim::Simulator().run(seed, {}, dl::sim::Trace::on).violations.empty() ? 1 : 0;
}

int run(const Options& options) {
  std::vector<Mutant> wanted;
  for (const Mutant& mutant : dl::sim::mutants()) {
    if (mutant.name.find(options.only) != std::string_view::npos) wanted.push_back(mutant);
  }
  if (options.seed != 0) return wanted.size() == 1 ? replay(wanted.front(), options.seed) : 64;
  if (wanted.empty()) return 64;
  wanted.push_back(kControl);
  const auto series = static_cast<std::size_t>(options.series);
  const std::size_t searches = wanted.size() * series;
  void* shared = mmap(nullptr, searches * sizeof(Finding), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 70;
  const std::span<Finding> findings(static_cast<Finding*>(shared), searches);
  std::printf("%-44s %-28s %6s %6s  %s\n", "planted fault", "promise broken", "within", "seeds",
              "what was seen");
  std::fflush(stdout);
  if (!search_all(wanted, options, findings)) return 70;
  const std::size_t mutants = wanted.size() - 1;
  std::size_t found = 0;
  for (std::size_t i = 0; i < mutants; ++i) {
    found += print(wanted[i], findings.subspan(i * series, series)) ? 1U : 0U;
  }
  const bool is_sound = print_control(findings.subspan(mutants * series, series));
  if (!is_sound) std::printf("the control found something without a fault: look at that first\n");
  std::printf("%zu of %zu mutants found\n", found, mutants);
  return found == mutants && is_sound ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.jobs = static_cast<int>(std::clamp(sysconf(_SC_NPROCESSORS_ONLN), 1L, 64L));
  CLI::App app("Plants faults: does the simulator find each?", "dl-sim-mutants");
  app.add_flag("--quick", options.quick, "one series of seeds a fault, not five");
  app.add_option("--jobs", options.jobs, "processes at once (one a processor)")
      ->check(CLI::Range(1, 64));
  app.add_option("--only", options.only, "faults whose name contains this");
  app.add_option("--seed", options.seed, "with --only, of one fault: run this seed with a trace");
  CLI11_PARSE(app, argc, argv);
  dl::sim::make_sqlite_lean();
  if (options.quick) options.series = 1;
  return run(options);
}
