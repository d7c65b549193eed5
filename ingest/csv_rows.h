// Rows of a CSV sheet, by the names in its header. Thread rule: one thread.
#pragma once

#include <memory>

#include "ingest/row.h"

namespace dl {

inline constexpr std::size_t kColumnsMax = 64;

// Reads the header. Problems of it go to `problems`; then the reader has no rows. Errors: io.
Result<std::unique_ptr<RowReader>> open_csv_rows(const InputFile& file, Problems& problems);

}  // namespace dl
