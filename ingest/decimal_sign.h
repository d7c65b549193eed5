// What a point means in the numbers of an input: 15.000 is fifteen in one sheet, fifteen thousand
// in another, and the other numbers of its column tell which. Pure; thread rule: one thread an
// object.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "ingest/columns.h"

namespace dl {

// What a point is in a column, from the laxest to the strictest.
enum class Point {
  decimal,   // always the decimal point
  padded,    // 15.000 and 12.500 may be thousands, for the column pads otherwise; 2.125 is not
  doubtful,  // 2.125 may be thousands, too
};

// By column; only those of money matter.
using Points = std::array<Point, kColumnCount>;

// 15.000 and 1.234.567, but not 0.125 or 15.00.
bool may_have_thousands(std::string_view number);
// Is it one of these, and not a decimal for sure where the point is as `point` says?
bool is_ambiguous(std::string_view number, Point point);
// With a zero behind it where it may have thousands: 3.1250 means one thing only.
std::string unambiguous(std::string_view money);

// The signs of one input, value by value, in any order. A column shows by its own numbers what its
// points are: a bid of 2.5 says nothing of a budget of 15.000, which another hand may have typed. A
// comma proved anywhere makes all columns doubtful.
class DecimalSigns {
 public:
  // A number that passed.
  void take_number(Column column, std::string_view raw);
  // A value that was refused: 2,50 and 1.500.000 prove that points may separate thousands
  // (15,000.00 and 1,234,567 do not), with a currency or a unit, too, and so does 01.07.2025.
  void take_refused(ValueRule rule, std::string_view raw);

  Points points() const;

 private:
  struct Seen {
    bool thousands = false;       // 15.000, 2.125
    bool padded = false;          // 15.000, 12.500
    bool point = false;           // 12.5: what is there is a decimal point
    bool three_decimals = false;  // 0.500: and decimals are padded to three
  };
  static Point point_of(const Seen& seen);

  bool has_comma_ = false;
  std::array<Seen, kColumnCount> seen_;
};

}  // namespace dl
