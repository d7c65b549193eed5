// The simulator's jobs: made straight in the tables, and judged there at the end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dl::sim {

// `campaigns` x `ad_groups` x `ads`, published; own ids are unique over all kinds ("c1", "c1g2", "c1g2a3").
void make_graph(const std::string& path, int campaigns, int ad_groups, int ads);

enum class Doubt { may_stay, must_resolve };

struct GraphCheck {
  std::vector<std::string> violations;
  std::int64_t jobs = 0;
  std::int64_t succeeded = 0;
  std::vector<std::string> succeeded_ids;
};

// What the tables alone can show once a run has ended: every job at rest or waiting for a stated reason, no lease
// left, counters equal to what they count, history replaying to the present state, attempts within bounds.
GraphCheck check_graph(const std::string& path, Doubt doubt);

}  // namespace dl::sim
