// RateLimit headers in the forms that DSPs send them: RateLimit-Remaining and -Reset (drafts up to
// 06, also with X- in front and with a reset that is a time since 1970), and the one structured
// field `RateLimit` with `RateLimit-Policy` beside it (later drafts). They only ever tighten the
// limiter; what cannot be read is as if it were not there. Pure; callable from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/core/dsp.h"
#include "storage/model/moment.h"

namespace dl {

// At most `remaining` more requests may be counted within the next `for_ms`.
struct Allowance {
  std::int64_t remaining = 0;
  Millis for_ms = 0;
  friend bool operator==(const Allowance&, const Allowance&) = default;
};

// One for each quota that the answer names; `for_ms` at most an hour. `wall_ms`: now, for resets
// that are times, where the answer has no Date.
std::vector<Allowance> parse_rate_limit(const DspReply& reply, std::int64_t wall_ms);

}  // namespace dl
