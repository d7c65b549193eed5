// How a transaction of a Database begins and ends, whatever SQLite says to it. For database.cpp.
// Thread rule: the Database's own.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

namespace dl {

// A BEGIN that finds the database held stays a running statement until it is reset, and with it a
// view of the tables that never ends; a COMMIT that fails does, too.
inline void run_once(SQLite::Statement& statement) {
  try {
    statement.exec();
  } catch (...) {
    statement.tryReset();
    throw;
  }
  statement.reset();
}

// Not where SQLite has done so by itself. An allocation that failed in one call may make the next
// one fail, too, and that may be the ROLLBACK.
inline void roll_back_what_is_open(SQLite::Database& db) {
  constexpr int kTries = 2;
  for (int i = 0; i < kTries && sqlite3_get_autocommit(db.getHandle()) == 0; ++i)
    db.tryExec("ROLLBACK");
}

struct RollBackUnlessDone {
  explicit RollBackUnlessDone(SQLite::Database& database) : db(database) {}
  ~RollBackUnlessDone() {
    if (!is_done) roll_back_what_is_open(db);
  }
  RollBackUnlessDone(const RollBackUnlessDone&) = delete;
  RollBackUnlessDone& operator=(const RollBackUnlessDone&) = delete;
  SQLite::Database& db;
  bool is_done = false;
};

}  // namespace dl
