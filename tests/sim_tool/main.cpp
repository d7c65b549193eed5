// dl-sim: runs seeds of the simulator, or replays one with a trace.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "tests/sim/simulator.h"

namespace {

int usage() {
  std::fputs("usage: dl-sim [--honours keys|lookups|nothing] [--seed N [--trace]] [--seeds N]\n"
             "  --seed N     runs one seed; --trace prints every input and command\n"
             "  --seeds N    runs seeds 1 to N (default 200)\n"
             "  --honours X  what the model DSP offers against doubt (default keys)\n", stderr);
  return 64;
}

}  // namespace

int main(int argc, char** argv) {
  dl::sim::SimOptions options;
  options.folder = "/dev/shm/dl-sim-" + std::to_string(getpid());
  std::uint64_t first = 1;
  std::uint64_t last = 200;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (flag == "--trace") {
      options.trace = true;
      continue;
    }
    ++i;
    if (value.empty()) return usage();
    if (flag == "--seed") {
      first = last = std::strtoull(value.c_str(), nullptr, 10);
    } else if (flag == "--seeds") {
      last = std::strtoull(value.c_str(), nullptr, 10);
    } else if (flag == "--honours" && value == "keys") {
      options.honours = dl::sim::Honours::keys;
    } else if (flag == "--honours" && value == "lookups") {
      options.honours = dl::sim::Honours::lookups;
    } else if (flag == "--honours" && value == "nothing") {
      options.honours = dl::sim::Honours::nothing;
    } else {
      return usage();
    }
  }
  long long crashes = 0;
  long long violations = 0;
  for (options.seed = first; options.seed <= last; ++options.seed) {
    const dl::sim::SimReport report = dl::sim::simulate(options);
    crashes += report.crashes;
    violations += static_cast<long long>(report.violations.size());
    for (const std::string& what : report.violations) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(options.seed), what.c_str());
    }
  }
  std::printf("%lld points, %lld violations\n", crashes, violations);
  return violations == 0 ? 0 : 1;
}
