// The file that an archive lies in: a DemandLink database that says whose archive it is. Thread
// rule: as the Database.
#pragma once

#include <memory>
#include <string>

#include "storage/database.h"
#include "storage/model/ids.h"

namespace dl {

// Opens the archive of `database` in `file`, or makes it and writes into it whose it is. Two loads
// of one file never meet: the caller has the database's lock. Errors: config (it is the database
// itself, or no archive of it); those of Database::open().
Result<std::unique_ptr<Database>> open_archive(Database& database, const std::string& file);

// A batch whose rows lay in two files would be found in one of them only. Error (usage) where an
// earlier run has moved some of its rows into a file other than `file` (whole path) and `archive`,
// which is open there, has none of them: it was not merely renamed.
Status refuse_second_archive(Database& database, Database& archive, const std::string& file,
                             BatchId batch);

// Error (config) where the file is an archive: nothing is loaded into it or sent from it.
Status refuse_archive(Database& database);

}  // namespace dl
