// Reads what became of batches: rows with their entities, counts, the daemon's estimate. Loading
// batches do not exist here. Thread rule: as the Database it is given.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/digest.h"
#include "storage/model/ids.h"
#include "storage/model/job.h"
#include "storage/model/job_state.h"

namespace dl {

struct BatchFacts {
  BatchId id;
  std::string source;
  std::string format;                  // csv, json, jsonl
  std::optional<std::string> header;   // JSON array of the user's column names; csv only
  std::optional<std::string> dialect;  // csv only
  std::int64_t rows = 0;
  std::optional<std::string> archived_to;    // the file that its rows have been moved to
  bool is_archived_in_part = false;          // some of its rows are still here
  std::int64_t jobs_of_earlier_batches = 0;  // that it names
  std::int64_t conflicts = 0;                // of those, the ones that did not take its values
  bool may_be_overtaken = false;             // a later batch has changed jobs
};

// The batch, or the last one. Nothing if there is none. Errors: SQLite's.
Result<std::optional<BatchFacts>> find_batch(Database& database, std::optional<std::int64_t> id);

// What there is of a row of the user's sheet. Arrays are campaign, ad group, ad; empty where the
// row has none.
struct StoredRow {
  std::optional<std::string> raw;     // as stored (ingest/user_row.h)
  std::array<std::string, 3> bodies;  // empty, too, where they are archived
  // SHA-256 of the bodies, also of archived ones; only where `raw` is the whole row
  std::array<std::string, 3> digests;
  std::array<std::string, 3> dsp_ids;
};

struct ResultRow {
  std::int64_t row = 0;
  std::int64_t line = 0;
  StoredRow stored;
  std::string state;                     // of the row's deepest entity
  std::string error;                     // its own, or that of the parent that failed
  std::optional<std::int64_t> attempts;  // none: the job is archived
  bool failed = false;                   // it, its ad group or its campaign
  // in doubt, or blocked behind a parent that is in doubt or cancelled: a person decides
  bool held_up = false;
};

// Calls `sink` for every row in the order of the sheet, in one snapshot. Errors: sink's, SQLite's.
Status read_results(Database& database, BatchId batch,
                    const std::function<Status(const ResultRow&)>& sink);

// The same of the rows that are kept whole, in any order.
Status read_kept_rows(Database& database, BatchId batch,
                      const std::function<Status(const StoredRow&)>& sink);

// Batches before it by which jobs came that have failed, and that its own rows do not show. Errors:
// SQLite's.
Result<std::vector<BatchId>> failed_batches_before(Database& database, BatchId batch);

struct StateCount {
  JobKind kind;
  JobState state;
  std::int64_t count = 0;
  std::int64_t resolving = 0;  // in doubt, without a hold: nobody has to decide them
  std::int64_t archived = 0;   // failed: their state is final
};
// Of a batch, or of all. Errors: SQLite's.
Result<std::vector<StateCount>> count_states(Database& database, std::optional<BatchId> batch);

// How the rows of a batch stand, whichever batch made their jobs.
struct RowFates {
  std::int64_t rows = 0;
  std::int64_t succeeded = 0;
  std::int64_t cancelled = 0;
  std::int64_t failed = 0;
  std::int64_t held = 0;   // in doubt until a person decides
  std::int64_t stuck = 0;  // behind something that failed, was cancelled or is held
  // nobody sends them as things stand
  std::int64_t at_rest() const { return failed + cancelled + held + stuck; }
  std::int64_t under_way() const { return rows - succeeded - at_rest(); }
};
// Reads each row with its job: 0.5 s for a million, 2 s where all are blocked and something has
// stopped. Errors: SQLite's.
Result<RowFates> read_row_fates(Database& database, BatchId batch);

struct AccountFacts {
  std::optional<std::string> paused_by;
  std::string paused_reason;
  std::optional<std::int64_t> eta_at_ms;
  std::string eta_note;
  std::optional<std::string> rate_limit;  // as configured; none: no daemon has said yet
  // of its slowest tier; none: no daemon has said yet, or there is no limit
  std::optional<std::int64_t> limit_count;
  std::int64_t limit_window_ms = 0;
};
Result<AccountFacts> read_account(Database& database);

// What loading an entity would do to the job with its key.
struct KnownJob {
  bool same_content = false;
  bool may_change = false;
  std::string state;
  bool is_held = false;  // in doubt until a person decides
  std::string body;      // what it has; empty: the same
};
class JobLookup {
 public:
  explicit JobLookup(Database& database);
  // Nothing: there is no such job. Errors: SQLite's.
  Result<std::optional<KnownJob>> find(const std::string& key, const std::string& body);

 private:
  Database& database_;
  std::unique_ptr<SQLite::Statement> find_;
};

// Rows of earlier batches that are stored only as payloads which are about to change: `render`
// makes of header and bodies the JSON array that is kept instead. Called inside
// BatchWriter::publish.
struct ChangedRow {
  std::optional<std::string> header;
  std::optional<std::string> raw;
  std::array<std::string, 3> bodies;
};
void keep_changed_rows(Database& database,
                       const std::function<std::string(const ChangedRow&)>& render);

}  // namespace dl
