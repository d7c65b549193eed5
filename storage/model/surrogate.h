// JSON's \uDC00 to \uDFFF without its first half: RapidJSON 1.1 lets it pass and makes three bytes
// of it that are no UTF-8. Both our readers of JSON refuse a text that has such bytes; all other
// faults of UTF-8 are found by RapidJSON itself. Pure; callable from any thread.
#pragma once

#include <string_view>

namespace dl {

// `text`: valid UTF-8 but for surrogates.
constexpr bool has_surrogate(std::string_view text) {
  for (std::size_t at = text.find('\xED'); at != std::string_view::npos;
       at = text.find('\xED', at + 1)) {
    if (at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) return true;
  }
  return false;
}

}  // namespace dl
