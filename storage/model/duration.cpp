#include "storage/model/duration.h"

#include <charconv>
#include <cstdint>

namespace dl {
namespace {

struct Unit {
  std::string_view name;
  Millis length_ms;
};
constexpr Unit kUnits[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000},
};

Error wrong(std::string_view text, std::string_view why) {
  return {Errc::usage, "\"" + std::string(text) + "\" " + std::string(why)};
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, trouble] = std::from_chars(text.data(), end, count);
  if (trouble == std::errc::invalid_argument) {
    return wrong(text,
                 "is not a duration; write a number and a unit, such as 500ms, 180s, 2min, 24h");
  }
  const std::string_view unit_name(rest, static_cast<std::size_t>(end - rest));
  if (unit_name.empty() && count == 0 && trouble == std::errc{}) return Millis{0};
  if (unit_name.empty())
    return wrong(text, "has no unit; write " + std::string(text) + "s for seconds");
  for (const Unit& unit : kUnits) {
    if (unit.name != unit_name) continue;
    const auto longest = static_cast<std::uint64_t>(kLongestDuration / unit.length_ms);
    if (trouble == std::errc::result_out_of_range || count > longest) {
      return wrong(text, "is too long; ten years are the limit");
    }
    return static_cast<Millis>(count) * unit.length_ms;
  }
  return wrong(text, "is not a duration; the units are ms, s, min, h and d, after a whole number");
}

std::string format_duration(Millis span) {
  DL_CHECK(span >= 0, "a span of time is not negative");
  if (span == 0) return "0s";
  // 24h is read as such
  if (span % 86'400'000 == 0 && span > 86'400'000) return std::to_string(span / 86'400'000) + "d";
  if (span % 3'600'000 == 0) return std::to_string(span / 3'600'000) + "h";
  if (span % 1'000 == 0) return std::to_string(span / 1'000) + "s";
  return std::to_string(span) + "ms";
}

}  // namespace dl
