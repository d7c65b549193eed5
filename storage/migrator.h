// Brings a database to the newest schema: migrations/NNNN_noun.sql in order, each in one
// transaction, recorded with its checksum; forward only. A newer schema than ours, a file of
// another program and a migration that was edited after release are refused. Also seeds table
// job_rule from kRules. Thread rule: as the Database it is given. migrate() and the two checks
// before it are for Database::open; whether a stranger has changed the schema asks whoever goes on
// to write, to send or to vouch for it.
#pragma once

#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/model/result.h"

namespace dl {

// 'DLnk': PRAGMA application_id of our files.
inline constexpr int kApplicationId = 0x444C6E6B;

// The schema that this program makes: PRAGMA user_version.
int newest_schema();

// Ours, empty, or somebody else's? Errors: data (not ours), config (newer schema).
Status check_identity(Database& database);

// For read-only opens. Errors: config, when a writing program has to migrate it first; data.
Status check_schema_is_current(Database& database);

// Applies what is missing. Errors: config (an applied migration differs from ours), and SQLite's.
Status migrate(Database& database);

// What a stranger made of the schema while no daemon ran: "trigger NAME is missing" and the like,
// against what the migrations make in memory. Indexes, tables and views of an operator's own are no
// difference; a trigger is.
std::vector<std::string> schema_differences(Database& database);

// The same as an Error: config, naming the first few.
Status check_schema_is_ours(Database& database);

// SHA-256 of sqlite_schema as it is, hex. The daemon compares it now and then: a changed schema (a
// dropped trigger) stops sending.
std::string schema_hash(Database& database);

}  // namespace dl
