// dl-sim-mutants: can the simulator fail? Plants one fault after the other and says which seed
// found it. Each runs in processes of its own, for a check of the product may end them.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/planted/table.h"
#include "tests/sim/simulator.h"

namespace {

using dl::sim::Mutant;

struct Finding {  // shared with the child
  std::uint64_t seed = 0;
  bool is_found = false;
  char what[160] = {};
};

void search(const Mutant& mutant, Finding& finding, double seconds) {
  dl::g_planted = mutant.fault;
  const auto started = std::chrono::steady_clock::now();
  dl::sim::Simulator simulator;
  for (std::uint64_t seed = 1; seed <= mutant.within_seeds; ++seed) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started;
    if (passed.count() > seconds) return;
    finding.seed = seed;
    const dl::sim::Report report = simulator.run(seed, {}, dl::sim::Trace::off);
    if (report.violations.empty()) continue;
    std::strncpy(finding.what, report.violations.front().c_str(), sizeof finding.what - 1);
    finding.is_found = true;
    return;
  }
}

pid_t begin(const Mutant& mutant, Finding& finding, double seconds) {
  const pid_t child = fork();
  if (child != 0) return child;
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
  search(mutant, finding, seconds);
  _exit(0);
}

void end(pid_t child, Finding& finding) {
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSIGNALED(status)) return;
  finding.is_found = true;
  std::strcpy(finding.what, "a check in the product ends the process");
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  const double seconds = quick ? 20 : 600;  // for each fault
  const auto all = dl::sim::mutants();
  auto* findings =
      static_cast<Finding*>(mmap(nullptr, all.size() * sizeof(Finding), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (findings == MAP_FAILED) return 70;
  std::fflush(stdout);
  std::printf("%-44s %-28s %6s %6s  %s\n", "planted fault", "promise broken", "within", "seed",
              "what was seen");
  std::size_t found = 0;
  const auto jobs = static_cast<std::size_t>(std::clamp(sysconf(_SC_NPROCESSORS_ONLN), 1L, 64L));
  for (std::size_t first = 0; first < all.size(); first += jobs) {
    const std::size_t last = std::min(first + jobs, all.size());
    std::fflush(stdout);
    pid_t children[64] = {};
    for (std::size_t i = first; i < last; ++i)
      children[i - first] = begin(all[i], findings[i], seconds);
    for (std::size_t i = first; i < last; ++i) {
      end(children[i - first], findings[i]);
      const Finding& finding = findings[i];
      found += finding.is_found ? 1 : 0;
      std::printf("%-44s %-28s %6llu %6s  %s\n", std::string(all[i].name).c_str(),
                  std::string(all[i].promise).c_str(),
                  static_cast<unsigned long long>(all[i].within_seeds),
                  finding.is_found ? std::to_string(finding.seed).c_str() : "-",
                  finding.is_found ? finding.what : "NOT FOUND");
    }
  }
  std::printf("%zu of %zu mutants found\n", found, all.size());
  return found == all.size() ? 0 : 1;
}
