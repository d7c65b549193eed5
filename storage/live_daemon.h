// Courtesy of a program that writes beside a daemon: room between its transactions, and the checkpoints left to
// the daemon. Whether one runs is a guess, good enough for that: proof of death is its lock and nothing else.
// Thread rule: as the Database.
#pragma once

#include <string>

#include "storage/database.h"

namespace dl {

// Between two transactions of ours: a pause for the daemon, or where none runs its checkpoint, once the log has
// `checkpoint_pages`. Whether one seems to run: by the pids of instances that have not stopped; one that was
// reused makes us slower, no more.
Result<bool> leave_room_for_daemon(Database& database, int checkpoint_pages = 1'000);

// To be asked before Database::open: a file with an older schema is not migrated under the feet of the daemon that sends for it
// (its lock is held), which would end over it. Error: busy, with what to do.
Status refuse_to_migrate_beside_daemon(const std::string& path);

}  // namespace dl
