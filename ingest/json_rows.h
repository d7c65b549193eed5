// Rows of JSON: one document (a campaign, or a list of campaigns or of flat rows), or JSON Lines
// with a document on each line. Nested campaigns are unrolled, one row for each deepest entity.
// Thread rule: one thread.
#pragma once

#include <memory>

#include "ingest/row.h"

namespace dl {

inline constexpr std::int64_t kJsonFileBytesMax =
    32 * 1024 * 1024;  // it is held in memory as a whole
inline constexpr std::size_t kJsonLineBytesMax = 16 * 1024 * 1024;

// Errors: io.
Result<std::unique_ptr<RowReader>> open_json_rows(const InputFile& file, Problems& problems);
Result<std::unique_ptr<RowReader>> open_json_lines_rows(const InputFile& file);

}  // namespace dl
