// A rate limit as people write it: 40/60s, or several tiers that hold at once (10/1s,40/60s), or
// none, and what limiter and ledger both reckon with. Pure; callable from any thread.
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

// W' = W (1 + 0.001) + 50 ms: how long a request counts, with the drift of two clocks and their
// ticks. The limiter holds a slot for so long, and what reads the ledger at a start must not forget
// one sooner.
constexpr Millis held_for(const Tier& tier) { return tier.window_ms + tier.window_ms / 1'000 + 50; }
// Of the tier that holds longest; 0 where there is no limit.
Millis longest_hold(const std::vector<Tier>& tiers);

// The tier with the lowest rate, the first of several: burst, cap, headroom and ETA are of it.
// end() where there is no limit.
std::vector<Tier>::const_iterator slowest_of(const std::vector<Tier>& tiers);

// However long the DSP asks for: after an hour one probe asks again.
inline constexpr Millis kLongestWait = 3'600'000;

inline constexpr int kMaxTierCount = 1'000'000;
inline constexpr Millis kMaxTierWindow = Millis{31} * 24 * 3'600'000;

// COUNT/WINDOW, comma-separated, in the caller's order; "none" gives an empty vector (no limit).
// COUNT: 1 … kMaxTierCount; WINDOW: a duration of 1 ms … kMaxTierWindow; no window twice.
// Errors: usage, with the text and what is wrong with it.
Result<std::vector<Tier>> parse_rate_spec(std::string_view text);

// The text that parse_rate_spec reads back: "40/60s,10/1s", or "none".
std::string format_rate_spec(const std::vector<Tier>& tiers);

}  // namespace dl
