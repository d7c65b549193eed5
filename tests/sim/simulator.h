// One seed replays a day: the real dispatcher and the real store on a real SQLite file, a model DSP, a virtual
// clock, and a crash between any two inputs. The interpreter of the dispatcher's commands is a queue of events;
// a crash drops the dispatcher, the store and every event of the process, but not what is on its way to
// the DSP.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "daemon/core/dispatcher.h"
#include "storage/store.h"
#include "tests/sim/model_dsp.h"

namespace dl::sim {

struct SimOptions {
  std::uint64_t seed = 1;
  std::string folder;            // where the database is made
  int campaigns = 3;
  int ad_groups = 2;
  int ads = 2;
  Honours honours = Honours::keys;  // decides unknown_outcome: resubmit, lookup or hold
  int crashes_max = 8;
  double crash_chance = 0.02;    // before each input
  std::vector<Tier> limit{{40, 60'000}};
  bool trace = false;            // prints every input and command
};

struct SimReport {
  std::vector<std::string> violations;
  int crashes = 0;
  std::int64_t inputs = 0;
  std::int64_t requests = 0;
  std::int64_t virtual_ms = 0;
  std::int64_t succeeded = 0;
  std::int64_t jobs = 0;
};

SimReport simulate(const SimOptions& options);

}  // namespace dl::sim
