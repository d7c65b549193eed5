// A row of the input, whatever its format: one value a column, and where it stands. CSV gives rows
// as they are; nested JSON is unrolled, one row for each deepest entity. Thread rule: one thread.
// Ownership: views are valid until the reader's next call.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/columns.h"
#include "ingest/input_file.h"
#include "ingest/json_objects.h"
#include "ingest/problem.h"
#include "ingest/values.h"
#include "storage/model/result.h"

namespace dl {

enum class InputFormat { csv, json, jsonl };
std::string_view name_of(InputFormat format);

struct Row {
  std::int64_t number = 0;        // 1 = first row below the header; in JSON the n-th unrolled row
  std::int64_t line = 0;          // physical line where it begins
  std::int64_t sheet_row = 0;     // as a spreadsheet counts (header = 1); 0: not a sheet
  JobKind deepest = JobKind::ad;  // in JSON an ad group may have no ads
  // Entities above this one stand in the input once, for several rows, and were in the row before.
  JobKind first_new = JobKind::campaign;
  std::array<std::string_view, kColumnCount> values{};  // empty: absent
  std::bitset<kColumnCount> refused;                    // values whose problem the reader has told
  // numbers of JSON, whose points can mean one thing only
  std::bitset<kColumnCount> numbers;
  bool is_refused = false;  // the reader has told a problem of the row as a whole
  // where the row is of a result sheet, as dl-ingest wrote it for jobs that exist; empty: none
  std::string_view state;
  std::array<std::string_view, 3> dsp_ids{};  // by kind

  std::string_view operator[](Column column) const { return values[index_of(column)]; }
  bool is_of_results() const {
    return !state.empty() || !dsp_ids[0].empty() || !dsp_ids[1].empty() || !dsp_ids[2].empty();
  }
};

// Where a value stands, for messages.
struct ValuePlace {
  std::int64_t line = 0;
  std::string column;  // the user's header, or the path in JSON: ad_groups[0].ads[2].type
};

// An object of JSON with something in it, always refused, that is in no field of its rows.
struct RefusedObject {
  ObjectText text;
  std::int64_t first_row = 0;
  std::int64_t last_row = 0;
};

class RowReader {
 public:
  virtual ~RowReader() = default;

  // The next row. What can't be read (quotes, number of fields, syntax) is added to `problems`, its
  // row marked as bad, and reading goes on behind it where it can. False at the end. Errors: io.
  virtual Result<bool> next(Row& row, Problems& problems) = 0;

  // Of the row that next() gave last.
  virtual ValuePlace place_of(const Row& row, Column column) const = 0;
  // The user's column names in their order, without those that result sheets add; empty: JSON.
  virtual const std::vector<std::string>& header() const = 0;
  // The values under header(), of the row that next() gave last.
  virtual const std::vector<std::string_view>& fields() const = 0;
  // Of the same row: the object that it stands in, where fields() are not all that is there.
  virtual std::optional<RefusedObject> refused_object() const { return std::nullopt; }
  // How the file is written, in words (csv_reader.h); empty: JSON.
  virtual std::string dialect() const = 0;

  virtual std::int64_t bytes_read() const = 0;
  // Of the whole input; call once, after the last row. Errors: io.
  virtual Result<std::string> sha256_hex() = 0;
};

// What a file is: by content, '{' or '[' first means JSON; several lines that each begin with '{'
// and end with '}' mean JSON Lines. Errors: io, data (UTF-16).
Result<InputFormat> sniff_format(const InputFile& file);

// A reader at the first row. Problems of the header go to `problems`, and then there are no rows.
// Errors: io.
Result<std::unique_ptr<RowReader>> open_rows(const InputFile& file, InputFormat format,
                                             Problems& problems);

}  // namespace dl
