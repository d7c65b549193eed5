#include "storage/model/rate_spec.h"

#include <algorithm>
#include <charconv>

#include "storage/model/duration.h"

namespace dl {
namespace {

Error wrong(std::string_view text, std::string_view why) {
  return {Errc::usage, "\"" + std::string(text) + "\" " + std::string(why)};
}

Result<Tier> parse_tier(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return wrong(text, "is not a rate limit; write COUNT/WINDOW such as 40/60s, or none");
  }
  const std::string_view count = text.substr(0, slash);
  Tier tier;
  const auto [rest, trouble] =
      std::from_chars(count.data(), count.data() + count.size(), tier.count);
  if (trouble != std::errc{} || rest != count.data() + count.size() || tier.count < 1 ||
      tier.count > kMaxTierCount) {
    return wrong(text, "must begin with a whole number from 1 to " + std::to_string(kMaxTierCount));
  }
  const Result<Millis> window = parse_duration(text.substr(slash + 1));
  if (!window) return Error{Errc::usage, "rate limit: " + window.error().message};
  if (*window < 1 || *window > kMaxTierWindow) {
    return wrong(text, "must have a window from 1ms to " + format_duration(kMaxTierWindow));
  }
  tier.window_ms = *window;
  return tier;
}

}  // namespace

Millis longest_hold(const std::vector<Tier>& tiers) {
  Millis longest = 0;
  for (const Tier& tier : tiers) longest = std::max(longest, held_for(tier));
  return longest;
}

std::vector<Tier>::const_iterator slowest_of(const std::vector<Tier>& tiers) {
  return std::min_element(tiers.begin(), tiers.end(), [](const Tier& a, const Tier& b) {
    return a.count * b.window_ms < b.count * a.window_ms;
  });
}

Result<std::vector<Tier>> parse_rate_spec(std::string_view text) {
  std::vector<Tier> tiers;
  if (text == "none") return tiers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const Result<Tier> tier = parse_tier(text.substr(begin, end - begin));
    if (!tier) return tier.error();
    const auto same_window = [&](const Tier& other) { return other.window_ms == tier->window_ms; };
    if (std::any_of(tiers.begin(), tiers.end(), same_window)) {
      return wrong(text, "gives two counts for one window of " + format_duration(tier->window_ms));
    }
    tiers.push_back(*tier);
    begin = end + 1;
  }
  return tiers;
}

std::string format_rate_spec(const std::vector<Tier>& tiers) {
  if (tiers.empty()) return "none";
  std::string text;
  for (const Tier& tier : tiers) {
    if (!text.empty()) text += ',';
    text += std::to_string(tier.count) + "/" + format_duration(tier.window_ms);
  }
  return text;
}

}  // namespace dl
