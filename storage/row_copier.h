// Copies rows of one table to the same table of another database, whatever columns it has: the only
// SQL that is put together while running, so that a column of a later migration is never left
// behind. Thread rule: as the two Databases it borrows, which outlive it. Only for storage/*.cpp;
// SQLite's exceptions pass.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <string>

#include "storage/database.h"

namespace dl {

// What becomes of a row that is there already, with the same primary key.
enum class SameKey { replace, keep };

class RowCopier {
 public:
  // `condition`: which rows, with ?1: "job_id = ?1".
  RowCopier(Database& from, Database& to, const std::string& table, const std::string& condition,
            SameKey same_key);

  // Returns how many rows there were to copy.
  int copy(std::int64_t key);

 private:
  SQLite::Statement read_;
  SQLite::Statement write_;
};

}  // namespace dl
