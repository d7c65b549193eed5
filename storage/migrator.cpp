#include "storage/migrator.h"

#include <sys/random.h>

#include <iterator>
#include <map>

#include "migrations_sql.h"
#include "storage/digest.h"
#include "storage/fault/fault_point.h"
#include "storage/model/job_state.h"
#include "storage/sqlite_error.h"

namespace dl {
namespace {

constexpr int kNewestVersion = static_cast<int>(std::size(migrations_sql::kAll));
constexpr std::size_t kNamedDifferences = 5;  // in one message
constexpr const char* kMigrationTable =
    "CREATE TABLE migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT "
    "NULL) STRICT";

int user_version(Database& database) {
  return database.handle().execAndGet("PRAGMA user_version").getInt();
}

// A random (version 4) UUID, RFC 4122 section 4.4.
std::string random_uuid() {
  std::array<unsigned char, 16> bytes{};
  DL_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()),
           "no randomness");
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

Status apply(Database& database, int version, const migrations_sql::Entry& migration) {
  SQLite::Database& db = database.handle();
  db.exec(std::string(migration.text));
  SQLite::Statement record(db, "INSERT INTO migration (version, name, sha256) VALUES (?1, ?2, ?3)");
  record.bind(1, version);
  record.bind(2, std::string(migration.name));
  record.bind(3, hex(sha256(migration.text)));
  record.exec();
  db.exec("PRAGMA user_version = " + std::to_string(version));
  DL_FAULT_POINT("migrate.step");
  return Done{};
}

Status check_applied(Database& database, int version) {
  SQLite::Statement applied(database.handle(),
                            "SELECT version, name, sha256 FROM migration ORDER BY version");
  while (applied.executeStep()) {
    const int number = applied.getColumn(0).getInt();
    if (number > version) break;
    const migrations_sql::Entry& ours = migrations_sql::kAll[number - 1];
    if (applied.getColumn(2).getString() != hex(sha256(ours.text))) {
      return Error{Errc::config,
                   database.path() + ": migration " + applied.getColumn(1).getString() +
                       " is not the one this program knows; use the program that made the file"};
    }
  }
  return Done{};
}

// Somebody's PRAGMA is no migration.
Status check_version(Database& database, int version) {
  SQLite::Database& db = database.handle();
  if (db.execAndGet(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'migration'")
          .getInt() == 0)
    return Done{};
  const int applied = db.execAndGet("SELECT coalesce(max(version), 0) FROM migration").getInt();
  if (applied == version) return Done{};
  return Error{Errc::config, database.path() + ": PRAGMA user_version is " +
                                 std::to_string(version) + ", but " + std::to_string(applied) +
                                 " migrations were applied; set it back"};
}

bool rules_are_current(Database& database) {
  SQLite::Statement rules(
      database.handle(), "SELECT id, from_state, event, to_state, actor FROM job_rule ORDER BY id");
  for (const Rule& rule : kRules) {
    if (!rules.executeStep()) return false;
    if (rules.getColumn(0).getInt() != rule.id ||
        rules.getColumn(1).getString() != name_of(rule.from) ||
        rules.getColumn(2).getString() != name_of(rule.event) ||
        rules.getColumn(3).getString() != name_of(rule.to) ||
        rules.getColumn(4).getString() != name_of(rule.actor)) {
      return false;
    }
  }
  return !rules.executeStep();
}

// Rules of another program are rules; those of a page whose bits have turned over are not, and an
// index that no longer fits them would refuse the new ones.
Status check_rules_are_sound(Database& database) {
  const std::string verdict =
      database.handle().execAndGet("PRAGMA integrity_check(job_rule)").getString();
  if (verdict == "ok") return Done{};
  return error_of_damage(verdict, database.path());
}

void seed_rules(Database& database) {
  SQLite::Database& db = database.handle();
  db.exec("DELETE FROM job_rule");
  SQLite::Statement insert(
      db,
      "INSERT INTO job_rule (id, from_state, event, to_state, actor) VALUES (?1, ?2, ?3, ?4, ?5)");
  for (const Rule& rule : kRules) {
    insert.reset();
    insert.bind(1, rule.id);
    insert.bind(2, std::string(name_of(rule.from)));
    insert.bind(3, std::string(name_of(rule.event)));
    insert.bind(4, std::string(name_of(rule.to)));
    insert.bind(5, std::string(name_of(rule.actor)));
    insert.exec();
  }
}

using Schema = std::map<std::string, std::string>;  // "trigger NAME": its CREATE statement

Schema schema_of(SQLite::Database& db) {
  Schema schema;
  SQLite::Statement rows(
      db, "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  while (rows.executeStep()) {
    schema[rows.getColumn(0).getString() + " " + rows.getColumn(1).getString()] =
        rows.getColumn(2).getString();
  }
  return schema;
}

Schema schema_of_a_new_file() {
  SQLite::Database db(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  db.exec(kMigrationTable);
  for (const migrations_sql::Entry& migration : migrations_sql::kAll)
    db.exec(std::string(migration.text));
  return schema_of(db);
}

Status migrate_in_transaction(Database& database) {
  SQLite::Database& db = database.handle();
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  const int before = user_version(database);  // again, now that nobody else can change it
  if (before == 0) {
    db.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    db.exec(kMigrationTable);
  } else if (Status ok = check_applied(database, before); !ok) {
    return ok;
  }
  for (int version = before + 1; version <= kNewestVersion; ++version) {
    if (Status ok = apply(database, version, migrations_sql::kAll[version - 1]); !ok) return ok;
  }
  db.exec("UPDATE writer SET actor = 'daemon' WHERE one = 1");
  if (before == 0) {
    SQLite::Statement id(
        db, "INSERT INTO property (name, value) VALUES ('database_id', ?1), ('generation', '1')");
    id.bind(1, random_uuid());
    id.exec();
  }
  if (!rules_are_current(database)) {
    if (Status sound = check_rules_are_sound(database); !sound) return sound;
    seed_rules(database);
  }
  db.exec("UPDATE writer SET actor = NULL WHERE one = 1");
  transaction.commit();
  return Done{};
}

}  // namespace

int newest_schema() { return kNewestVersion; }

Status check_identity(Database& database) {
  SQLite::Database& db = database.handle();
  // One view of it all: another program may be making this very file, or bringing it forward.
  const SQLite::Transaction snapshot(db);
  const int version = user_version(database);
  const int application = db.execAndGet("PRAGMA application_id").getInt();
  const int tables = db.execAndGet("SELECT count(*) FROM sqlite_schema").getInt();
  if (tables == 0 && version == 0 && application == 0) return Done{};  // a new file
  if (application != kApplicationId) {
    return Error{Errc::data, database.path() + ": is not a DemandLink database"};
  }
  if (version > kNewestVersion) {
    return Error{Errc::config, database.path() + ": was made by a newer DemandLink (schema " +
                                   std::to_string(version) + ", this program knows " +
                                   std::to_string(kNewestVersion) + "); update this program"};
  }
  return check_version(database, version);
}

Status check_schema_is_current(Database& database) {
  const int version = user_version(database);
  if (version == kNewestVersion) return Done{};
  return Error{Errc::config, database.path() + ": has schema " + std::to_string(version) +
                                 ", this program needs " + std::to_string(kNewestVersion) +
                                 "; (re)start dl-daemon, which migrates it"};
}

Status migrate(Database& database) {
  if (user_version(database) == kNewestVersion) {
    if (Status ok = check_applied(database, kNewestVersion); !ok) return ok;
    if (rules_are_current(database)) return Done{};
  }
  return migrate_in_transaction(database);
}

std::vector<std::string> schema_differences(Database& database) {
  const Schema expected = schema_of_a_new_file();
  const Schema found = schema_of(database.handle());
  std::vector<std::string> differences;
  for (const auto& [name, sql] : expected) {
    const auto same = found.find(name);
    if (same == found.end()) {
      differences.push_back(name + " is missing");
    } else if (same->second != sql) {
      differences.push_back(name + " is not as it was made");
    }
  }
  for (const auto& [name, sql] : found) {
    if (!expected.contains(name) && name.starts_with("trigger "))
      differences.push_back(name + " is not ours");
  }
  return differences;
}

Status check_schema_is_ours(Database& database) {
  return database.guard(database.path(), [&]() -> Status {
    const std::vector<std::string> differences = schema_differences(database);
    if (differences.empty()) return Done{};
    std::string names = differences.front();
    for (std::size_t i = 1; i < differences.size() && i < kNamedDifferences; ++i)
      names += ", " + differences[i];
    if (differences.size() > kNamedDifferences) {
      names += " and " + std::to_string(differences.size() - kNamedDifferences) + " more";
    }
    return Error{
        Errc::config,
        database.path() + ": its schema was changed: " + names +
            "; put it back (docs/OPERATIONS.md, To put a guard back), or restore a backup"};
  });
}

std::string schema_hash(Database& database) {
  SQLite::Statement rows(database.handle(),
                         "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name");
  std::string text;
  while (rows.executeStep()) {
    for (int i = 0; i < 3; ++i) {
      const SQLite::Column column = rows.getColumn(i);
      text.append(column.getText(), static_cast<std::size_t>(column.getBytes())) += '\0';
    }
  }
  return hex(sha256(text));
}

}  // namespace dl
