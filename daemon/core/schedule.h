// When to look again whether the DSP has processed an entity. A seam: the dispatcher asks only these
// questions, so a learning schedule replaces the growing delay without touching it.
// Pure: ages are counted from the moment the creation was sent. Not thread-safe; the Dispatcher owns it.
#pragma once

#include "storage/model/job.h"
#include "storage/model/moment.h"

namespace dl {

enum class Pace {
  limited,    // a permit is scarce: an early look costs a POST
  unlimited,  // looks are free: at once, then soon
};

class Schedule {
 public:
  explicit Schedule(Pace pace) : pace_(pace) {}

  // The age at which the next look is due. `looked_age_ms`: age at the last undecided look, or nothing
  // when there was none (-1).
  Millis next_look_age(JobKind kind, Millis looked_age_ms) const;

 private:
  Pace pace_;
};

// No look was taken yet.
inline constexpr Millis kNeverLooked = -1;

}  // namespace dl
