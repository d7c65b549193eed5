// The rules for single values, and their normal form: what the DSP gets and what is compared when a
// sheet is loaded again. Money stays decimal text from the sheet to the DSP; no float ever holds
// it. Pure; callable from any thread.
#pragma once

#include <string>
#include <string_view>

#include "ingest/columns.h"
#include "ingest/decimal_sign.h"
#include "ingest/flaw.h"

namespace dl {

inline constexpr std::size_t kIdBytesMax = 128;
inline constexpr std::size_t kFieldBytesMax = 64 * 1024;
inline constexpr int kMoneyIntegerDigitsMax = 15;
inline constexpr int kMoneyDecimalsMax = 6;

// The message, for a value; where there is but one way to mean it, with what to write instead.
std::string message_for(Flaw flaw, std::string_view raw);

// `text` is the normal form: a view of `raw` or of `scratch`. Meaningless unless flaw is none.
struct CheckedValue {
  std::string_view text;
  Flaw flaw = Flaw::none;
};

// Checks `raw` by `rule`. `scratch` is room for a normal form that differs; it must live as long as
// the answer is used.
CheckedValue check_value(ValueRule rule, std::string_view raw, std::string& scratch,
                         Point point = Point::decimal);

}  // namespace dl
