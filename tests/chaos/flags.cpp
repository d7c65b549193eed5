#include "tests/chaos/flags.h"

#include <cstdlib>

namespace dl::chaos {

bool parse(int argc, char** argv, std::string_view amount_flag, Flags& flags) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--trace") {
      flags.trace = true;
      continue;
    }
    if (++i == argc) return false;
    char* end = nullptr;
    const std::uint64_t value = std::strtoull(argv[i], &end, 10);
    if (*end != '\0') return false;
    if (name == amount_flag) {
      flags.amount = static_cast<std::int64_t>(value);
    } else if (name == "--seed") {
      flags.seed = value;
    } else if (name == "--jobs" && value >= 1 && value <= 64) {
      flags.jobs = static_cast<int>(value);
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace dl::chaos
