#include "storage/archive_file.h"

#include <sys/stat.h>

#include <optional>

#include "queries_sql.h"

namespace dl {
namespace {

std::optional<std::string> archived_database(Database& database) {
  SQLite::Statement of(database.handle(), std::string(sql::k_archive_is_of));
  if (!of.executeStep()) return std::nullopt;
  return of.getColumn(0).getString();
}

// By whatever name: a database that were its own archive would take no load any more.
bool is_same_file(const std::string& a, const std::string& b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::stat(a.c_str(), &of_a) == 0 && ::stat(b.c_str(), &of_b) == 0 &&
         of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

}  // namespace

Result<std::unique_ptr<Database>> open_archive(Database& database, const std::string& file) {
  if (is_same_file(file, database.path())) {
    return Error{Errc::config,
                 file + ": is the database itself; name another file for its archive"};
  }
  Result<std::unique_ptr<Database>> opened = Database::open(file, OpenMode::create);
  if (!opened) return opened.error();
  Database& archive = **opened;
  std::optional<std::string> owner;
  bool is_empty = false;
  Status ok = archive.guard(file, [&]() -> Status {
    owner = archived_database(archive);
    is_empty = archive.handle().execAndGet(std::string(sql::k_archive_last_job)).getInt64() == 0;
    archive.handle().exec("PRAGMA foreign_keys = OFF");  // copies come before what they refer to
    return Done{};
  });
  if (ok && owner != database.database_id()) {
    if (owner || !is_empty) {
      return Error{Errc::config,
                   file + ": is not an archive of " + database.path() + "; name another file"};
    }
    ok = archive.transaction(Writer::ingest, [&]() -> Status {
      SQLite::Statement claim(archive.handle(), std::string(sql::k_archive_claim));
      claim.bind(":database", database.database_id());
      claim.exec();
      return Done{};
    });
  }
  if (!ok) return ok.error();
  archive.leave_guards_to_others();
  return opened;
}

Status refuse_second_archive(Database& database, Database& archive, const std::string& file,
                             BatchId batch) {
  SQLite::Statement partly_in(database.handle(), std::string(sql::k_archive_partly_in));
  partly_in.bind(":batch", batch.value);
  partly_in.bind(":file", file);
  if (!partly_in.executeStep()) return Done{};
  SQLite::Statement rows_there(archive.handle(), std::string(sql::k_archive_rows));
  rows_there.bind(":batch", batch.value);
  rows_there.bind(":first", 0);
  rows_there.bind(":n", 1);
  if (rows_there.executeStep()) return Done{};
  return Error{Errc::usage, file + ": rows of batch " + std::to_string(batch.value) + " are in " +
                                partly_in.getColumn(0).getString() +
                                " already; go on with that file (--to), wherever it is now"};
}

Status refuse_archive(Database& database) {
  return database.guard(database.path(), [&]() -> Status {
    if (!archived_database(database)) return Done{};
    return Error{Errc::config,
                 database.path() +
                     ": is an archive of finished work; nothing is loaded into it or sent from it"};
  });
}

}  // namespace dl
