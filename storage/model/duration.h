// Spans of time as people write them: 500ms, 180s, 2min, 24h. The one place where they are read or
// written; every flag, environment variable and configuration key comes through here. Pure;
// callable from any thread.
#pragma once

#include <string>
#include <string_view>

#include "storage/model/moment.h"
#include "storage/model/result.h"

namespace dl {

inline constexpr Millis kLongestDuration = Millis{10} * 366 * 24 * 3'600'000;  // ten years

// A whole number and a unit (ms, s, m or min, h, d), nothing between or around them. No sign, no
// fraction, and no bare number but 0, so that nobody has to guess a unit. At most kLongestDuration.
// Errors: usage, with the text and what is wrong with it.
Result<Millis> parse_duration(std::string_view text);

// The same span in the largest of d, h, s, ms that divides it: 63072000000 -> "730d", 180000 ->
// "180s"; one day is "24h". parse_duration gives it back exactly. `span`: not negative.
std::string format_duration(Millis span);

}  // namespace dl
