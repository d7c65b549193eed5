#include "ingest/flaw.h"

namespace dl {

FlawWords words_of(Flaw flaw) {
  switch (flaw) {
    case Flaw::none: return {"", ""};
    case Flaw::missing_value: return {"missing_value", "a value is needed here"};
    case Flaw::field_too_long: return {"field_too_long", "longer than 64 KiB"};
    case Flaw::control_character:
      return {"control_character", "contains a control character; remove it"};
    case Flaw::line_break:
      return {"line_break",
              "contains a line break; write it in one line, and look whether a quote was left open "
              "here"};
    case Flaw::hidden_character:
      return {"hidden_character", "contains an invisible space or mark; type it again"};
    case Flaw::damaged_text:
      return {"damaged_text",
              "contains U+FFFD, which stands where a wrong encoding destroyed a character; enter "
              "it again and export the sheet "
              "as \"CSV UTF-8\""};
    case Flaw::id_too_long: return {"id_too_long", "an id has at most 128 bytes"};
    case Flaw::id_damaged:
      return {"id_damaged",
              "a spreadsheet turned this id into a rounded number; format the column as text and "
              "enter the id again"};
    case Flaw::id_hidden_space:
      return {"id_hidden_space", "contains an invisible space or mark; type the id again"};
    case Flaw::cell_overflow:
      return {"cell_overflow",
              "the spreadsheet exported its filler instead of the value; widen the column and "
              "export again"};
    case Flaw::cell_error:
      return {"cell_error",
              "a formula of the spreadsheet failed, and its error was exported; mend the formula "
              "or enter the value"};
    case Flaw::bad_number: return {"bad_number", "not a decimal number; write 15000 or 2.5"};
    case Flaw::decimal_comma:
      return {"decimal_comma", "write a decimal point and no thousands separator: 15000 or 2.5"};
    case Flaw::ambiguous_point:
      return {"ambiguous_point",
              "the point may separate thousands or decimals; write 15000 for thousands, 15, 15.00 "
              "or 2.1250 for decimals"};
    case Flaw::exponent: return {"exponent", "write the number in full, without an exponent"};
    case Flaw::negative: return {"negative", "must not be negative"};
    case Flaw::too_precise: return {"too_precise", "at most 6 decimals are possible"};
    case Flaw::too_large: return {"too_large", "at most 15 digits before the point are possible"};
    case Flaw::bad_date: return {"bad_date", "not a date; write YYYY-MM-DD"};
    case Flaw::ambiguous_date:
      return {"ambiguous_date", "day and month cannot be told apart; write YYYY-MM-DD"};
    case Flaw::date_form: return {"date_form", "write YYYY-MM-DD"};
    case Flaw::no_such_day: return {"no_such_day", "the calendar has no such day"};
    case Flaw::early_date:
      return {"early_date",
              "is before the year 2000: the spreadsheet's zero date, where a formula refers to an "
              "empty cell, or a year cut "
              "short; write YYYY-MM-DD"};
    case Flaw::bad_url:
      return {"bad_url", "not an absolute http or https address, like https://example.com/page"};
  }
  return {"", ""};
}

}  // namespace dl
