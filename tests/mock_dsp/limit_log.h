// The mock's rate limit: a log of arrivals, exact for every half-open window. A request that
// arrives at t is admitted by a tier (N, W) if fewer than N requests were counted in (t - W, t].
// Pure: time is an argument. Thread rule: one owner.
#pragma once

#include <optional>
#include <vector>

#include "storage/model/rate_spec.h"
#include "tests/mock_dsp/clock.h"

namespace dl::mock {

enum class Refused { not_counted, counted };

class LimitLog {
 public:
  LimitLog(const std::vector<Tier>& tiers, Refused refused);

  // `now_us` never decreases. Nothing: admitted and counted. Else: refused; the time in µs until
  // every tier would admit a request.
  std::optional<Micros> admit(Micros now_us);

 private:
  // The moments of the last N counted requests; `oldest` is overwritten next.
  struct Log {
    Micros window_us;
    std::vector<Micros> arrivals_us;
    std::size_t oldest = 0;
  };
  void count(Micros now_us);

  std::vector<Log> logs_;
  Refused refused_;
};

}  // namespace dl::mock
