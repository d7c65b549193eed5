#include "storage/verifier.h"

#include <cstring>

#include "queries_sql.h"
#include "storage/digest.h"
#include "storage/idempotency_key.h"
#include "storage/ledger_windows.h"
#include "storage/migrator.h"

namespace dl {
namespace {

using Found = std::function<void(Finding)>;
using Kind = Finding::Kind;

Finding finding(Kind kind, SQLite::Statement& row, std::string what) {
  return {kind, row.getColumn(0).getInt64(), row.getColumn(1).getString(), std::move(what)};
}

// Beyond what check_integrity asks at every start: whether the indexes say what the tables say.
Status check_file(Database& database) {
  if (Status sound = database.check_integrity(); !sound) return sound;
  const std::string verdict = database.handle().execAndGet("PRAGMA integrity_check(1)").getString();
  if (verdict == "ok") return Done{};
  return Error{Errc::data, database.path() + ": the database is damaged (" + verdict +
                               "); restore a backup, or mend its indexes with REINDEX"};
}

void check_schema(Database& database, const Found& found) {
  for (const std::string& difference : schema_differences(database)) {
    found({Kind::broken, 0, "", "the schema was changed: " + difference});
  }
}

void check_references(SQLite::Database& db, const Found& found) {
  SQLite::Statement rows(db, "PRAGMA foreign_key_check");
  while (rows.executeStep()) {
    found({Kind::broken, 0, "",
           "a row of " + rows.getColumn(0).getString() + " refers to one of " +
               rows.getColumn(2).getString() + " that does not exist"});
  }
}

void check_promises(SQLite::Database& db, const Found& found) {
  SQLite::Statement rows(db, std::string(sql::k_verify_promises));
  while (rows.executeStep()) {
    found({Kind::broken, rows.getColumn(1).getInt64(), rows.getColumn(2).getString(),
           rows.getColumn(3).getString() + " (promise " + rows.getColumn(0).getString() + ")"});
  }
}

void check_order(SQLite::Database& db, const Found& found) {
  SQLite::Statement rows(db, std::string(sql::k_verify_order));
  while (rows.executeStep()) {
    found(finding(Kind::broken, rows,
                  "was sent before its parent " + rows.getColumn(2).getString() +
                      " had succeeded, as the history has it"));
  }
}

void check_payloads(SQLite::Database& db, const Found& found) {
  SQLite::Statement rows(db, std::string(sql::k_verify_payloads));
  while (rows.executeStep()) {
    if (rows.getColumn(3).isNull()) {
      found(finding(Kind::broken, rows, "it has no payload"));
      continue;
    }
    const Sha256 digest = sha256(rows.getColumn(2).getString());
    const SQLite::Column stored = rows.getColumn(3);
    const bool fits = stored.getBytes() == static_cast<int>(digest.size()) &&
                      std::memcmp(stored.getBlob(), digest.data(), digest.size()) == 0;
    if (fits) continue;
    found(finding(Kind::broken, rows,
                  "its payload is not what was loaded (the stored SHA-256 does not fit)"));
  }
}

void check_bodies(SQLite::Database& db, const Found& found) {
  SQLite::Statement rows(db, std::string(sql::k_verify_bodies));
  while (rows.executeStep()) {
    const std::string request = rows.getColumn(2).getString();
    if (rows.getColumn(3).isNull()) {
      found(
          finding(Kind::broken, rows, "the bytes that request " + request + " has sent are gone"));
    } else if (rows.getColumn(4).getInt64() != short_digest(rows.getColumn(3).getString())) {
      found(finding(Kind::broken, rows,
                    "the stored bytes of request " + request +
                        " are not what it has sent (request_body.digest does not fit)"));
    }
  }
}

void check_keys(Database& database, const Found& found) {
  SQLite::Statement rows(database.handle(), std::string(sql::k_verify_keys));
  while (rows.executeStep()) {
    const std::string expected = idempotency_key(
        database.database_id(), rows.getColumn(1).getString(), rows.getColumn(3).getInt());
    if (rows.getColumn(4).getString() == expected) continue;
    const std::string request = rows.getColumn(2).getString();
    found(finding(Kind::broken, rows,
                  "request " + request + " was sent under a key that is not its attempt's"));
  }
}

void check_edges(SQLite::Database& db, const Found& found) {
  SQLite::Statement rows(db, std::string(sql::k_verify_edges));
  while (rows.executeStep())
    found(finding(Kind::broken, rows, "none of its parents is the one that its key names"));
}

void list_doubts(SQLite::Database& db, const Found& found) {
  SQLite::Statement rows(db, std::string(sql::k_verify_doubts));
  while (rows.executeStep()) {
    const std::string error = rows.getColumn(3).getString();
    found(finding(Kind::in_doubt, rows,
                  rows.getColumn(2).getString() + (error.empty() ? "" : ": " + error)));
  }
}

}  // namespace

Result<Verified> verify(Database& database, const Found& found) {
  Verified verified;
  Status ok = database.guard(database.path(), [&]() -> Status {
    SQLite::Database& db = database.handle();
    SQLite::Transaction snapshot(db);  // one view of the tables
    if (Status sound = check_file(database); !sound) return sound;
    check_schema(database, found);
    check_references(db, found);
    check_promises(db, found);
    check_order(db, found);
    check_payloads(db, found);
    check_bodies(db, found);
    check_keys(database, found);
    check_edges(db, found);
    find_full_windows(db, [&found](std::string what) {
      found({Kind::broken, 0, "", std::move(what)});
    });
    list_doubts(db, found);
    verified.jobs = db.execAndGet("SELECT count(*) FROM job").getInt64();
    verified.requests = db.execAndGet("SELECT count(*) FROM request").getInt64();
    return Done{};
  });
  if (!ok) return ok.error();
  return verified;
}

std::string_view name_of(Finding::Kind kind) {
  switch (kind) {
    case Kind::broken: return "broken";
    case Kind::in_doubt: return "in doubt";
    case Kind::missing: return "missing";
    case Kind::duplicate: return "duplicate";
    case Kind::unasked: return "not answered";
    case Kind::remark: return "asked";
  }
  return "?";
}

}  // namespace dl
