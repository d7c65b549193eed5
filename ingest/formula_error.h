// What a spreadsheet shows in a cell instead of its value, and exports. Pure; callable from any
// thread.
#pragma once

#include <string_view>

namespace dl {

// ######## is its filler where a column is too narrow.
bool is_overflow(std::string_view cell);

// The error of a formula that failed, in whatever language: #REF!, #NOM?, Err:502; also Loading...
bool is_formula_error(std::string_view cell);
// The same of a cell that a person may also have filled with a hashtag, #SALE!: only errors that
// are known.
bool is_known_formula_error(std::string_view cell);

}  // namespace dl
