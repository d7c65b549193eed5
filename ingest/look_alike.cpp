#include "ingest/look_alike.h"

#include <algorithm>

#include "ingest/problem.h"

namespace dl {
namespace {

constexpr std::size_t kShownMax = 80;
constexpr std::size_t kBeginningMax = 60;
constexpr std::size_t kBeginningShown = 20;

bool is_inside_character(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
}

std::u32string code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (is_inside_character(text, at) && !points.empty()) {
      points.back() = points.back() << 6 | (byte & 0x3F);
    } else {
      points += static_cast<char32_t>(byte < 0x80   ? byte
                                      : byte < 0xE0 ? byte & 0x1F
                                      : byte < 0xF0 ? byte & 0x0F
                                                    : byte & 0x07);
    }
  }
  return points;
}

// Marks that are put over, under or through the letter before them.
bool is_combining(char32_t point) {
  return (point >= 0x0300 && point <= 0x036F) || (point >= 0x1AB0 && point <= 0x1AFF) ||
         (point >= 0x1DC0 && point <= 0x1DFF) || (point >= 0x20D0 && point <= 0x20FF) ||
         (point >= 0xFE20 && point <= 0xFE2F);
}

// As far as a table of all letters is not needed: two of ASCII, or of one block, are meant to be
// told apart.
bool may_look_alike(char32_t a, char32_t b) {
  return a == b || a >> 8 != b >> 8 || (a < 0x80) != (b < 0x80);
}

bool may_look_alike(std::u32string a, std::u32string b) {
  std::erase_if(a, is_combining);
  std::erase_if(b, is_combining);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char32_t x, char32_t y) { return may_look_alike(x, y); });
}

std::string escaped(const std::u32string& points) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const char32_t point : points) {
    if (point < 0x80) {
      text += static_cast<char>(point);
      continue;
    }
    const bool is_long = point > 0xFFFF;
    text += is_long ? "\\U" : "\\u";
    for (int bits = is_long ? 28 : 12; bits >= 0; bits -= 4) text += kHex[(point >> bits) & 15];
  }
  return text;
}

constexpr char kAccented = '?';

// A Latin letter that has its accent in it.
bool is_accented(char32_t point) {
  return (point >= 0x00C0 && point <= 0x024F) || (point >= 0x1E00 && point <= 0x1EFF);
}

char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::u32string small(std::string_view text) {
  std::u32string points = code_points(text);
  for (char32_t& point : points) {
    if (point < 0x80) point = static_cast<char32_t>(small(static_cast<char>(point)));
  }
  return points;
}

}  // namespace

void add_look_alike_form(std::string_view text, std::string& form) {
  const bool is_ascii = std::all_of(text.begin(), text.end(),
                                    [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (is_ascii) {
    for (const char c : text) form += small(c);
    return;
  }
  std::u32string points;
  for (const char32_t point : small(text)) {
    if (is_combining(point) && !points.empty()) {
      points.back() = kAccented;
    } else {
      points += is_accented(point) ? static_cast<char32_t>(kAccented) : point;
    }
  }
  for (const char32_t point : points)
    form.append(reinterpret_cast<const char*>(&point), sizeof(point));
}

bool look_alike(std::string_view a, std::string_view b) {
  return may_look_alike(small(a), small(b));
}

std::pair<std::string, std::string> told_apart(std::string_view a, std::string_view b) {
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t begin = 0;  // common bytes at the beginning
  while (begin < shorter && a[begin] == b[begin]) ++begin;
  while (begin > 0 && (is_inside_character(a, begin) || is_inside_character(b, begin))) --begin;
  std::size_t end = 0;  // common bytes at the end
  while (end < shorter - begin && a[a.size() - end - 1] == b[b.size() - end - 1]) ++end;
  while (end > 0 && is_inside_character(a, a.size() - end)) --end;
  std::size_t from = begin > kBeginningMax ? begin - kBeginningShown : 0;
  while (is_inside_character(a, from)) ++from;

  const std::u32string a_points = code_points(a.substr(begin, a.size() - end - begin));
  const std::u32string b_points = code_points(b.substr(begin, b.size() - end - begin));
  const bool is_escaped = may_look_alike(a_points, b_points);
  const auto text_of = [&](std::string_view text, const std::u32string& points) {
    std::string whole(from > 0 ? "..." : "");
    whole += text.substr(from, begin - from);
    whole +=
        is_escaped ? escaped(points) : std::string(text.substr(begin, text.size() - end - begin));
    whole += text.substr(text.size() - end);
    return shown(whole, kShownMax);
  };
  return {text_of(a, a_points), text_of(b, b_points)};
}

}  // namespace dl
