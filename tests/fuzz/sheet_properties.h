// What must hold of every sheet, whatever its bytes and its format:
// - problems are told with their line (0 only for the file as a whole), in one printable line each;
// - what the first pass accepts, the second pass finds again, valid, under each policy for errors;
// - a body is JSON, and gives back the values it was made of; a key gives back the ids;
// - rows that are written out again (as `results` and `--rejects` do) are read back the same, and
// what
//   was refused of them is refused again.
#pragma once

#include <string_view>

#include "ingest/row.h"

namespace dl::fuzz {

void check_sheet(std::string_view bytes, InputFormat format);

}  // namespace dl::fuzz
