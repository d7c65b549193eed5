#include "storage/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "storage/fault/fault_point.h"
#include "storage/log_in_one_piece.h"
#include "storage/migrator.h"
#include "storage/model/planted.h"
#include "storage/rollback.h"
#include "storage/sound_rows.h"
#include "storage/sqlite_error.h"

namespace dl {
namespace {

constexpr std::chrono::microseconds kBusyStep{500};
constexpr int kMaxValueBytes = 4 * 1024 * 1024;
constexpr const char* kAnotherSqlite =
    "; this SQLite is not built as Debian builds it: use Debian's libsqlite3-0";
constexpr const char* kSmallTables[] = {"property", "migration", "writer",  "job_rule",
                                        "account",  "batch",     "instance"};

// POSIX locks and mmap of the -shm file are only trusted on local file systems: an allow-list, by
// the magic numbers of statfs(2).
constexpr std::array<unsigned long, 12> kLocalFileSystems = {
    0xEF53,      // ext2, ext3, ext4
    0x58465342,  // xfs
    0x9123683E,  // btrfs
    0x01021994,  // tmpfs
    0x858458F6,  // ramfs
    0xF2F52010,  // f2fs
    0x794C7630,  // overlayfs
    0x2FC12FC1,  // zfs
    0xCA451A4E,  // bcachefs
    0x52654973,  // reiserfs
    0x3153464A,  // jfs
    0x4D44,      // vfat
};

Status refuse_network_file_system(const std::string& path) {
  struct statfs info {};
  if (statfs(folder_of(path).c_str(), &info) != 0) {
    return Error{Errc::cant_create, path + ": the folder does not exist or cannot be read"};
  }
  const auto type = static_cast<unsigned long>(info.f_type) & 0xFFFFFFFFUL;
  if (std::find(kLocalFileSystems.begin(), kLocalFileSystems.end(), type) ==
      kLocalFileSystems.end()) {
    return Error{Errc::config, path +
                                   ": not on a local file system, where locks cannot be trusted; "
                                   "put the database on a local disk"};
  }
  return Done{};
}

// SQLite would throw the log away, and with it commits, when it makes a new database beside it.
Status refuse_log_without_database(const std::string& path) {
  struct stat info {};
  const std::string log = path + "-wal";
  if (stat(log.c_str(), &info) != 0 || info.st_size == 0) return Done{};
  return Error{Errc::no_input, path + ": is not there, but its write-ahead log is (" + log +
                                   "), which holds a part of it; "
                                   "put the database back beside the log, or delete the log if the "
                                   "database is gone for good"};
}

Status check_file(const std::string& path, OpenMode mode) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == EACCES) return Error{Errc::no_permission, path + ": " + std::strerror(EACCES)};
    if (mode == OpenMode::create) return refuse_log_without_database(path);
    return Error{Errc::no_input,
                 path + ": there is no such database; load a sheet first (dl-ingest FILE)"};
  }
  if (!S_ISREG(info.st_mode)) return Error{Errc::no_input, path + ": is not a regular file"};
  return Done{};
}

// SQLite would make a new file 0644; ours are the group's to write and nobody else's to read (the
// umask may take more away). -wal and -shm inherit the mode. Done before SQLite has the file open:
// closing a descriptor of it later would drop SQLite's POSIX locks.
Status make_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
  if (fd >= 0) {
    close(fd);
    return Done{};
  }
  if (errno == EEXIST) return Done{};
  const Errc code = errno == EACCES ? Errc::no_permission : Errc::cant_create;
  return Error{code, path + ": " + std::strerror(errno)};
}

std::string layer_over(const char* vfs) {
  const char* const layer = log_in_one_piece(vfs);
  if (layer != nullptr) return layer;
  return vfs != nullptr ? vfs : "";  // an unknown name: SQLite says so
}

// The function that the guard on `writer` calls: it exists on our connections only.
void allow_writing(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_int(context, 1);
}

}  // namespace

Database::Database(const std::string& path, int flags, const char* vfs)
    : path_(path), db_(path, flags, 0, layer_over(vfs)) {}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, OpenMode mode) {
  return open(path, mode, nullptr);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, OpenMode mode,
                                                 const char* vfs) {
  if (vfs == nullptr) {
    if (Status ok = check_file(path, mode); !ok) return ok.error();
    if (Status ok = refuse_network_file_system(path); !ok) return ok.error();
    if (mode == OpenMode::create) {
      if (Status ok = make_file(path); !ok) return ok.error();
    }
  }
  int flags = SQLITE_OPEN_NOMUTEX;
  flags |= mode == OpenMode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == OpenMode::create) flags |= SQLITE_OPEN_CREATE;
  std::unique_ptr<Database> database;
  try {
    database.reset(new Database(path, flags, vfs));
  } catch (const SQLite::Exception& e) {
    return error_of(e.getExtendedErrorCode(), e.what(), path, path);
  }
  if (Status ok = database->prepare(mode); !ok) return ok.error();
  return database;
}

// What holds on every connection, also of those that only read. A SQLite that refuses a part of it
// would go unnoticed until what it shields from has happened.
Status Database::harden() {
  sqlite3* const raw = db_.getHandle();
  const auto wait = [](void* self, int calls) {
    const auto waited = kBusyStep * calls;
    if (waited >= static_cast<Database*>(self)->busy_wait_) return 0;
    std::this_thread::sleep_for(kBusyStep);
    return 1;
  };
  int is_defensive = 0;
  int trusts_schema = 1;
  int loads_extensions = 1;
  for (const int code :
       {sqlite3_extended_result_codes(raw, 1), sqlite3_busy_handler(raw, wait, this),
        sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, &is_defensive),
        sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &trusts_schema),
        sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, &loads_extensions),
        sqlite3_create_function_v2(raw, kWriterFunction, 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, nullptr,
                                   allow_writing, nullptr, nullptr, nullptr)}) {
    if (code != SQLITE_OK)
      return error_of(code, sqlite3_errstr(code), path_,
                      path_ + ": the connection cannot be set up");
  }
  if (is_defensive != 1 || trusts_schema != 0 || loads_extensions != 0) {
    return Error{Errc::config,
                 path_ + ": DEFENSIVE on, TRUSTED_SCHEMA off and extensions off were not accepted" +
                     kAnotherSqlite};
  }
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  return Done{};
}

// Of a connection that writes.
Status Database::keep_rules() {
  // Of a new file alone: pages that archive frees can then be given back without VACUUM.
  if (db_.execAndGet("PRAGMA page_count").getInt() == 0)
    db_.exec("PRAGMA auto_vacuum = INCREMENTAL");
  if (const std::string journal = db_.execAndGet("PRAGMA journal_mode = WAL").getString();
      journal != "wal") {
    return Error{Errc::config,
                 path_ + ": cannot use write-ahead logging here (journal_mode is " + journal + ")"};
  }
  db_.exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 8388608; PRAGMA foreign_keys = ON;"
           "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;"
           "PRAGMA secure_delete = OFF;"  /* Debian's default overwrites what is deleted, index entries too */
           "PRAGMA cache_size = -16384;"  /* KiB: what is hot of 1,000,000 jobs, within the daemon's 64 MiB */);
  sqlite3_wal_hook(
      db_.getHandle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Database*>(self)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  struct Setting {
    const char* pragma;
    int value;
  };
  for (const Setting& must :
       {Setting{"synchronous", 2}, Setting{"wal_autocheckpoint", 0}, Setting{"foreign_keys", 1}}) {
    const int is = db_.execAndGet(std::string("PRAGMA ") + must.pragma).getInt();
    if (is == must.value) continue;
    return Error{Errc::config, path_ + ": " + must.pragma + " = " + std::to_string(must.value) +
                                   " was not accepted (it is " + std::to_string(is) + ")" +
                                   kAnotherSqlite};
  }
  if (planted(Fault::synchronous_normal)) db_.exec("PRAGMA synchronous = NORMAL");
  return Done{};
}

Status Database::prepare(OpenMode mode) {
  if (Status hard = harden(); !hard) return hard;
  Status ok = guard(path_, [&]() -> Status {
    // Before anything is written: is it ours, and not newer?
    if (Status fit = check_identity(*this); !fit) return fit;
    if (mode == OpenMode::read_only) return check_schema_is_current(*this);
    if (Status kept = keep_rules(); !kept) return kept;
    return migrate(*this);
  });
  if (ok) ok = guard(path_, [&] { return prepare_statements(mode); });
  // Our own statements fit every schema of ours. Of one that somebody has changed, or whose page
  // has a bit turned over, not even these.
  if (!ok && ok.error().sqlite_code == SQLITE_ERROR) {
    return Error{Errc::config,
                 ok.error().message +
                     "; its schema was changed: restore a backup (docs/OPERATIONS.md: "
                     "Files, backup, restore)"};
  }
  return ok;
}

Status Database::prepare_statements(OpenMode mode) {
  database_id_ = property(db_, "database_id");
  data_version_ = std::make_unique<SQLite::Statement>(db_, "PRAGMA data_version");
  schema_version_ = std::make_unique<SQLite::Statement>(db_, "PRAGMA schema_version");
  if (mode == OpenMode::read_only) return Done{};
  begin_ = std::make_unique<SQLite::Statement>(db_, "BEGIN IMMEDIATE");
  commit_ = std::make_unique<SQLite::Statement>(db_, "COMMIT");
  room_ = RoomAhead::of(path_);
  page_bytes_ = db_.execAndGet("PRAGMA page_size").getInt64();
  page_count_ = std::make_unique<SQLite::Statement>(db_, "PRAGMA page_count");
  name_writer_ =
      std::make_unique<SQLite::Statement>(db_, "UPDATE writer SET actor = ?1 WHERE one = 1");
  clear_writer_ =
      std::make_unique<SQLite::Statement>(db_, "UPDATE writer SET actor = NULL WHERE one = 1");
  return Done{};
}

void Database::leave_guards_to_others() {
  int are_on = 1;
  sqlite3_db_config(db_.getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, &are_on);
  has_guards_ = are_on != 0;  // they are asked to let us through where they stay
}

namespace {

// Before a statement is used again: reset() would repeat the error with which it ended the last
// time.
int number_of(SQLite::Statement& pragma) {
  pragma.tryReset();
  pragma.executeStep();
  const int number = pragma.getColumn(0).getInt();
  pragma.reset();
  return number;
}

}  // namespace

int Database::data_version() { return number_of(*data_version_); }
int Database::schema_version() { return number_of(*schema_version_); }

Status Database::transaction(Writer writer, const std::function<Status()>& work) {
  return guard(path_, [&]() -> Status {
    roll_back_what_is_open(db_);  // of a transaction that could not even be ended
    run_once(*begin_);
    RollBackUnlessDone transaction(db_);
    if (has_guards_) {
      name_writer_->tryReset();
      name_writer_->bind(1, writer == Writer::daemon ? "daemon" : "ingest");
      name_writer_->exec();
    }
    if (Status ok = work(); !ok) return ok;  // the destructor rolls back
    if (has_guards_) {
      clear_writer_->tryReset();
      clear_writer_->exec();
    }
    if (Status room = reserve_room(); !room) return room;
    run_once(*commit_);
    transaction.is_done = true;
    return Done{};
  });
}

Status Database::reserve_room() {
  page_count_->tryReset();
  page_count_->executeStep();
  const std::int64_t pages = page_count_->getColumn(0).getInt64();
  page_count_->reset();
  if (room_.reserve(pages * page_bytes_)) return Done{};
  return error_of(SQLITE_FULL, "no room to grow", path_, path_);
}

Status Database::guard(const std::string& what, const std::function<Status()>& work) {
  try {
    return work();
  } catch (const SQLite::Exception& e) {
    int extended = e.getExtendedErrorCode();
    if (extended < 0) extended = e.getErrorCode();
    return error_of(extended, e.what(), path_, what);
  }
}

namespace {

// quick_check reports a page that could not be read like one that is wrong: "… error code=266".
std::optional<int> trouble_with_a_page(const std::string& verdict) {
  constexpr std::string_view kCode = "unable to get the page. error code=";
  const std::size_t at = verdict.find(kCode);
  if (at == std::string::npos) return std::nullopt;
  return std::atoi(verdict.c_str() + at + kCode.size());
}

}  // namespace

Status Database::check_integrity(std::int64_t whole_up_to) {
  return guard(path_, [&]() -> Status {
    const std::int64_t bytes = db_.execAndGet("PRAGMA page_count").getInt64() *
                               db_.execAndGet("PRAGMA page_size").getInt64();
    std::vector<std::string> checks = {"PRAGMA quick_check(1)"};
    if (bytes > whole_up_to) {
      checks.clear();
      for (const char* table : kSmallTables)
        checks.push_back(std::string("PRAGMA quick_check(") + table + ")");
    }
    for (const std::string& check : checks) {
      const std::string verdict = db_.execAndGet(check).getString();
      if (verdict == "ok") continue;
      Errc unread = code_of(trouble_with_a_page(verdict).value_or(SQLITE_CORRUPT));
      // Some wordings do not tell; but damage is there the second time, too.
      if (unread == Errc::data && db_.execAndGet(check).getString() == "ok") unread = Errc::io;
      if (unread != Errc::data)
        return Error{unread, path_ + ": cannot be read (" + verdict + "); the file may be sound"};
      return error_of_damage(verdict, path_);
    }
    return Done{};
  });
}

Status Database::checkpoint_if_longer_than(int pages) {
  if (wal_pages_ < std::max(pages, checkpoint_at_)) return Done{};
  return checkpoint(pages, SQLITE_CHECKPOINT_RESTART);
}

Status Database::give_log_back() { return checkpoint(0, SQLITE_CHECKPOINT_TRUNCATE); }

Status Database::checkpoint_after_others(int pages) {
  // NOOP does not exist in 3.40; the size of the WAL tells as much and costs one fstat.
  sqlite3_file* wal = nullptr;
  sqlite3_int64 bytes = 0;
  sqlite3_file_control(db_.getHandle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
  if (wal == nullptr || wal->pMethods == nullptr) return Done{};
  if (wal->pMethods->xFileSize(wal, &bytes) != SQLITE_OK || bytes < sqlite3_int64{pages} * 4096)
    return Done{};
  return checkpoint(pages, SQLITE_CHECKPOINT_RESTART);
}

Status Database::checkpoint(int pages, int mode) {
  return guard(path_, [&]() -> Status {
    sqlite3* raw = db_.getHandle();
    const auto wait = busy_wait_;
    busy_wait_ = std::chrono::milliseconds{20};
    DL_FAULT_POINT("checkpoint.before");
    int pages_in_log = 0;
    const int code = sqlite3_wal_checkpoint_v2(raw, nullptr, mode, &pages_in_log, nullptr);
    room_.forget();  // it may have cut the file to what is in use
    busy_wait_ = wait;
    DL_FAULT_POINT("checkpoint.after");
    // by a reader, or another program's transaction
    const bool is_held = (code & 0xFF) == SQLITE_BUSY;
    checkpoint_at_ = is_held ? wal_pages_ + pages : 0;
    if (!is_held) held_log_bytes_ = wal_pages_ = 0;
    if (is_held && pages_in_log > 0) held_log_bytes_ = pages_in_log * page_bytes_;
    if (code == SQLITE_OK || is_held) return Done{};
    return error_of(sqlite3_extended_errcode(raw), sqlite3_errmsg(raw), path_,
                    path_ + ": checkpoint");
  });
}

}  // namespace dl
