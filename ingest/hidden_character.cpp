#include "ingest/hidden_character.h"

#include <algorithm>
#include <span>

namespace dl {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr Range kHidden[] = {
    {0x0080, 0x00A0},  // C1 controls, no-break space
    {0x00AD, 0x00AD},  // soft hyphen
    {0x034F, 0x034F},  // grapheme joiner
    {0x061C, 0x061C},  // Arabic letter mark
    {0x115F, 0x1160},  // Hangul fillers
    {0x1680, 0x1680},  // Ogham space
    {0x17B4, 0x17B5},  // Khmer inherent vowels
    {0x180B, 0x180F},  // Mongolian vowel separator and selectors
    // spaces of all widths, zero-width ones, left-to-right and right-to-left marks
    {0x2000, 0x200F},
    // line and paragraph separators, embeddings and overrides, narrow no-break space
    {0x2028, 0x202F},
    {0x205F, 0x206F},    // mathematical space, word joiner, invisible operators, isolates
    {0x2800, 0x2800},    // Braille without a dot
    {0x3000, 0x3000},    // ideographic space
    {0x3164, 0x3164},    // Hangul filler
    {0xFE00, 0xFE0F},    // variation selectors
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFA0, 0xFFA0},    // Hangul filler of half width
    {0xFFF9, 0xFFFB},    // interlinear annotations
    {0x1D173, 0x1D17A},  // beams and slurs
    {0xE0000, 0xE0FFF},  // tags, more variation selectors
};

// May end a name: they belong to the character before them.
constexpr Range kOfCharacterBefore[] = {
    {0xFE00, 0xFE0F},    // variation selectors: a red heart
    {0xE0020, 0xE007F},  // tags: the flag of Scotland
};

// May stand inside a name.
constexpr Range kBetweenCharacters[] = {
    {0x00A0, 0x00A0},  // no-break space
    {0x200C, 0x200D},  // zero-width non-joiner and joiner
    {0x202F, 0x202F},  // narrow no-break space
    {0x3000, 0x3000},  // ideographic space
};

bool is_in(std::span<const Range> ranges, char32_t value) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
    return value >= range.first && value <= range.last;
  });
}

constexpr char32_t kContinuation = 0x3F;

}  // namespace

HiddenCharacter hidden_character_at_front(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[i]));
  };
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : byte(0) >= 0xC0 ? 2 : 1;
  if (length == 1 || text.size() < length) return {};
  char32_t value = byte(0) & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) value = value << 6 | (byte(i) & kContinuation);
  return is_in(kHidden, value) ? HiddenCharacter{value, length} : HiddenCharacter{};
}

bool has_hidden_character(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(1)) {
    if (hidden_character_at_front(text).length > 0) return true;
  }
  return false;
}

bool is_all_hidden(std::string_view text) {
  while (!text.empty()) {
    const bool is_blank = text.front() == ' ' || text.front() == '\t';
    const std::size_t length = is_blank ? 1 : hidden_character_at_front(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool has_hidden_character_in_name(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    const HiddenCharacter hidden = hidden_character_at_front(name.substr(at));
    if (hidden.length == 0) continue;
    const bool may_end = is_in(kOfCharacterBefore, hidden.code_point);
    const bool is_between =
        at > 0 && at + hidden.length < name.size() && is_in(kBetweenCharacters, hidden.code_point);
    if (!is_between && (at == 0 || !may_end)) return true;
  }
  return false;
}

}  // namespace dl
