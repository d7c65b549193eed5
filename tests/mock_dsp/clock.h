// The mock's time, in microseconds. It runs `scale` times as fast as the machine's, so that an hour
// of processing times and limit windows passes in minutes. Both times come from CLOCK_BOOTTIME, the
// clock that the daemon's limiter uses: several ledgers of one boot can be compared.
// Thread rule: values, callable from any thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <ctime>

namespace dl::mock {

using Micros = std::int64_t;

struct Instant {
  Micros real_us = 0;    // CLOCK_BOOTTIME
  Micros scaled_us = 0;  // the same moment on the mock's own clock
};

class Clock {
 public:
  explicit Clock(double scale) : scale_(scale) {}

  Instant now() const {
    timespec time{};
    clock_gettime(CLOCK_BOOTTIME, &time);
    const Micros real_us = Micros{time.tv_sec} * 1'000'000 + time.tv_nsec / 1'000;
    return {real_us, scaled(real_us)};
  }
  // A span or a moment of the machine's time on the mock's clock, and the reverse.
  Micros scaled(Micros real_us) const {
    return std::llround(static_cast<double>(real_us) * scale_);
  }
  Micros real(Micros scaled_us) const {
    return static_cast<Micros>(std::ceil(static_cast<double>(scaled_us) / scale_));
  }

 private:
  double scale_;
};

}  // namespace dl::mock
