// The judge of a run: the figures of designs 3 and 4, counted from what the server saw. The same
// for the simulated runs and for the real daemon's, whose exchanges are read from the mock's
// ledger. Pure. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/model/moment.h"
#include "storage/model/rate_spec.h"

namespace dl::bench {

// One request, as the server saw it; times in ms on the server's clock.
struct Exchange {
  double arrived = 0;
  double answered = 0;
  int campaign = -1;
  bool refused = false;   // 429
  bool finished = false;  // the client was told that an entity is done
};

struct Figures {
  std::int64_t entities = 0;  // finished
  std::int64_t requests = 0;
  double per_entity = 0;
  double makespan_ms = 0;           // from the first arrival to the last answer
  double mean_completion_ms = 0;    // of the campaigns
  std::int64_t most_in_window = 0;  // arrivals in the fullest half-open window, refused ones too
  double use = 0;                   // of the limit, in the whole windows from the second on; 0 to 1
  double refused = 0;               // of the requests, 0 to 1
};

// `exchanges`: in any order. Times count from the first arrival.
Figures judge(std::vector<Exchange> exchanges, const Tier& limit);

// The most moments in any half-open window; `moments` ascending.
std::int64_t most_in_window(const std::vector<double>& moments, double window);

}  // namespace dl::bench
