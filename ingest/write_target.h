// What a command writes into: the database, and the lock that makes it the only loader. Thread
// rule: as the Database.
#pragma once

#include <memory>
#include <string>

#include "storage/database.h"
#include "storage/ingest_lock.h"

namespace dl {

struct WriteTarget {
  IngestLock lock;
  std::unique_ptr<Database> database;
  bool has_removed_orphans = false;  // whoever has the lock removes what a killed load has left
};

// An older schema is migrated only with the lock: never under a load of an older program. Errors:
// busy (somebody loads; an older daemon sends), config (its schema was changed; it is an archive),
// those of name_of_database and Database::open.
Result<WriteTarget> open_to_write(const std::string& path, OpenMode mode);

}  // namespace dl
