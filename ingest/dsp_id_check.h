// Sheets of results and errors carry the state of their rows and the DSP's ids. A spreadsheet that
// makes 1 of 001 makes a new campaign of one that is there: does each row still name the jobs that
// have its ids, and jobs at all? Rows without these cost nothing. Thread rule: one thread.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "ingest/entities.h"
#include "storage/dsp_id_lookup.h"

namespace dl {

class DspIdCheck {
 public:
  // The database that the rows are for. It is opened when the first such row comes; where there is
  // none yet, all jobs are unknown.
  explicit DspIdCheck(std::string path) : path_(std::move(path)) {}

  // The highest entity of the row whose id is not that of its job or, where the row has a state,
  // that is no job; it is told with its place. Nothing: all are well. `entities` are those of the
  // row. Errors: as Database::open, SQLite's.
  Result<std::optional<JobKind>> take(const Row& row, const RowReader& reader,
                                      const RowEntities& entities, Problems& problems);

 private:
  Status open();
  // At the DSP, of the job with this key; nothing: there is no such job.
  Result<std::optional<std::string>> find_id(const std::string& key);
  Result<bool> fits(const std::string& key, const std::string& id, const std::string& id_here);
  // In words; empty: the row names the job that it was written for. `id`: empty: it had none.
  Result<std::string> why_not(JobKind kind, const std::string& key, const std::string& id);
  Result<std::string> words_for(JobKind kind, const std::string& id,
                                const std::optional<std::string>& id_here);

  struct Entry {
    std::string key;
    std::string cell;
  };
  std::string path_;
  bool is_open_ = false;
  std::unique_ptr<Database> database_;  // none: there is no such file
  std::optional<DspIdLookup> lookup_;
  // by kind, the last that was: rows repeat their campaigns and ad groups
  std::array<Entry, 3> good_;
  int searches_ = 0;  // for the job that has an id
};

}  // namespace dl
