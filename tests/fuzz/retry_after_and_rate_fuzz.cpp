// Bytes as the small texts that people and DSPs write: `Retry-After` (with the answer's Date behind
// a line break), RateLimit headers (and RateLimit-Policy there), a rate limit, a duration, an
// endpoint. Invariants:
// - a wait is 0 to one hour; a number is that many seconds, clamped; a date is read the same again;
// - what is read is written and read back the same; what is refused is named in one message.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>

#include "daemon/core/retry_after.h"
#include "daemon/dsp/worker_pool.h"
#include "storage/model/check.h"
#include "storage/model/duration.h"
#include "storage/model/rate_spec.h"
#include "tests/fuzz/reply_properties.h"
#include "tests/fuzz/target.h"

namespace dl::fuzz {
namespace {

constexpr Millis kHour = 3'600'000;
constexpr std::int64_t kNow = 1'764'100'000'000;  // some day of 2025

// RFC 9110's preferred form.
std::string imf_fixdate(std::int64_t seconds) {
  const std::chrono::sys_seconds moment{std::chrono::seconds{seconds}};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{moment - day};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  std::snprintf(text, sizeof text, "Day, %02u %s %04d %02d:%02d:%02d GMT",
                static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return text;
}

void check_http_date(std::string_view text) {
  const auto seconds = parse_http_date(text, 2025);
  if (!seconds) return;
  DL_CHECK(*seconds >= -62'167'219'200 && *seconds <= 253'402'300'800,
           "the years have four digits");
  if (*seconds == 253'402'300'800) return;  // the leap second at the end of 9999
  DL_CHECK(parse_http_date(imf_fixdate(*seconds), 2025) == seconds,
           "a date is read the same again");
}

void check_retry_after(std::string_view value, std::optional<std::string_view> date) {
  for (const std::int64_t now : {kNow, std::int64_t{0}, kNow * 10}) {
    const std::optional<Millis> wait = parse_retry_after(value, date, now);
    DL_CHECK(!wait || (*wait >= 0 && *wait <= kHour), "a wait is clamped to an hour");
    const bool is_number =
        !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_number) continue;
    const bool is_long = value.find_first_not_of('0') != std::string_view::npos &&
                         value.size() - value.find_first_not_of('0') > 4;
    const Millis seconds = is_long ? 3'600
                                   : std::stoll(std::string(value.substr(
                                         value.size() - std::min(value.size(), std::size_t{4}))));
    DL_CHECK(wait == std::min(kHour, seconds * 1'000), "a number is so many seconds");
  }
}

void check_rate_limit_headers(std::string_view value, std::optional<std::string_view> second) {
  DspReply fields;
  fields.rate_limit = std::string(value);
  if (second) fields.rate_limit_policy = std::string(*second);
  check_allowances(fields);
  DspReply numbers;
  numbers.rate_limit_remaining = std::string(value);
  numbers.rate_limit_reset = std::string(second.value_or(value));
  if (second) numbers.date = std::string(*second);
  check_allowances(numbers);
}

void check_refusal(const Error& error, std::string_view text) {
  DL_CHECK(error.code == Errc::usage || error.code == Errc::config,
           "a refusal is the user's to mend");
  const bool is_short = text.size() < 32 && text.find(',') == std::string_view::npos &&
                        text.find('/') == std::string_view::npos;
  DL_CHECK(!is_short || error.message.find(text) != std::string::npos, "a refusal names its text");
}

void check_rate(std::string_view text) {
  const Result<std::vector<Tier>> tiers = parse_rate_spec(text);
  if (!tiers) return check_refusal(tiers.error(), text);
  for (const Tier& tier : *tiers) {
    DL_CHECK(tier.count >= 1 && tier.count <= kMaxTierCount, "a count has its bounds");
    DL_CHECK(tier.window_ms >= 1 && tier.window_ms <= kMaxTierWindow, "a window has its bounds");
  }
  const Result<std::vector<Tier>> again = parse_rate_spec(format_rate_spec(*tiers));
  DL_CHECK(again && *again == *tiers, "a rate limit survives being written and read");
}

void check_duration(std::string_view text) {
  const Result<Millis> span = parse_duration(text);
  if (!span) return check_refusal(span.error(), text);
  DL_CHECK(*span >= 0 && *span <= kLongestDuration, "a duration has its bounds");
  const Result<Millis> again = parse_duration(format_duration(*span));
  DL_CHECK(again && *again == *span, "a duration survives being written and read");
}

void check_endpoint(std::string_view text) {
  const Result<Endpoint> endpoint = parse_endpoint(std::string(text));
  if (!endpoint) {
    DL_CHECK(endpoint.error().code == Errc::config, "a bad URL is configuration");
    return;
  }
  DL_CHECK(!endpoint->host.empty() && !endpoint->port.empty(), "an endpoint can be connected to");
  DL_CHECK(!endpoint->base_path.ends_with('/'), "a base path ends before its slash");
  for (const std::string& part : {endpoint->host, endpoint->port, endpoint->base_path}) {
    DL_CHECK(
        std::none_of(part.begin(), part.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; }),
        "no part of an endpoint splits a request");
  }
  const Result<Endpoint> again = parse_endpoint(endpoint->text());
  DL_CHECK(again && again->text() == endpoint->text(),
           "an endpoint survives being written and read");
}

}  // namespace

void retry_after_and_rate(std::string_view input) {
  const std::size_t line = input.find('\n');
  const std::string_view value = input.substr(0, line);
  std::optional<std::string_view> date;
  if (line != std::string_view::npos) date = input.substr(line + 1);
  check_http_date(value);
  check_retry_after(value, date);
  check_rate_limit_headers(value, date);
  check_rate(value);
  check_duration(value);
  check_endpoint(value);
}

}  // namespace dl::fuzz
