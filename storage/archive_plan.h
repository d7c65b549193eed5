// What `dl-ingest archive` may move away: trees that have been finished for good for a while, with
// all batches that name them, and batches with all of their trees. Reads in short pieces, so that
// it holds no snapshot for long, and decides nothing for good: whoever writes asks once more
// (archive_acts_since.sql, archive_mark_job.sql). Thread rule: as the Database. The caller holds
// the IngestLock, so that no batch comes or grows meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/model/ids.h"
#include "storage/model/moment.h"

namespace dl {

struct ArchiveBatch {
  BatchId id;
  std::string source;
  std::int64_t rows = 0;  // that are still here
};

struct ArchivePlan {
  std::int64_t before_ms = 0;  // wall clock: what was touched since stays
  std::vector<ArchiveBatch> going;
  std::vector<ArchiveBatch> staying;
  std::int64_t jobs = 0;            // that leave payload, ledger and history
  std::int64_t last_job = 0;        // the highest id
  std::int64_t newest_request = 0;  // the highest id when the plan was made: what came later stays
  std::int64_t newest_act = 0;      // likewise: trees that an operator touched later stay
  std::vector<bool> held;           // by root id: trees that stay whole

  bool is_free(std::int64_t root_id) const { return !held[static_cast<std::size_t>(root_id)]; }
  void hold(std::int64_t root_id) { held[static_cast<std::size_t>(root_id)] = true; }
};

// Errors: usage, where the limiter may still need what is younger than `older_than`; SQLite's.
Result<ArchivePlan> plan_archive(Database& database, Millis older_than, std::int64_t now_ms);

// Calls `row` with the root of the tree of every row of the batch that is still here. Errors:
// SQLite's.
Status each_row_of(Database& database, BatchId batch,
                   const std::function<void(std::int64_t root_id)>& row);

}  // namespace dl
