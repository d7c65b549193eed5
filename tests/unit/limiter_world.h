// A client that obeys the limiter, and a DSP on the other side of an unreliable line that writes
// down when it counts each request. Virtual time, one seed a run.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/core/limiter.h"

namespace dl {

struct WorldOptions {
  std::uint64_t seed = 1;
  LimiterPolicy policy;
  Millis delay_max_ms = 100;    // each way, uniform from 0
  double lost_chance = 0;       // the answer never comes; the request may still arrive, until D
  double not_sent_chance = 0;   // no byte left
  double told_chance = 0;       // of an answer that says by RateLimit headers that some are left
  double refused_chance = 0;    // 429, which the DSP counts like any other
  Millis restart_every_ms = 0;  // 0: never. Dies with its requests on the wire, which still arrive
  Millis down_max_ms = 0;       // uniform from 0
  Millis timeout_ms = 20'000;
  Millis lasts_ms = 3'600'000;
  int in_flight_max = 1'000;
};

struct WorldReport {
  std::vector<std::int64_t> counted_ms;  // when the DSP counted each request, ascending
  std::int64_t up_ms = 0;                // how long the client ran
  int restarts = 0;

  // The most requests in any half-open window [t, t + window_ms).
  int fullest_window(Millis window_ms) const;
};

WorldReport run_world(const WorldOptions& options);

}  // namespace dl
