// Courtesy of a program that writes beside a daemon: room between its transactions, and the checkpoints left to
// the daemon. Whether one runs is a guess, good enough for that: proof of death is its lock and nothing else.
// Thread rule: as the Database.
#pragma once

#include "storage/database.h"

namespace dl {

// By the pids of instances that have not stopped; one that was reused makes us slower, no more. SQLite's
// exceptions pass: call it inside Database::guard.
bool daemon_seems_alive(Database& database);

// Between two transactions of ours: a pause for the daemon, or its checkpoint where none runs.
Status leave_room_for_daemon(Database& database);

}  // namespace dl
