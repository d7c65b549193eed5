#include "ingest/hidden_character.h"

#include <algorithm>

namespace dl {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr Range kHidden[] = {
    {0x0080, 0x00A0},  // C1 controls, no-break space
    {0x00AD, 0x00AD},  // soft hyphen
    {0x061C, 0x061C},  // Arabic letter mark
    {0x1680, 0x1680},  // Ogham space
    {0x180E, 0x180E},  // Mongolian vowel separator
    {0x2000, 0x200F},  // spaces of all widths, zero-width ones, left-to-right and right-to-left marks
    {0x2028, 0x202F},  // line and paragraph separators, embeddings and overrides, narrow no-break space
    {0x205F, 0x206F},  // mathematical space, word joiner, invisible operators, isolates
    {0x3000, 0x3000},  // ideographic space
    {0xFEFF, 0xFEFF},  // byte order mark
};

constexpr char32_t kContinuation = 0x3F;

}  // namespace

HiddenCharacter hidden_character_at_front(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : byte(0) >= 0xC0 ? 2 : 1;
  if ((length != 2 && length != 3) || text.size() < length) return {};
  const char32_t value = length == 2 ? (byte(0) & 0x1F) << 6 | (byte(1) & kContinuation)
                                     : (byte(0) & 0x0F) << 12 | (byte(1) & kContinuation) << 6 | (byte(2) & kContinuation);
  const bool is_hidden = std::any_of(std::begin(kHidden), std::end(kHidden), [&](const Range& range) {
    return value >= range.first && value <= range.last;
  });
  return is_hidden ? HiddenCharacter{value, length} : HiddenCharacter{};
}

}  // namespace dl
