// One seed, one run: the real dispatcher, limiter, schedule and store, on real SQLite, on a disk
// that loses what was not synced, against a model DSP, in virtual time. A point is one crash (the
// daemon is killed or the machine loses power, between two inputs or in the middle of a write) and
// the recovery from it. A run ends when nothing is left that could be sent; the promises (I1 to I9
// of the research note) are checked on the way. Thread rule: one thread; a Simulator serves many
// seeds, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/scenario.h"
#include "tests/sim/world.h"

namespace dl::sim {

struct Counts {
  std::int64_t points = 0;
  std::int64_t power_losses = 0;   // of the points
  std::int64_t in_the_middle = 0;  // of the points
  std::int64_t stops = 0;
  std::int64_t acts = 0;
  std::int64_t batches = 0;
  std::int64_t steps = 0;
  std::int64_t requests = 0;
  std::int64_t virtual_ms = 0;
  std::int64_t succeeded = 0;
  std::int64_t jobs = 0;
};

struct Report : Counts {
  std::vector<std::string> violations;
};

class Simulator {
 public:
  Simulator();
  ~Simulator();
  Report run(std::uint64_t seed, const Wishes& wishes, Trace trace);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace dl::sim
