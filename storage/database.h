// One SQLite connection with the project's rules: WAL, synchronous FULL, autocheckpoint off (the
// shield against SQLite's WAL-reset bug), trusted_schema off, defensive, foreign keys, all read
// back, and an own busy handler with 0.5 ms steps. The only door to SQLiteCpp together with
// storage/*.cpp; nothing outside storage/ sees an exception of it. Thread rule: an object belongs
// to one thread. Ownership: statements are declared after, and so die before, their Database.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "storage/model/result.h"
#include "storage/room_ahead.h"

namespace dl {

// The function the guard on table `writer` calls. It exists on our connections only, so anybody
// else's attempt to name himself a writer ends with "no such function: <this name>".
inline constexpr const char* kWriterFunction =
    "only_demandlink_programs_write_here__use_operator_act";

enum class OpenMode {
  create,     // read and write; a missing file is made, migrations are applied
  existing,   // read and write; a missing file is an error (66)
  read_only,  // the views only; a missing file is an error (66)
};

// Who stands in the `writer` table during our transactions.
enum class Writer { daemon, ingest };

class Database {
 public:
  // Opens `path`, migrates it where the mode allows, checks that it is ours, not newer, not
  // damaged. Errors: data (not ours, damaged), config (newer schema, a network file system),
  // no_input, io, cant_create, no_permission, busy.
  static Result<std::unique_ptr<Database>> open(const std::string& path, OpenMode mode);

  // For a caller-supplied VFS (the crash simulator). `vfs`: a registered name; nullptr: the
  // default.
  static Result<std::unique_ptr<Database>> open(const std::string& path, OpenMode mode,
                                                const char* vfs);

  SQLite::Database& handle() { return db_; }
  const std::string& path() const { return path_; }
  const std::string& database_id() const { return database_id_; }

  // How long a statement waits for another process's transaction before SQLITE_BUSY. Default 5 s.
  void set_busy_wait(std::chrono::milliseconds wait) { busy_wait_ = wait; }

  // Changes when another connection has committed (PRAGMA data_version); our own commits do not
  // count.
  int data_version();
  // Moves with each CREATE, DROP and ALTER, by whomever (PRAGMA schema_version); not with PRAGMA
  // writable_schema.
  int schema_version();

  // BEGIN IMMEDIATE, name the writer for the guards, run `work`, clear the writer, COMMIT. Any
  // Error or exception rolls back. `work` returns Status. SQLite's errors come back as Error: busy,
  // io (with a failed sync: the message begins with "sync failed"), data (damage).
  Status transaction(Writer writer, const std::function<Status()>& work);

  // Runs `work` and turns SQLite's exceptions into an Error with `what` in front.
  Status guard(const std::string& what, const std::function<Status()>& work);

  // Switches the triggers (migrations 0002, 0003) off on this connection: they guard against
  // others' SQL, and would make our own writes cost 1.6 times as much. Only where nothing is
  // inserted into operator_act, for it is triggers that apply an act. Transactions then need not
  // name their writer (the row exists for the guards alone), which saves a page in each commit's
  // log. Call before statements are prepared.
  void leave_guards_to_others();

  // Moves the WAL into the database once it is longer than `pages`, then starts it anew
  // (wal_checkpoint(RESTART)). Only the daemon calls these, or ingest when no daemon holds the
  // lock. Judged by our last commit, which knows how much of the file is in use; while a reader
  // holds it, the next try comes `pages` later.
  Status checkpoint_if_longer_than(int pages);
  // Where the disk is full: moves all of the WAL and gives its room back
  // (wal_checkpoint(TRUNCATE)). Every transaction has reserved room for its pages in the database,
  // so this needs none.
  Status give_log_back();
  // After somebody else's commit: judged by the size of the file, which does not shrink when it
  // starts anew.
  Status checkpoint_after_others(int pages);
  // How long the WAL was, in bytes in use, when the last of these could not start it anew because
  // somebody held it; 0: it was.
  std::int64_t held_log_bytes() const { return held_log_bytes_; }
  // Nothing is known of the WAL, as after open(): for who goes on with this connection in another's
  // place.
  void forget_wal() { wal_pages_ = checkpoint_at_ = 0; }

  // PRAGMA quick_check. Reads the whole file where it is no longer than `whole_up_to` bytes (about
  // 4 s for a GB); of a longer one the tables that stay small: what is damaged elsewhere is noticed
  // when it is read. Error: data, with what is wrong and what to do.
  Status check_integrity(std::int64_t whole_up_to = std::numeric_limits<std::int64_t>::max());

 private:
  Database(const std::string& path, int flags, const char* vfs);
  Status prepare(OpenMode mode);
  Status prepare_statements(OpenMode mode);
  Status harden();
  Status keep_rules();
  Status checkpoint(int pages, int mode);
  Status reserve_room();

  std::string path_;
  SQLite::Database db_;
  std::string database_id_;
  std::chrono::milliseconds busy_wait_{5000};
  bool has_guards_ = true;
  int wal_pages_ = 0;      // in use after our last commit
  int checkpoint_at_ = 0;  // not before wal_pages_ is this
  std::int64_t held_log_bytes_ = 0;
  RoomAhead room_;
  std::int64_t page_bytes_ = 0;
  // Prepared once: parsing them was 2 % of the thread that writes.
  std::unique_ptr<SQLite::Statement> begin_;
  std::unique_ptr<SQLite::Statement> commit_;
  std::unique_ptr<SQLite::Statement> page_count_;
  std::unique_ptr<SQLite::Statement> data_version_;
  std::unique_ptr<SQLite::Statement> schema_version_;
  std::unique_ptr<SQLite::Statement> name_writer_;
  std::unique_ptr<SQLite::Statement> clear_writer_;
};

}  // namespace dl
