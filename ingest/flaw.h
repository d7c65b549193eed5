// What can be wrong with a single value, and its words. Pure; callable from any thread.
#pragma once

#include <string_view>

namespace dl {

enum class Flaw {
  none,
  missing_value,
  field_too_long,
  control_character,
  line_break,
  hidden_character,
  damaged_text,
  id_too_long,
  id_damaged,
  id_hidden_space,
  cell_overflow,
  cell_error,
  bad_number,
  decimal_comma,
  ambiguous_point,
  exponent,
  negative,
  too_precise,
  too_large,
  bad_date,
  ambiguous_date,
  date_form,
  no_such_day,
  early_date,
  bad_url,
};

struct FlawWords {
  std::string_view code;     // stable, for scripts
  std::string_view message;  // what is wrong and what to do
};
FlawWords words_of(Flaw flaw);

}  // namespace dl
