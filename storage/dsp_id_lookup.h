// Which job has which id at the DSP. Jobs of batches that are loading do not exist here.
// Thread rule: as the Database it borrows. Errors: SQLite's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/model/job.h"

namespace dl {

class DspIdLookup {
 public:
  explicit DspIdLookup(Database& database);

  // Of the job with this key; empty: it has none. Nothing: there is no such job.
  Result<std::optional<std::string>> id_of(const std::string& key);
  // Those that it had before, for all that is known here (what is archived is not).
  Result<std::vector<std::string>> former_ids_of(const std::string& key);
  // The key of the job that has it. Reads all jobs.
  Result<std::optional<std::string>> job_of(JobKind kind, const std::string& id);

 private:
  Database& database_;
  std::unique_ptr<SQLite::Statement> id_of_;
};

}  // namespace dl
