// Bytes as a CSV file, from the first line to validated rows; sheet_properties.h says what must
// hold.
#include "tests/fuzz/sheet_properties.h"
#include "tests/fuzz/target.h"

namespace dl::fuzz {

void csv(std::string_view input) { check_sheet(input, InputFormat::csv); }

}  // namespace dl::fuzz
