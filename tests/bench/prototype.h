// The policy of the Python prototype, to compare with: three workers, each with a third of the
// campaigns and one entity in hand at a time; a status poll at once and then every 2 s; after 21
// polls the attempt has failed, and the whole campaign is posted again from the start, three times
// at most. Its own limiter is one for each worker, so it sends three times what is allowed; here it
// is granted one that all share: the daemon's.
// Pure. Thread rule: one thread.
#pragma once

#include "tests/bench/policy_sim.h"

namespace dl::bench {

enum class Patience {
  as_written,  // 21 polls, then again from the start: slow processing ends in duplicates and loss
  endless,     // polls until it is done, as the reference simulator grants it
};

struct PrototypeRun {
  std::vector<Exchange> exchanges;
  std::int64_t created_twice = 0;  // entities that the DSP has more than once
  std::int64_t campaigns_lost = 0;
};

PrototypeRun simulate_prototype(const Workload& workload, const SimSettings& settings,
                                Patience patience);

}  // namespace dl::bench
