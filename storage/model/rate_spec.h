// A rate limit as people write it: 40/60s, or several tiers that hold at once (10/1s,40/60s), or
// none. Pure; callable from any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/model/moment.h"
#include "storage/model/result.h"

namespace dl {

// At most `count` requests in any half-open window of `window_ms`, as the server counts them.
struct Tier {
  int count = 0;
  Millis window_ms = 0;
  friend bool operator==(const Tier&, const Tier&) = default;
};

inline constexpr int kMaxTierCount = 1'000'000;
inline constexpr Millis kMaxTierWindow = Millis{31} * 24 * 3'600'000;

// COUNT/WINDOW, comma-separated, in the caller's order; "none" gives an empty vector (no limit).
// COUNT: 1 … kMaxTierCount; WINDOW: a duration of 1 ms … kMaxTierWindow; no window twice.
// Errors: usage, with the text and what is wrong with it.
Result<std::vector<Tier>> parse_rate_spec(std::string_view text);

// The text that parse_rate_spec reads back: "40/60s,10/1s", or "none".
std::string format_rate_spec(const std::vector<Tier>& tiers);

}  // namespace dl
