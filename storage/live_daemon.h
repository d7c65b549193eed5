// What a program that writes beside a daemon owes it: room between its transactions, and the
// checkpoints, for two programs that start the log anew at once lose commits (SQLite
// before 3.51.3). Whether one lives its lock tells and nothing else: a pid may be of another
// namespace (two containers over one folder). Where the lock cannot be asked, one lives. Thread
// rule: as the Database. A database that was opened by its one name (database_name.h): the lock has
// it.
#pragma once

#include <string>

#include "storage/database.h"

namespace dl {

// Between two transactions of ours: a pause for the daemon, or where none lives its checkpoint,
// once the log has `checkpoint_pages`; a daemon that starts waits for that. Whether one lives.
Result<bool> leave_room_for_daemon(Database& database, int checkpoint_pages = 1'000);

// Whether Database::open would migrate it. No: it is not there, is no database, or is new enough.
bool has_older_schema(const std::string& path);

// To be asked before Database::open: a file with an older schema is not migrated under the feet of
// the daemon that sends for it (its lock is held), which would end over it. Error: busy, with what
// to do.
Status refuse_to_migrate_beside_daemon(const std::string& path);

}  // namespace dl
