#include "ingest/values.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "ingest/cell_text.h"
#include "ingest/formula_error.h"
#include "ingest/hidden_character.h"
#include "storage/model/check.h"

namespace dl {
namespace {

// A set of bytes, looked up in a table: std::string_view::find_first_of() calls memchr() for every
// byte, which was a tenth of an ingest.
class Bytes {
 public:
  constexpr explicit Bytes(std::string_view members) {
    for (const char c : members) has_[static_cast<unsigned char>(c)] = true;
  }
  constexpr Bytes with_controls() const {
    Bytes more = *this;
    for (unsigned c = 0; c < 0x20; ++c) more.has_[c] = true;
    more.has_[0x7F] = true;
    return more;
  }
  constexpr Bytes without(std::string_view members) const {
    Bytes fewer = *this;
    for (const char c : members) fewer.has_[static_cast<unsigned char>(c)] = false;
    return fewer;
  }
  constexpr Bytes with_all_above_ascii() const {
    Bytes more = *this;
    for (unsigned c = 0x80; c < 0x100; ++c) more.has_[c] = true;
    return more;
  }
  bool any_in(std::string_view text) const {
    bool any = false;  // no early exit: the common answer is no, and the loop stays simple
    for (const char c : text) any |= has_[static_cast<unsigned char>(c)];
    return any;
  }

 private:
  std::array<bool, 256> has_{};
};

constexpr Bytes kControls = Bytes("").with_controls();
constexpr Bytes kNotInText = kControls.without("\t");
constexpr Bytes kLineBreaks("\n\r");
constexpr Bytes kBlanks(" \t");
constexpr Bytes kToLookAt = kControls.with_all_above_ascii();
constexpr Bytes kNotInUrl(" \"<>\\^`");

// Of a trimmed text: what must not be in it, whatever it says.
Flaw character_flaw(ValueRule rule, std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
  if (!kToLookAt.any_in(text)) return Flaw::none;
  const bool is_free =
      rule == ValueRule::name || rule == ValueRule::text || rule == ValueRule::list;
  if ((is_free ? kNotInText : kControls).any_in(text)) {
    return kLineBreaks.any_in(text) ? Flaw::line_break : Flaw::control_character;
  }
  if (text.find(kReplacement) != std::string_view::npos) return Flaw::damaged_text;
  if (rule != ValueRule::list && is_all_hidden(text)) return Flaw::missing_value;
  const bool is_hidden =
      rule == ValueRule::name ? has_hidden_character_in_name(text) : has_hidden_character(text);
  if (!is_hidden) return Flaw::none;
  return rule == ValueRule::id ? Flaw::id_hidden_space : Flaw::hidden_character;
}

// What stands in a cell instead of its value.
Flaw cell_flaw(std::string_view text) {
  if (is_overflow(text)) return Flaw::cell_overflow;
  return is_formula_error(text) ? Flaw::cell_error : Flaw::none;
}

// The same of each part of a list.
Flaw list_flaw(std::string_view list) {
  for (;;) {
    const std::size_t end = list.find(';');
    const Flaw flaw = cell_flaw(trimmed(list.substr(0, end)));
    if (flaw != Flaw::none || end == std::string_view::npos) return flaw;
    list.remove_prefix(end + 1);
  }
}

// 1.23E+15 was a long number once; its last digits are gone.
bool is_scientific(std::string_view text) {
  if (text.empty() || !is_digit(text.front())) return false;
  const std::size_t e = text.find_first_of("eE");
  if (e == std::string_view::npos || e == 0) return false;
  std::string_view power = text.substr(e + 1);
  if (power.empty() || (power.front() != '+' && power.front() != '-')) return false;
  power.remove_prefix(1);
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t point = mantissa.find_first_of(".,");
  if (!all_digits(power) || !all_digits(mantissa.substr(0, point))) return false;
  return point == std::string_view::npos || all_digits(mantissa.substr(point + 1));
}

CheckedValue check_id(std::string_view raw) {
  const std::string_view id = trimmed(raw);
  if (id.empty()) return {id, Flaw::missing_value};
  if (const Flaw flaw = character_flaw(ValueRule::id, id); flaw != Flaw::none) return {id, flaw};
  if (id.size() > kIdBytesMax) return {id, Flaw::id_too_long};
  if (const Flaw flaw = cell_flaw(id); flaw != Flaw::none) return {id, flaw};
  if (is_scientific(id)) return {id, Flaw::id_damaged};
  return {id, Flaw::none};
}

// Without the blanks around each part of it.
std::string_view list_of(std::string_view list, std::string& scratch) {
  if (!kBlanks.any_in(list)) return list;
  scratch.clear();
  for (;;) {
    const std::size_t end = list.find(';');
    scratch += trimmed(list.substr(0, end));
    if (end == std::string_view::npos) return scratch;
    scratch += ';';
    list.remove_prefix(end + 1);
  }
}

// Names, lists and other texts. They keep the blanks inside them; those around them nobody sees in
// a cell.
CheckedValue check_text(ValueRule rule, std::string_view raw, std::string& scratch) {
  const std::string_view text = trimmed(raw);
  if (text.empty()) return {text, rule == ValueRule::list ? Flaw::none : Flaw::missing_value};
  if (const Flaw flaw = character_flaw(rule, text); flaw != Flaw::none) return {text, flaw};
  if (rule == ValueRule::list) return {list_of(text, scratch), list_flaw(text)};
  // A name may be a hashtag: #SALE!
  if (rule == ValueRule::name && !is_known_formula_error(text) && !is_overflow(text))
    return {text, Flaw::none};
  return {text, cell_flaw(text)};
}

Flaw why_not_a_number(std::string_view text) {
  if (is_all_hidden(text)) return Flaw::missing_value;
  if (kLineBreaks.any_in(text)) return Flaw::line_break;
  if (const Flaw flaw = cell_flaw(text); flaw != Flaw::none) return flaw;
  if (is_scientific(text)) return Flaw::exponent;
  const std::string_view rest = text.substr(text.front() == '-' || text.front() == '+' ? 1 : 0);
  const bool numeric = rest.find_first_not_of("0123456789.,eE+-") == std::string_view::npos;
  if (!numeric || rest.empty() || !is_digit(rest.front())) return Flaw::bad_number;
  if (rest.find_first_of("eE") != std::string_view::npos) return Flaw::exponent;
  if (rest.find(',') != std::string_view::npos) return Flaw::decimal_comma;
  if (text.front() == '-') return Flaw::negative;
  return Flaw::bad_number;
}

// 0015000.50 -> 15000.5: equal amounts have one text.
CheckedValue check_money(std::string_view raw, std::string& scratch, Point meaning) {
  const std::string_view text = trimmed(raw);
  if (text.empty()) return {text, Flaw::missing_value};
  if (is_ambiguous(text, meaning)) return {text, Flaw::ambiguous_point};
  const std::size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  std::string_view decimals = point == std::string_view::npos ? "" : text.substr(point + 1);
  const bool well_formed =
      all_digits(whole) && (point == std::string_view::npos || all_digits(decimals));
  if (!well_formed) return {text, why_not_a_number(text)};
  while (!decimals.empty() && decimals.back() == '0') decimals.remove_suffix(1);
  while (whole.size() > 1 && whole.front() == '0') whole.remove_prefix(1);
  if (decimals.size() > kMoneyDecimalsMax) return {text, Flaw::too_precise};
  if (whole.size() > kMoneyIntegerDigitsMax) return {text, Flaw::too_large};
  scratch.assign(whole);
  if (!decimals.empty()) scratch.append(1, '.').append(decimals);
  return {scratch, Flaw::none};
}

int number_at(std::string_view text, std::size_t from, std::size_t count) {
  int number = 0;
  for (const char c : text.substr(from, count)) number = number * 10 + (c - '0');
  return number;
}

using Day = std::chrono::year_month_day;
// a campaign of before was not meant: day 0 of a spreadsheet is in 1899, 1900 or 1904
constexpr int kFirstYear = 2000;

Day day_of(std::string_view year, std::string_view month, std::string_view day) {
  return Day{std::chrono::year{number_at(year, 0, 4)},
             std::chrono::month{static_cast<unsigned>(number_at(month, 0, 2))},
             std::chrono::day{static_cast<unsigned>(number_at(day, 0, 2))}};
}

// The three numbers of a date in whatever order; nothing where it is none.
std::optional<std::array<std::string_view, 3>> numbers_of_date(std::string_view text) {
  const std::size_t first = text.find_first_of("/.-");
  const std::size_t second =
      first == std::string_view::npos ? first : text.find(text[first], first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const std::array<std::string_view, 3> numbers = {
      text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
  if (!std::all_of(numbers.begin(), numbers.end(), all_digits)) return std::nullopt;
  return numbers;
}

// The days that a date in another form can mean: with the year in front the month comes next,
// behind a month or a day either may be first. Without a year in full it can be any.
struct MeantDays {
  std::optional<int> year;
  std::vector<Day> days;
};

MeantDays days_meant_by(const std::array<std::string_view, 3>& numbers) {
  const auto [a, b, c] = numbers;
  MeantDays meant;
  if (a.size() == 4 && b.size() <= 2 && c.size() <= 2) {
    meant = {number_at(a, 0, 4), {day_of(a, b, c)}};
  } else if (c.size() == 4 && a.size() <= 2 && b.size() <= 2) {
    meant = {number_at(c, 0, 4), {day_of(c, b, a), day_of(c, a, b)}};
  }
  std::erase_if(meant.days, [](const Day& day) { return !day.ok(); });
  if (meant.days.size() == 2 && meant.days[0] == meant.days[1]) meant.days.pop_back();
  return meant;
}

Flaw why_not_in_form(std::string_view text) {
  if (is_all_hidden(text)) return Flaw::missing_value;
  if (kLineBreaks.any_in(text)) return Flaw::line_break;
  const auto numbers = numbers_of_date(text);
  if (!numbers) return Flaw::bad_date;
  const MeantDays meant = days_meant_by(*numbers);
  if (meant.year && *meant.year < kFirstYear) return Flaw::early_date;
  if (!meant.year || meant.days.size() == 2) return Flaw::ambiguous_date;
  return meant.days.empty() ? Flaw::no_such_day : Flaw::date_form;
}

CheckedValue check_date(std::string_view raw) {
  const std::string_view text = trimmed(raw);
  if (text.empty()) return {text, Flaw::missing_value};
  if (const Flaw flaw = cell_flaw(text); flaw != Flaw::none) return {text, flaw};
  const bool shaped = text.size() == 10 && text[4] == '-' && text[7] == '-' &&
                      all_digits(text.substr(0, 4)) && all_digits(text.substr(5, 2)) &&
                      all_digits(text.substr(8, 2));
  if (!shaped) return {text, why_not_in_form(text)};
  const Day day = day_of(text.substr(0, 4), text.substr(5, 2), text.substr(8, 2));
  if (static_cast<int>(day.year()) < kFirstYear) return {text, Flaw::early_date};
  return {text, day.ok() ? Flaw::none : Flaw::no_such_day};
}

bool starts_with_scheme(std::string_view text, std::string_view scheme) {
  if (text.size() < scheme.size()) return false;
  return std::equal(scheme.begin(), scheme.end(), text.begin(), [](char want, char have) {
    return want == (have >= 'A' && have <= 'Z' ? static_cast<char>(have - 'A' + 'a') : have);
  });
}

// Not a full RFC 3986 parse on purpose: the macros of ad servers, {CLICK_URL} or [timestamp], are
// not legal URLs either, and must pass.
CheckedValue check_url(std::string_view raw) {
  const std::string_view text = trimmed(raw);
  if (text.empty()) return {text, Flaw::missing_value};
  if (const Flaw flaw = character_flaw(ValueRule::url, text); flaw != Flaw::none)
    return {text, flaw};
  if (const Flaw flaw = cell_flaw(text); flaw != Flaw::none) return {text, flaw};
  const std::size_t host = starts_with_scheme(text, "https://")  ? 8
                           : starts_with_scheme(text, "http://") ? 7
                                                                 : std::string_view::npos;
  if (host == std::string_view::npos || host >= text.size()) return {text, Flaw::bad_url};
  if (std::string_view("/?#:@").find(text[host]) != std::string_view::npos) {
    return {text, Flaw::bad_url};
  }
  if (kNotInUrl.any_in(text)) return {text, Flaw::bad_url};
  return {text, Flaw::none};
}

}  // namespace

CheckedValue check_value(ValueRule rule, std::string_view raw, std::string& scratch, Point point) {
  if (raw.size() > kFieldBytesMax) return {raw, Flaw::field_too_long};
  switch (rule) {
    case ValueRule::id: return check_id(raw);
    case ValueRule::name:
    case ValueRule::text:
    case ValueRule::list: return check_text(rule, raw, scratch);
    case ValueRule::money: return check_money(raw, scratch, point);
    case ValueRule::date: return check_date(raw);
    case ValueRule::url: return check_url(raw);
  }
  DL_CHECK(false, "a value rule without a check");
}

std::string message_for(Flaw flaw, std::string_view raw) {
  if (flaw != Flaw::date_form) return std::string(words_of(flaw).message);
  const Day day = days_meant_by(*numbers_of_date(trimmed(raw))).days.front();
  const auto padded = [](unsigned number) {
    return (number < 10 ? "-0" : "-") + std::to_string(number);
  };
  const std::string year = std::to_string(static_cast<int>(day.year()) + 10'000).substr(1);
  return "write " + year + padded(static_cast<unsigned>(day.month())) +
         padded(static_cast<unsigned>(day.day()));
}

}  // namespace dl
