// Characters that nobody sees: spaces that are none, zero-width joiners, marks that turn the writing
// direction, C1 controls (which a terminal may obey). They come with text from web pages and mails, and make two
// ids of one. Pure; callable from any thread.
#pragma once

#include <string_view>

namespace dl {

struct HiddenCharacter {
  char32_t code_point = 0;
  std::size_t length = 0;  // in bytes; 0: the character is a visible one
};

// Is the character at the front of `text`, which is UTF-8 and not empty, a hidden one? Of ASCII none is.
HiddenCharacter hidden_character_at_front(std::string_view text);

}  // namespace dl
