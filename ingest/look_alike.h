// Two values that differ, shown so that a person sees where: one and the same word may be written
// with other code points (é, or e and an accent; a Latin or a Cyrillic a). Pure; callable from any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace dl {

// Both are UTF-8. As shown() (problem.h) shows them, in at most about 80 bytes; \uNNNN for what
// makes the difference where it may not be seen, and without their common beginning where that is
// long.
std::pair<std::string, std::string> told_apart(std::string_view a, std::string_view b);

// Adds to `form` what `text` has in common with all that looks like it: letters of ASCII are small,
// and an accented letter is the same whether it is one code point or two. Others may share it.
void add_look_alike_form(std::string_view text, std::string& form);

// Do two texts with one form look alike: but for capitals, and for how accents are stored?
bool look_alike(std::string_view a, std::string_view b);

}  // namespace dl
