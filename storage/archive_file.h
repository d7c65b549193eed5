// The file that an archive lies in: a DemandLink database that says whose archive it is. Thread
// rule: as the Database.
#pragma once

#include <memory>
#include <string>

#include "storage/database.h"

namespace dl {

// Opens the archive of `database` in `file`, or makes it and writes into it whose it is. Two loads
// of one file never meet: the caller has the database's lock. Errors: config (it is the database
// itself, or no archive of it); those of Database::open().
Result<std::unique_ptr<Database>> open_archive(Database& database, const std::string& file);

// Error (config) where the file is an archive: nothing is loaded into it or sent from it.
Status refuse_archive(Database& database);

}  // namespace dl
