// The second pass: writes what the survey found good, in transactions that let the daemon through,
// and publishes all of it at once. Of a sheet in order it begins while the survey still goes on.
// Thread rule: one thread; it sleeps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ingest/survey_thread.h"
#include "storage/batch_writer.h"

namespace dl {

struct LoadOptions {
  OnError on_error = OnError::reject_file;
  std::optional<std::string> rejects;  // a file for the rows that are left out
  std::optional<int> priority;         // BatchHead
  std::string loaded_by;
  std::optional<BatchId> first_of_command;  // BatchHead's
};

struct Loaded {
  BatchId batch;
  BatchCounts counts;
  std::int64_t left_out = 0;       // rows, with the unreadable ones
  std::vector<Problem> conflicts;  // changed rows of jobs that can no longer change
  std::vector<Problem> changes;    // values that took the place of others, one each
  std::int64_t changes_told = 0;   // entities in them; counts.changed has all
  // rows without fields (quotes, encoding, syntax); counts.rows has none of them
  std::int64_t unreadable = 0;
};

// `survey`: of the same file, loadable. The caller holds the IngestLock. On an error nothing is
// loaded. Errors: busy (the file has changed since the survey, the database is held), io,
// cant_create, SQLite's.
Result<Loaded> load(const InputFile& file, Survey& survey, Database& database,
                    const LoadOptions& options, const ProgressSink& progress);

// The same in the hope that the survey, which may still be going on, finds neither a problem nor
// scattered rows: what is written is invisible until it has ended. Nothing: the hope was vain, or
// the survey failed, and all is removed again.
Result<std::optional<Loaded>> load_ahead(const InputFile& file, InputFormat format,
                                         OngoingSurvey& survey, Database& database,
                                         const LoadOptions& options, const ProgressSink& progress);

}  // namespace dl
