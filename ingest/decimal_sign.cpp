#include "ingest/decimal_sign.h"

#include <algorithm>
#include <string>

#include "ingest/cell_text.h"

namespace dl {
namespace {

// of a number with its currency, or of a date with its weekday
constexpr std::size_t kBytesMax = 64;
constexpr std::string_view kDigits = "0123456789";

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

std::string_view from_first_digit(std::string_view text) {
  return text.substr(std::min(text.find_first_of(kDigits), text.size()));
}

// Without a sign, a currency or a unit around it.
std::string_view number_in(std::string_view text) {
  return from_first_digit(text.substr(0, text.find_last_of(kDigits) + 1));
}

// The spaces between thousands.
std::string without_spaces(std::string_view number) {
  std::string plain(number);
  for (const std::string_view space : {" ", "\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\xAF"}) {
    for (std::size_t at = plain.find(space); at != std::string::npos; at = plain.find(space, at))
      plain.erase(at, space.size());
  }
  return plain;
}

bool is_of_commas(std::string_view raw) {
  const std::string number = without_spaces(number_in(raw));
  if (number.find_first_not_of("0123456789.,") != std::string::npos) return false;
  const std::size_t comma = number.find(',');
  if (comma != std::string::npos) return number.find_first_of(".,", comma + 1) == std::string::npos;
  return std::count(number.begin(), number.end(), '.') > 1 && may_have_thousands(number);
}

// 01.07.2025 00:00, 31.06.25, Dienstag, 1. Juli 2025 and 2025.07.01; not 45839.5, 2025-07-01
// 00:00:00.000 or Jul. 1.
bool is_date_with_points(std::string_view raw) {
  std::string_view rest = from_first_digit(raw);
  const std::size_t first = std::min(rest.find_first_not_of(kDigits), rest.size());
  if (first == rest.size() || rest[first] != '.' || first == 3 || first > 4) return false;
  rest.remove_prefix(first + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  if (rest.empty()) return false;
  if (!is_digit(rest.front())) return first <= 2 && is_letter(rest.front());
  const std::size_t second = std::min(rest.find_first_not_of(kDigits), rest.size());
  return second <= 2 && rest.substr(second).starts_with('.');
}

// 15.000 and 12.500
bool is_padded(std::string_view number) {
  return number.ends_with('0') && may_have_thousands(number);
}

}  // namespace

bool may_have_thousands(std::string_view number) {
  const std::size_t lead = number.find('.');
  if (lead == std::string_view::npos || lead > 3 || !all_digits(number.substr(0, lead)) ||
      number.front() == '0')
    return false;
  for (number.remove_prefix(lead); !number.empty(); number.remove_prefix(4)) {
    if (number.size() < 4 || number.front() != '.' || !all_digits(number.substr(1, 3)))
      return false;
  }
  return true;
}

bool is_ambiguous(std::string_view number, Point point) {
  switch (point) {
    case Point::decimal: return false;
    case Point::padded: return is_padded(number);
    case Point::doubtful: return may_have_thousands(number);
  }
  return false;
}

std::string unambiguous(std::string_view money) {
  const std::string_view number = trimmed(money);
  return may_have_thousands(number) ? std::string(number) + '0' : std::string(money);
}

void DecimalSigns::take_number(Column column, std::string_view raw) {
  const std::string_view number = trimmed(raw);
  const std::size_t point = number.find('.');
  if (point == std::string_view::npos) return;
  Seen& seen = seen_[index_of(column)];
  if (may_have_thousands(number)) {
    seen.thousands = true;
    seen.padded = seen.padded || is_padded(number);
  } else {
    seen.point = true;
    seen.three_decimals = seen.three_decimals || number.size() - point - 1 == 3;
  }
}

void DecimalSigns::take_refused(ValueRule rule, std::string_view raw) {
  if (has_comma_ || raw.size() > kBytesMax) return;
  if (rule == ValueRule::money) has_comma_ = is_of_commas(raw);
  if (rule == ValueRule::date) has_comma_ = is_date_with_points(raw);
}

// Whoever writes 12.50 pads to two decimals and writes 15.00: then 15.000 is another hand's.
Point DecimalSigns::point_of(const Seen& seen) {
  if (!seen.point) return seen.thousands ? Point::doubtful : Point::decimal;
  return seen.padded && !seen.three_decimals ? Point::padded : Point::decimal;
}

Points DecimalSigns::points() const {
  Points points{};
  for (std::size_t i = 0; i < kColumnCount; ++i)
    points[i] = has_comma_ ? Point::doubtful : point_of(seen_[i]);
  return points;
}

}  // namespace dl
