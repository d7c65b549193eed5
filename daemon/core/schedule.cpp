#include "daemon/core/schedule.h"

#include <algorithm>

namespace dl {
namespace {

// Limited: the first look after the usual few seconds of processing, then half as late again each time.
constexpr Millis kFirstLook = 4'000;
constexpr Millis kLongestStep = 300'000;
// Unlimited (design 3): at once, then at age x 1.5, at least 5 ms and at most 2 s apart.
constexpr Millis kShortestFreeStep = 5;
constexpr Millis kLongestFreeStep = 2'000;

}  // namespace

Millis Schedule::next_look_age(JobKind, Millis looked_age_ms) const {
  switch (pace_) {
    case Pace::limited:
      if (looked_age_ms == kNeverLooked) return kFirstLook;
      return looked_age_ms + std::clamp(looked_age_ms / 2, kFirstLook / 4, kLongestStep);
    case Pace::unlimited:
      if (looked_age_ms == kNeverLooked) return 0;
      return looked_age_ms + std::clamp(looked_age_ms / 2, kShortestFreeStep, kLongestFreeStep);
  }
  return kFirstLook;
}

}  // namespace dl
