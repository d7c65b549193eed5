#include "daemon/core/rate_limit_headers.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/retry_after.h"

namespace dl {
namespace {

constexpr double kLooksLikeATime = 1e9;  // s since 1970; as a span it would be 31 years
constexpr double kLooksLikeMillis = 1e12;
constexpr std::int64_t kMostRemaining = 1'000'000'000;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A number without sign or exponent: 12, 1.5.
std::optional<double> number(std::string_view text) {
  text = trimmed(text);
  if (text.empty() || text.size() > 17) return std::nullopt;
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (!plain) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Allowance> allowance(std::optional<double> remaining, std::optional<double> reset_s) {
  if (!remaining || !reset_s || *reset_s <= 0) return std::nullopt;
  const double for_ms = std::min(std::ceil(*reset_s * 1'000), static_cast<double>(kLongestWait));
  const double least = std::min(std::floor(*remaining), static_cast<double>(kMostRemaining));
  return Allowance{static_cast<std::int64_t>(least), static_cast<Millis>(for_ms)};
}

// Seconds from now, whether the header says a span or a time.
std::optional<double> reset_s(std::string_view text, const DspReply& reply, std::int64_t wall_ms) {
  std::optional<double> value = number(text);
  if (!value || *value < kLooksLikeATime) return value;
  if (*value >= kLooksLikeMillis) *value /= 1'000;
  double now_s = static_cast<double>(wall_ms) / 1'000;
  if (reply.date) {
    if (const auto date = parse_http_date(*reply.date, 2000)) now_s = static_cast<double>(*date);
  }
  return *value - now_s;
}

// Pieces between separators that are not inside quotes.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (text[i] != separator || quoted) continue;
    pieces.push_back(trimmed(text.substr(begin, i - begin)));
    begin = i + 1;
  }
  pieces.push_back(trimmed(text.substr(begin)));
  return pieces;
}

using Parameters = std::map<std::string_view, std::string_view>;

Parameters parameters_of(const std::vector<std::string_view>& pieces) {
  Parameters found;
  for (const std::string_view piece : pieces) {
    const std::size_t equals = piece.find('=');
    if (equals != std::string_view::npos)
      found[trimmed(piece.substr(0, equals))] = trimmed(piece.substr(equals + 1));
  }
  return found;
}

std::optional<double> number_at(const Parameters& parameters, std::string_view name) {
  const auto at = parameters.find(name);
  return at == parameters.end() ? std::nullopt : number(at->second);
}

// `"minute";q=40;w=60, "day";q=1000;w=86400`: the window of each policy by its name.
std::map<std::string_view, double> windows_of(std::string_view policy) {
  std::map<std::string_view, double> windows;
  for (const std::string_view item : split(policy, ',')) {
    const std::vector<std::string_view> pieces = split(item, ';');
    if (const auto window = number_at(parameters_of(pieces), "w"))
      windows[pieces.front()] = *window;
  }
  return windows;
}

// `"minute";r=3;t=20, "day";r=999` (drafts 08 and later) or `limit=40, remaining=3, reset=20` (07).
void add_structured(const DspReply& reply, std::vector<Allowance>& all) {
  const std::vector<std::string_view> items = split(*reply.rate_limit, ',');
  const Parameters whole = parameters_of(items);
  if (whole.contains("remaining")) {
    const auto one = allowance(number_at(whole, "remaining"), number_at(whole, "reset"));
    if (one) all.push_back(*one);
    return;
  }
  const std::string policy = reply.rate_limit_policy.value_or("");
  const auto windows = windows_of(policy);
  for (const std::string_view item : items) {
    const std::vector<std::string_view> pieces = split(item, ';');
    const Parameters parameters = parameters_of(pieces);
    std::optional<double> reset = number_at(parameters, "t");
    const auto window = windows.find(pieces.front());
    if (!parameters.contains("t") && window != windows.end()) reset = window->second;
    if (const auto one = allowance(number_at(parameters, "r"), reset)) all.push_back(*one);
  }
}

}  // namespace

std::vector<Allowance> parse_rate_limit(const DspReply& reply, std::int64_t wall_ms) {
  std::vector<Allowance> all;
  if (reply.rate_limit_remaining && reply.rate_limit_reset) {
    const auto one = allowance(number(*reply.rate_limit_remaining),
                               reset_s(*reply.rate_limit_reset, reply, wall_ms));
    if (one) all.push_back(*one);
  }
  if (reply.rate_limit) add_structured(reply, all);
  return all;
}

}  // namespace dl
