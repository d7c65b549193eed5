#include "ingest/spreadsheet_form.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "ingest/cell_text.h"

namespace dl {
namespace {

constexpr std::size_t kDigitsKept = 15;  // of a number

bool all_zeros(std::string_view digits) {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

std::string_view without_leading_zeros(std::string_view digits) {
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size()));
  return digits;
}

// 1.2021E+17 is 12021 of a unit with 13 zeros.
struct Rounded {
  std::string digits;  // the first is no zero
  std::size_t zeros = 0;
};

std::optional<Rounded> rounded_in(std::string_view cell) {
  const std::size_t e = cell.find_first_of("eE");
  if (e == std::string_view::npos) return std::nullopt;
  std::string_view exponent = cell.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::size_t tens = 0;
  const auto [end, error] =
      std::from_chars(exponent.data(), exponent.data() + exponent.size(), tens);
  if (!all_digits(exponent) || error != std::errc{}) return std::nullopt;
  const std::string_view mantissa = cell.substr(0, e);
  const std::string_view decimals = mantissa.size() > 1 ? mantissa.substr(2) : "";
  const bool is_scientific = !mantissa.empty() && all_digits(mantissa.substr(0, 1)) &&
                             mantissa.front() != '0' &&
                             (mantissa.size() == 1 ||
                              ((mantissa[1] == '.' || mantissa[1] == ',') && all_digits(decimals)));
  if (!is_scientific) return std::nullopt;
  Rounded rounded{std::string(1, mantissa.front()) + std::string(decimals), 0};
  // 1.50E+01 has a digit behind the point of 15
  std::size_t behind = decimals.size() - std::min(decimals.size(), tens);
  for (; behind > 0 && rounded.digits.ends_with('0'); --behind) rounded.digits.pop_back();
  if (behind > 0) return std::nullopt;
  rounded.zeros = tens - std::min(decimals.size(), tens);
  return rounded;
}

// The next whole number.
std::string one_more(std::string digits) {
  for (std::size_t at = digits.size(); at > 0; --at) {
    if (digits[at - 1] != '9') {
      ++digits[at - 1];
      return digits;
    }
    digits[at - 1] = '0';
  }
  return '1' + digits;
}

// Is the number half a unit away at most? By digits: no double holds an id of 18 of them.
bool is_rounded_from(const Rounded& rounded, std::string_view number) {
  if (rounded.zeros > number.size()) return false;
  const std::string_view front = number.substr(0, number.size() - rounded.zeros);
  const std::string_view rest = number.substr(front.size());
  const std::string half = rest.empty() ? "" : '5' + std::string(rest.size() - 1, '0');
  return (rounded.digits == front && rest <= half) ||
         (rounded.digits == one_more(std::string(front)) && !rest.empty() && rest >= half);
}

}  // namespace

bool is_spreadsheets_form(std::string_view cell, std::string_view id) {
  if (!all_digits(id)) return false;
  const std::string_view number = without_leading_zeros(id);
  if (const std::optional<Rounded> rounded = rounded_in(cell))
    return is_rounded_from(*rounded, number);
  if (!all_digits(cell)) return false;
  const std::string_view shown = without_leading_zeros(cell);
  if (shown == number) return true;
  return number.size() > kDigitsKept && shown.size() == number.size() &&
         shown.substr(0, kDigitsKept) == number.substr(0, kDigitsKept) &&
         all_zeros(shown.substr(kDigitsKept));
}

}  // namespace dl
