// Moves what `plan_archive` found into another file, which is a DemandLink database of its own:
// results, views and the evidence of every request are asked of it as of any other, but nothing is
// sent from it. Each step is committed there before it is deleted here, so a crash at any moment
// loses nothing, and the next run goes on. Thread rule: as the Database. The caller holds the
// IngestLock.
#pragma once

#include <cstdint>
#include <string>

#include "storage/archive_plan.h"
#include "storage/database.h"

namespace dl {

struct ArchiveCounts {
  std::int64_t batches = 0;
  std::int64_t rows = 0;
  std::int64_t jobs = 0;
  std::int64_t requests = 0;
};

// `file`: the archive, made where there is none. Writes in transactions of a few milliseconds with
// room for the daemon between them. Errors: config (the file is no archive of this database),
// usage (a batch is partly in another file); SQLite's, of either file.
Result<ArchiveCounts> carry_out(const ArchivePlan& plan, Database& database,
                                const std::string& file, std::int64_t now_ms);

}  // namespace dl
