// When the work will be done: the rate is known and so is the graph. Pure; callable from any thread.
#pragma once

#include <optional>
#include <string>

#include "storage/model/moment.h"
#include "storage/model/rate_spec.h"
#include "storage/model/work.h"

namespace dl {

struct Tally {
  std::int64_t total = 0;      // not cancelled
  std::int64_t succeeded = 0;
  std::int64_t confirming = 0;
  std::int64_t failed = 0;
  std::int64_t in_doubt = 0;
  std::int64_t to_post = 0;    // blocked, ready, waiting, submitting, in doubt
  int levels = 0;              // kinds that still have something to do: the longest chain ahead
};
Tally tally_of(const Totals& totals);

// Permits left (a POST for what is not posted, a poll and a little for what is not done) at the rate of
// `slowest`, not below the longest chain's usual processing. `burst`: permits that may leave at once.
// Nothing where there is nothing left to do or no limit to reckon by.
std::optional<Millis> eta_ms(const Tally& tally, const std::optional<Tier>& slowest, int burst);

// "13/23 done, 4 confirming, 1 failed, ETA 1 min 12 s": the progress line. `stalled`: why nothing is sent, or
// empty.
std::string progress_text(const Tally& tally, std::optional<Millis> eta, const std::string& stalled);

// 72000 -> "1 min 12 s".
std::string span_text(Millis span);

}  // namespace dl
