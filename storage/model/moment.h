// Time is an argument. A Moment carries both clocks, read together at the edge (daemon/clock.h):
// CLOCK_BOOTTIME decides (limiter, settle time, back-off), the wall clock is only stored for
// people. Two boot times may be compared only under the same boot key (boot id + time namespace).
#pragma once

#include <cstdint>

namespace dl {

using Millis = std::int64_t;  // a span in milliseconds

struct Moment {
  // CLOCK_BOOTTIME: never steps, counts suspend, common to all processes of a boot
  std::int64_t boot_ms = 0;
  std::int64_t wall_ms = 0;  // milliseconds UTC since 1970
};

}  // namespace dl
