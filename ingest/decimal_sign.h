// What a point means in the numbers of an input: 15.000 is fifteen in one sheet, fifteen thousand
// in another, and what else stands in the sheet tells which. Pure; thread rule: one thread an
// object.
#pragma once

#include <string_view>

#include "ingest/columns.h"

namespace dl {

// From the most to the least that is known. Where cells are separated by semicolons or tabs (a
// table copied from a spreadsheet) the decimal sign is mostly a comma, and 15.000 fifteen thousand
// as often as fifteen.
enum class Point {
  decimal,   // 15.000 is fifteen
  unproven,  // 15.000 may be either, for nobody writes fifteen so; 2.125 is a decimal
  either,    // 2.125 may be either, too
};

// 15.000 and 1.234.567, but not 0.125 or 15.00.
bool may_have_thousands(std::string_view number);
// 15.000, but not 15.125 or 1.234.000.
bool is_in_whole_thousands(std::string_view number);

// The signs of one input, value by value, in any order.
class DecimalSigns {
 public:
  // A number that passed.
  void take_number(std::string_view raw);
  // A value that was refused: 2,50 and 1.500.000 prove that points may separate thousands
  // (15,000.00 and 1,234,567 do not), with a currency or a unit, too, and so does 01.07.2025.
  void take_refused(ValueRule rule, std::string_view raw);
  // A value of a column that is not ours: only what can be nothing else is a proof.
  void take_unused(std::string_view raw);

  Point point() const;

 private:
  bool has_comma_ = false;
  bool has_point_ = false;
  bool has_whole_thousands_ = false;
};

}  // namespace dl
