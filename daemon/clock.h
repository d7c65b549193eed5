// The only place that reads a clock for the daemon. DL_TIME_SCALE=k makes it run k times as fast,
// so that every constant scales together against a mock scaled alike; main accepts it for loopback
// endpoints only. Thread rule: a value; any thread may call now().
#pragma once

#include <chrono>
#include <cstdint>

#include "storage/model/moment.h"

namespace dl {

class Clock {
 public:
  explicit Clock(double scale) : scale_(scale) {}
  Moment now() const;
  // The real time that `span` of this clock takes, rounded up to at least a microsecond.
  std::chrono::microseconds real(Millis span) const;
  // A real span as this clock sees it, in microseconds.
  std::int64_t scaled_us(std::int64_t real_us) const {
    return static_cast<std::int64_t>(static_cast<double>(real_us) * scale_);
  }
  double scale() const { return scale_; }

 private:
  double scale_;
};

}  // namespace dl
