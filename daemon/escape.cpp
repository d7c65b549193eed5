#include "daemon/escape.h"

#include <cstddef>
#include <cstdio>

namespace dl {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // in bytes; 0: not UTF-8 here
};

// The code point that begins at `at`, by the table of well-formed sequences (Unicode 15, 3-7): no
// overlong forms, no surrogates, nothing past U+10FFFF.
CodePoint decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + length > text.size()) return {};
  char32_t value = lead & (0xFFU >> (length + 1));
  for (std::size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    value = (value << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (overlong || surrogate || value > 0x10FFFF) return {};
  return {value, length};
}

// Also what ends a line or turns the writing direction elsewhere: a log line must look like what it
// is.
bool is_control(char32_t value) {
  return value < 0x20 || (value >= 0x7F && value <= 0x9F) || (value >= 0x2028 && value <= 0x202E) ||
         (value >= 0x2066 && value <= 0x2069);
}

void append_escape(std::string& out, char32_t value) {
  switch (value) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  char escape[16];
  std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(value));
  out += escape;
}

enum class Quotes { escape, leave };

std::string escape_all(std::string_view text, Quotes quotes) {
  std::string out;
  out.reserve(text.size() + 2);
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode(text, at);
    if (point.length == 0) {
      out += kReplacement;
      ++at;
      continue;
    }
    if (is_control(point.value)) {
      append_escape(out, point.value);
    } else {
      if (point.value == '\\' || (point.value == '"' && quotes == Quotes::escape)) out += '\\';
      out += text.substr(at, point.length);
    }
    at += point.length;
  }
  return out;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  return '"' + escape_all(text, Quotes::escape) + '"';
}

std::string escaped(std::string_view text) { return escape_all(text, Quotes::leave); }

}  // namespace dl
