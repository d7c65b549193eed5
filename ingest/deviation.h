// Where a row of the user's sheet says other values than the jobs it shows: it was in conflict with
// them, or a later sheet has changed them. Thread rule: as what they are given.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ingest/user_row.h"
#include "storage/batch_reader.h"

namespace dl {

struct Deviation {
  JobKind kind = JobKind::campaign;
  // which field of the row; none: any of the kind's, for its payload is archived
  std::optional<std::size_t> at;
  std::string sheet_value;
  std::string job_value;
  bool is_at_dsp = false;  // the DSP has the job's values
};

// Of rows that are kept whole; others have none. `rows`: of the batch.
std::vector<Deviation> deviations_of(const UserRows& rows, const StoredRow& stored);

// "campaign_budget at the DSP: 10 (the sheet says 99)"; empty: none.
std::string text_of(const std::vector<Deviation>& deviations, const UserRows& rows);

// How many rows of the batch have some. Reads rows only where there can be such. Errors: SQLite's.
Result<std::int64_t> count_deviating_rows(Database& database, const BatchFacts& batch);

}  // namespace dl
