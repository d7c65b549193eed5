// Characters that nobody sees: spaces that are none, zero-width joiners, fillers, selectors of
// variants, marks that turn the writing direction, C1 controls (which a terminal may obey). They
// come with text from web pages and mails, and make two ids of one. Pure; callable from any thread.
#pragma once

#include <string_view>

namespace dl {

struct HiddenCharacter {
  char32_t code_point = 0;
  std::size_t length = 0;  // in bytes; 0: the character is a visible one
};

// Is the character at the front of `text`, which is UTF-8 and not empty, a hidden one? Of ASCII
// none is.
HiddenCharacter hidden_character_at_front(std::string_view text);

bool has_hidden_character(std::string_view text);
// Nothing but hidden ones, blanks and tabs?
bool is_all_hidden(std::string_view text);
// Does a name, which neither begins nor ends with blanks, have one that nobody writes into a name?
// Inside it French and Japanese have their spaces, Persian and emoji their joiners; what chooses a
// character's variant may also end it.
bool has_hidden_character_in_name(std::string_view name);

}  // namespace dl
