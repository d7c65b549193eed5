#include "daemon/clock.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "storage/fault/fault_point.h"

namespace dl {
namespace {

// A scaled wall clock runs fast from here on, the same for all processes: 2026-01-01.
constexpr double kScaleEpochMs = 1'767'225'600'000.0;

double read_ms(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

Moment Clock::now() const {
  const double boot = read_ms(CLOCK_BOOTTIME) * scale_;
  const double wall =
      kScaleEpochMs + (read_ms(CLOCK_REALTIME) - kScaleEpochMs) * scale_ + DL_FAULT_WALL_STEP_MS();
  return Moment{static_cast<std::int64_t>(boot), static_cast<std::int64_t>(wall)};
}

std::chrono::microseconds Clock::real(Millis span) const {
  const double us = std::ceil(static_cast<double>(span) * 1e3 / scale_);
  return std::chrono::microseconds{std::max<std::int64_t>(1, static_cast<std::int64_t>(us))};
}

}  // namespace dl
