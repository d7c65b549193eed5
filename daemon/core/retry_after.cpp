#include "daemon/core/retry_after.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace dl {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// Reads fixed pieces from the front of a text; once one does not fit, nothing fits any more.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : rest_(text) {}

  Pieces& literal(std::string_view expected) {
    if (!rest_.starts_with(expected)) return fail();
    rest_.remove_prefix(expected.size());
    return *this;
  }
  Pieces& number(std::size_t digits, int& value) {
    if (rest_.size() < digits) return fail();
    value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return *this;
  }
  Pieces& padded_day(int& value) {  // asctime: two digits, or a space and one
    if (rest_.starts_with(' ')) return literal(" ").number(1, value);
    return number(2, value);
  }
  Pieces& month(int& value) {
    const auto found = std::find(kMonths.begin(), kMonths.end(), rest_.substr(0, 3));
    if (found == kMonths.end()) return fail();
    value = static_cast<int>(found - kMonths.begin()) + 1;
    rest_.remove_prefix(3);
    return *this;
  }
  Pieces& word_until(char end) {  // a day's name, which adds nothing
    const std::size_t at = rest_.find(end);
    if (at == 0 || at == std::string_view::npos) return fail();
    rest_.remove_prefix(at);
    return *this;
  }
  bool done() const { return fits_ && rest_.empty(); }

 private:
  Pieces& fail() {
    fits_ = false;
    rest_ = {};
    return *this;
  }
  std::string_view rest_;
  bool fits_ = true;
};

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

std::optional<std::int64_t> seconds_of(const Fields& f) {
  const std::chrono::year_month_day date{std::chrono::year{f.year},
                                         std::chrono::month{static_cast<unsigned>(f.month)},
                                         std::chrono::day{static_cast<unsigned>(f.day)}};
  if (!date.ok() || f.hour > 23 || f.minute > 59 || f.second > 60) return std::nullopt;
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  return std::int64_t{days} * 86'400 + f.hour * 3'600 + f.minute * 60 + f.second;
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text, int this_year) {
  Fields f;
  const auto time = [&f](Pieces& p) -> Pieces& {
    return p.number(2, f.hour).literal(":").number(2, f.minute).literal(":").number(2, f.second);
  };
  Pieces imf(text);  // Sun, 06 Nov 1994 08:49:37 GMT
  imf.word_until(',')
      .literal(", ")
      .number(2, f.day)
      .literal(" ")
      .month(f.month)
      .literal(" ")
      .number(4, f.year);
  if (time(imf.literal(" ")).literal(" GMT").done()) return seconds_of(f);
  Pieces rfc850(text);  // Sunday, 06-Nov-94 08:49:37 GMT
  rfc850.word_until(',')
      .literal(", ")
      .number(2, f.day)
      .literal("-")
      .month(f.month)
      .literal("-")
      .number(2, f.year);
  if (time(rfc850.literal(" ")).literal(" GMT").done()) {
    f.year += this_year / 100 * 100;
    if (f.year > this_year + 50) f.year -= 100;
    return seconds_of(f);
  }
  Pieces asctime(text);  // Sun Nov  6 08:49:37 1994
  asctime.word_until(' ').literal(" ").month(f.month).literal(" ").padded_day(f.day);
  if (time(asctime.literal(" ")).literal(" ").number(4, f.year).done()) return seconds_of(f);
  return std::nullopt;
}

std::optional<Millis> parse_retry_after(std::string_view value,
                                        std::optional<std::string_view> date,
                                        std::int64_t wall_ms) {
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    while (value.size() > 1 && value.front() == '0') value.remove_prefix(1);
    if (value.size() > 9) return kLongestWait;
    return std::min(kLongestWait, Millis{std::stol(std::string(value))} * 1'000);
  }
  const std::chrono::year_month_day today{std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{wall_ms}})};
  const int this_year = static_cast<int>(today.year());
  const std::optional<std::int64_t> until = parse_http_date(value, this_year);
  if (!until) return std::nullopt;
  std::int64_t from_ms = wall_ms;
  if (date) {
    if (const auto sent = parse_http_date(*date, this_year)) from_ms = *sent * 1'000;
  }
  return std::clamp(*until * 1'000 - from_ms, Millis{0}, kLongestWait);
}

}  // namespace dl
