// The policy simulator: the daemon's own brain (daemon/core: dispatcher, limiter, schedule) over
// tables in memory and a DSP that is a function of time, as a queue of events. A day of a limited
// run takes a second, and one seed gives one run.
//
// What it leaves out is what costs no permit: SQL, sockets, JSON. What it keeps: commits and round
// trips take time, a kill drops the brain and not what is on the wire, and slots are remembered as
// the ledger remembers them.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/limiter.h"
#include "tests/bench/figures.h"
#include "tests/bench/workload.h"

namespace dl::bench {

// What the server allows, and from when on.
struct ServerPhase {
  Millis from_ms = 0;
  Tier limit;
};

struct SimSettings {
  LimiterPolicy limiter{.tiers = {{40, 60'000}}};
  Millis round_trip_ms = 100;
  Millis commit_ms = 0;
  Millis http_timeout_ms = 120'000;
  // Trouble.
  bool spikes = false;      // each way about 80 ms, and 1 % of them 1 to 8 s
  double lost_answers = 0;  // the request arrives up to late_ms late, its answer never
  Millis late_ms = 60'000;
  Millis kill_every_ms = 0;     // on average; 0: never
  Millis down_max_ms = 20'000;  // after a kill
  std::string server = "none";  // of kServerLimitNames
  std::vector<ServerPhase> server_phases;
  Millis end_ms = 0;  // 0: when the work is done
  std::uint64_t seed = 1;
};

struct EtaPoint {
  Millis at_ms = 0;
  Millis left_ms = 0;  // what the daemon would have said
};

struct SimRun {
  std::vector<Exchange> exchanges;  // in order of arrival
  std::vector<EtaPoint> etas;
  bool drained = false;
  int kills = 0;
  Millis down_ms = 0;
  std::uint64_t fingerprint = 0;  // of every exchange: equal runs have equal ones
};

SimRun simulate(const Workload& workload, const SimSettings& settings);

// How wrong the run's ETAs were against the truth, as a share of the time left, at worst between
// the first tenth of the run and its last window.
double worst_eta_error(const SimRun& run, Millis makespan_ms, Millis window_ms);

}  // namespace dl::bench
