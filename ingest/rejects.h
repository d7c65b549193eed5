// The rows that were left out, as a sheet that can be put right and loaded again: the user's
// columns, the state and the DSP's ids where the input has some (by them a row that is left out for
// them would be known again), and dl_error, which dl-ingest ignores on the way in. An object of
// JSON with something in it that no column can hold stands there once, as a whole: what of it was
// loaded comes back unchanged. Made only when there is something to write, whole or not at all
// (new_file.h), and never over a file that is there. Thread rule: one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ingest/new_file.h"
#include "ingest/sheet_writer.h"
#include "ingest/survey.h"

namespace dl {

class Rejects {
 public:
  // `path`: nullopt: rows are counted and not written.
  Rejects(std::optional<std::string> path, Survey& survey);

  // `row` is the one that `reader` gave last. Errors: cant_create, io.
  Status add(const Row& row, const RowReader& reader);
  // Makes the file safe on disk and gives it its name. Errors: cant_create, io.
  Status finish();
  // Without it the file goes again: what it tells of was not loaded.
  void keep();
  std::int64_t count() const { return count_; }

 private:
  Status open(const RowReader& reader);
  Status add_object(const RefusedObject& object);
  std::string errors_of(std::int64_t first_row, std::int64_t last_row) const;

  std::optional<std::string> path_;
  InputFormat format_;
  bool has_results_;
  std::map<std::int64_t, std::string> errors_;  // by row
  std::unique_ptr<NewFile> file_;               // once a row is there
  std::unique_ptr<SheetWriter> sheet_;
  std::int64_t count_ = 0;
  std::int64_t last_row_written_ = 0;  // of an object; none of its rows is written again
};

}  // namespace dl
