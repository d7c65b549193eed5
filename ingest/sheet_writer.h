// Writes rows for people: their sheet given back with columns added (CSV), or the same as flat JSON
// objects, one a line or in one list. What was written is read back the same by dl-ingest. Thread
// rule: one thread. Ownership: borrows the stream.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/csv_reader.h"
#include "ingest/row.h"
#include "storage/model/result.h"

namespace dl {

class SheetWriter {
 public:
  // `name`: of the output, for messages. `dialect`: for CSV. `header`: all columns.
  SheetWriter(std::FILE* stream, std::string name, InputFormat format, CsvDialect dialect,
              std::vector<std::string> header);

  // `fields`: one for each column of the header. Errors: io.
  Status add(const std::vector<std::string_view>& fields);
  // `json`: an object in one line, where the format is JSON. Errors: io.
  Status add_object(std::string_view json);
  // Closes the list, if it is one, and flushes. Errors: io.
  Status finish();

 private:
  void begin_object();
  void append_header();
  void append_csv(const std::vector<std::string_view>& fields);
  void end_csv_line();
  void append_json(const std::vector<std::string_view>& fields);
  Status write();

  std::FILE* stream_;
  std::string name_;
  InputFormat format_;
  CsvDialect dialect_;
  std::vector<std::string> header_;
  std::string text_;  // of one row
  bool any_ = false;
};

// A cell of CSV that came from outside must not be run as a formula by a spreadsheet: what OWASP
// names as the start of one gets a ' before it, that is = + - @ (their wide forms, too), tab,
// return and line feed. A number with its sign is none. -Xy1 is: to Excel it is cell XY1 with the
// sign changed, and shown as 0.
std::string defused(std::string_view cell);

}  // namespace dl
