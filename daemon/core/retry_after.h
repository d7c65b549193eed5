// Retry-After in both forms of RFC 9110 10.2.3: delay-seconds, or an HTTP-date in any of its three
// formats (5.6.7), read against the answer's own Date so that our wall clock does not matter.
// Pure; callable from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "storage/model/moment.h"
#include "storage/model/rate_spec.h"

namespace dl {

// Seconds since 1970 UTC; nothing where `text` is no HTTP-date.
// `this_year`: resolves the two digits of the RFC 850 form (more than 50 years ahead means the
// past).
std::optional<std::int64_t> parse_http_date(std::string_view text, int this_year);

// How long to wait, clamped to 0 … kLongestWait; nothing where the value is garbage.
// `date`: the answer's Date header; without it a Retry-After date is read against `wall_ms`.
std::optional<Millis> parse_retry_after(std::string_view value,
                                        std::optional<std::string_view> date, std::int64_t wall_ms);

}  // namespace dl
