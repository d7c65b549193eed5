// What a spreadsheet makes of an id that is a number. Pure; callable from any thread.
#pragma once

#include <string_view>

namespace dl {

// May a spreadsheet show `id` as `cell`? 00123 as 123, and 120210000000000001, of which it keeps 15
// digits, as 120210000000000000 or 1.2021E+17; 900001 is not 900002.
bool is_spreadsheets_form(std::string_view cell, std::string_view id);

}  // namespace dl
