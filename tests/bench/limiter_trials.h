// The limiter under trouble, and before servers that allow less than we were told: the research
// note's tables A and C with the daemon's own limiter and dispatcher.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/model/result.h"
#include "tests/bench/policy_sim.h"

namespace dl::bench {

struct TrialPlan {
  int hours = 6;
  int seeds = 3;
};

// A client with always something to send.
struct TroubleTrial {
  std::string name;
  std::int64_t most_in_window = 0;
  double use = 0;             // of the limit, of the whole time
  double use_of_up_time = 0;  // of the time between a start and a kill
  int kills = 0;
  bool is_clean = true;
};
std::vector<TroubleTrial> run_trouble_trials(const TrialPlan& plan);

// The server allows 30 a minute for two hours, then 40 for two hours; we are set to 40.
struct RefusalTrial {
  std::string server;
  double refused = 0;  // of the requests of the first two hours, 0 to 1
  double accepted_per_minute = 0;
  double accepted_per_minute_after = 0;
  double minutes_to_36 = 0;  // after the rise, until 36 a minute are accepted; 0: never
};
std::vector<RefusalTrial> run_refusal_trials(const TrialPlan& plan);

Status print_trials(const TrialPlan& plan);

}  // namespace dl::bench
