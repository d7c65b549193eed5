// How servers count: the disciplines of the research note, 1.5, as judges of arrivals. Pure.
// Thread rule: one owner of each value. Moments are ms and never decrease.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "storage/model/rate_spec.h"
#include "storage/model/result.h"

namespace dl::bench {

inline constexpr std::string_view kServerLimitNames =
    "none, log, log-counting (refusals count too), fixed, weighted, weighted-counting, bucket40, "
    "bucket10";

struct Admission {
  bool accepted = true;
  std::optional<Millis> retry_after_ms;
};
using ServerLimit = std::function<Admission(double now_ms)>;

// Errors: usage, naming what there is.
Result<ServerLimit> make_server_limit(std::string_view name, const Tier& limit);

}  // namespace dl::bench
