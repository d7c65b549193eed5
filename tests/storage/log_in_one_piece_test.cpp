#include "storage/log_in_one_piece.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "tests/support/temporary_folder.h"

namespace dl {
namespace {

// The system's own files, but writes are counted, and may be made to fail. It is the file of the
// layer below itself, with another table of functions.
struct Watched {
  int writes = 0;
  int longest = 0;
  int fail_at_write = 0;  // 1: the next one; 0: none
  bool fails_on = false;  // and all later ones
  int interrupt_at_write = 0;
  sqlite3* interrupted = nullptr;
};
Watched g_log;
Watched g_database;
const sqlite3_io_methods* g_system = nullptr;

template <Watched& what>
int watched_write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 offset) {
  ++what.writes;
  what.longest = std::max(what.longest, size);
  if (what.interrupt_at_write > 0 && --what.interrupt_at_write == 0)
    sqlite3_interrupt(what.interrupted);
  if (what.fail_at_write > 0 && --what.fail_at_write == 0) {
    if (what.fails_on) what.fail_at_write = 1;
    g_system->xWrite(file, bytes, size / 2, offset);  // torn
    return SQLITE_FULL;
  }
  return g_system->xWrite(file, bytes, size, offset);
}

int watched_open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* flags_out) {
  sqlite3_vfs* const system = sqlite3_vfs_find(nullptr);
  const int code = system->xOpen(system, path, file, flags, flags_out);
  if (code != SQLITE_OK || (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_DB)) == 0) return code;
  static sqlite3_io_methods of_log;
  static sqlite3_io_methods of_database;
  const bool is_log = (flags & SQLITE_OPEN_WAL) != 0;
  g_system = file->pMethods;
  sqlite3_io_methods& methods = is_log ? of_log : of_database;
  methods = *g_system;
  methods.xWrite = is_log ? watched_write<g_log> : watched_write<g_database>;
  file->pMethods = &methods;
  return code;
}

const char* watched() {
  static sqlite3_vfs vfs;
  if (vfs.zName == nullptr) {
    vfs = *sqlite3_vfs_find(nullptr);
    vfs.zName = "dl-watched";
    vfs.xOpen = watched_open;
    sqlite3_vfs_register(&vfs, 0);
  }
  return vfs.zName;
}

class LogInOnePiece : public testing::Test {
 protected:
  static constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;

  LogInOnePiece() : ours_(path_, kFlags, 0, log_in_one_piece(watched())) {
    ours_.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
        "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT)");
    g_log = {};
  }
  // Rows of 3,000 bytes, so that each is a page of its own.
  static void insert(SQLite::Database& db, int from, int n) {
    SQLite::Statement row(db, "INSERT INTO t VALUES (?1, hex(zeroblob(1500)) || ?1)");
    for (int id = from; id < from + n; ++id) {
      row.bind(1, id);
      row.exec();
      row.reset();
    }
  }
  static std::string all_of(SQLite::Database& db) {
    return db
        .execAndGet(
            "SELECT count(*) || ' rows, ' || count(CASE WHEN body = hex(zeroblob(1500)) || id THEN "
            "1 END) || ' as written' FROM t")
        .getString();
  }
  // As a program that knows nothing of the layer.
  std::string seen_by_others() {
    SQLite::Database other(path_, SQLite::OPEN_READWRITE);
    EXPECT_EQ(other.execAndGet("PRAGMA integrity_check").getString(), "ok");
    return all_of(other);
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("jobs.db");
  SQLite::Database ours_;
};

TEST_F(LogInOnePiece, WritesACommitAtOnceAndOthersSeeIt) {
  SQLite::Transaction transaction(ours_);
  insert(ours_, 1, 20);
  EXPECT_EQ(g_log.writes, 0);
  EXPECT_EQ(seen_by_others(), "0 rows, 0 as written") << "or nothing";
  transaction.commit();
  EXPECT_EQ(g_log.writes, 1);
  EXPECT_GT(g_log.longest, 20 * 4096);
  EXPECT_EQ(seen_by_others(), "20 rows, 20 as written");
}

TEST_F(LogInOnePiece, WritesALongCommitInPiecesThatTheSystemTakesWhole) {
  SQLite::Transaction transaction(ours_);
  insert(ours_, 1, 2'000);
  transaction.commit();
  EXPECT_GT(g_log.writes, 2'000 * 4096 / 0x1ffff);
  EXPECT_LT(g_log.writes, 100);
  EXPECT_LE(g_log.longest, 0x1ffff)
      << "SQLite's unix layer would write the remainder by 0x20000 alone";
  EXPECT_EQ(seen_by_others(), "2000 rows, 2000 as written");
}

// A cache that is too small writes pages before the commit, and reads them back.
TEST_F(LogInOnePiece, GivesBackWhatItHolds) {
  ours_.exec("PRAGMA cache_size = 10");
  SQLite::Transaction transaction(ours_);
  insert(ours_, 1, 300);
  EXPECT_GT(g_log.writes, 0) << "some of it is written already";
  EXPECT_EQ(all_of(ours_), "300 rows, 300 as written");
  ours_.exec("SAVEPOINT s");
  ours_.exec("UPDATE t SET body = 'lost'");
  ours_.exec("ROLLBACK TO s");
  EXPECT_EQ(all_of(ours_), "300 rows, 300 as written");
  transaction.commit();
  EXPECT_EQ(seen_by_others(), "300 rows, 300 as written");
}

class LogWithoutSync : public LogInOnePiece {
 protected:
  LogWithoutSync() { ours_.exec("PRAGMA synchronous = NORMAL"); }
};

TEST_F(LogWithoutSync, HoldsNothingThatIsPublished) {
  insert(ours_, 1, 1);
  EXPECT_EQ(g_log.writes, 1);
  EXPECT_EQ(seen_by_others(), "1 rows, 1 as written");
  for (int id = 2; id < 100; ++id) insert(ours_, id, 1);
  EXPECT_EQ(seen_by_others(), "99 rows, 99 as written");
}

// Pages that were written before the commit and changed since are written again in their place, and
// then the headers of all frames behind them, for their checksums.
TEST_F(LogWithoutSync, HoldsNoHeaderThatIsPutRight) {
  ours_.exec("PRAGMA cache_size = 10");
  for (const int from : {1, 1'001}) {
    SQLite::Transaction transaction(ours_);
    insert(ours_, from, 100);
    ours_.exec("UPDATE t SET body = body || 'x'");
    ours_.exec("UPDATE t SET body = hex(zeroblob(1500)) || id");
    transaction.commit();
    EXPECT_EQ(seen_by_others(),
              from == 1 ? "100 rows, 100 as written" : "200 rows, 200 as written");
  }
}

TEST_F(LogWithoutSync, SaysThatThereIsNoRoomWhereverItIsMissing) {
  ours_.exec("PRAGMA cache_size = 10");
  int committed = 0;
  int next = 1;
  const std::string puts_right =
      "UPDATE t SET body = body || 'x'; UPDATE t SET body = hex(zeroblob(1500)) || id";
  const std::string takes_back = "SAVEPOINT s; UPDATE t SET body = 'lost'; ROLLBACK TO s";
  for (const std::string& more : {std::string(), puts_right, takes_back}) {
    int n = 0;
    for (bool is_reached = true; is_reached;) {
      g_log.fail_at_write = ++n;
      try {
        SQLite::Transaction transaction(ours_);
        insert(ours_, next, 30);
        ours_.exec(more);
        transaction.commit();
        ++committed;
        next += 30;
      } catch (const SQLite::Exception& e) {
        EXPECT_EQ(e.getErrorCode(), SQLITE_FULL) << n;
      }
      is_reached = g_log.fail_at_write == 0;
    }
    EXPECT_GT(n, 2) << "it has more than one write";
  }
  g_log.fail_at_write = 0;
  const std::string rows = std::to_string(committed * 30);
  EXPECT_EQ(seen_by_others(), rows + " rows, " + rows + " as written");
}

// The commit fails and is rolled back. What was held must not be written later, over what another
// program has put there.
TEST_F(LogInOnePiece, DropsWhatIsRolledBack) {
  insert(ours_, 1, 5);
  for (const int row : {1'000, 2'000, 3'000}) {
    g_log.fail_at_write = 1;
    EXPECT_THROW(
        {
          SQLite::Transaction transaction(ours_);
          insert(ours_, row, 30);
          transaction.commit();
        },
        SQLite::Exception);
    {
      SQLite::Database other(path_, SQLite::OPEN_READWRITE);
      other.exec("PRAGMA wal_autocheckpoint = 0");
      insert(other, row + 100, 1);
    }
    insert(ours_, row + 200, 1);
  }
  EXPECT_EQ(seen_by_others(), "11 rows, 11 as written");
  EXPECT_EQ(all_of(ours_), "11 rows, 11 as written");
}

// A transaction that has spilled into the log and is then rolled back.
TEST_F(LogInOnePiece, DropsWhatWasSpilled) {
  ours_.exec("PRAGMA cache_size = 10");
  {
    SQLite::Transaction transaction(ours_);
    insert(ours_, 1, 300);
  }
  SQLite::Database other(path_, SQLite::OPEN_READWRITE);
  insert(other, 500, 3);
  insert(ours_, 600, 3);
  EXPECT_EQ(seen_by_others(), "6 rows, 6 as written");
}

TEST_F(LogInOnePiece, IsAsLongAsItSays) {
  insert(ours_, 1, 10);
  EXPECT_EQ(sqlite3_wal_checkpoint_v2(ours_.getHandle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                      nullptr, nullptr),
            SQLITE_OK);
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), 0U);
  insert(ours_, 20, 10);
  EXPECT_GT(std::filesystem::file_size(path_ + "-wal"), 10U * 4096);
  EXPECT_EQ(seen_by_others(), "20 rows, 20 as written");
}

// In exclusive mode nobody would be told that a transaction was rolled back: nothing is held then.
TEST_F(LogInOnePiece, HoldsNothingWhereTheLockIsNotSeen) {
  insert(ours_, 1, 1);
  ours_.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = 10");
  insert(ours_, 2, 1);
  {
    SQLite::Transaction transaction(ours_);
    insert(ours_, 100, 300);
  }
  ours_.exec("PRAGMA locking_mode = NORMAL");
  EXPECT_EQ(all_of(ours_), "2 rows, 2 as written");
  {
    SQLite::Database other(path_, SQLite::OPEN_READWRITE);
    insert(other, 500, 3);
  }
  EXPECT_EQ(all_of(ours_), "5 rows, 5 as written");
  insert(ours_, 600, 3);
  EXPECT_EQ(seen_by_others(), "8 rows, 8 as written");
}

class CheckpointInPieces : public LogInOnePiece {
 protected:
  CheckpointInPieces() {
    checkpoint_in_pieces(ours_.getHandle(), true);
    g_database = {};
  }
  int checkpoint() {
    return sqlite3_wal_checkpoint_v2(ours_.getHandle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                                     nullptr);
  }
  void load(int from, int n) {
    SQLite::Transaction transaction(ours_);
    insert(ours_, from, n);
    transaction.commit();
  }
};

TEST_F(CheckpointInPieces, WritesNeighboursAtOnce) {
  load(1, 2'000);
  ASSERT_EQ(checkpoint(), SQLITE_OK);
  EXPECT_LT(g_database.writes, 100);
  EXPECT_GT(g_database.longest, 100'000);
  EXPECT_LE(g_database.longest, 0x1ffff);
  EXPECT_EQ(seen_by_others(), "2000 rows, 2000 as written");
  g_database = {};
  // gaps between
  ours_.exec(
      "UPDATE t SET body = 'x' || body WHERE id % 7 = 0; UPDATE t SET body = substr(body, 2) WHERE "
      "id % 7 = 0");
  ASSERT_EQ(checkpoint(), SQLITE_OK);
  EXPECT_GE(g_database.writes, 2'000 / 7);
  checkpoint_in_pieces(ours_.getHandle(), false);
  load(2'001, 200);
  g_database = {};
  ASSERT_EQ(checkpoint(), SQLITE_OK);
  EXPECT_GE(g_database.writes, 200) << "a page each again";
  EXPECT_EQ(seen_by_others(), "2200 rows, 2200 as written");
}

// A reader holds the end of the log back: what was copied must be there although nothing is synced.
TEST_F(CheckpointInPieces, IsWholeWhereAReaderLetsItCopyAPartOnly) {
  load(1, 500);
  SQLite::Database reader(path_, SQLITE_OPEN_READWRITE);
  SQLite::Transaction view(reader);
  EXPECT_EQ(all_of(reader), "500 rows, 500 as written");
  load(501, 500);
  ASSERT_EQ(checkpoint(), SQLITE_OK);
  EXPECT_GT(g_database.writes, 0);
  EXPECT_LT(g_database.writes, 50);
  EXPECT_EQ(all_of(reader), "500 rows, 500 as written");
  EXPECT_EQ(seen_by_others(), "1000 rows, 1000 as written");
}

TEST_F(CheckpointInPieces, TellsWhatTheDiskRefuses) {
  load(1, 2'000);
  g_database.fail_at_write = 3;
  EXPECT_EQ(checkpoint() & 0xff, SQLITE_FULL);
  EXPECT_EQ(seen_by_others(), "2000 rows, 2000 as written");
  ASSERT_EQ(checkpoint(), SQLITE_OK);
  EXPECT_EQ(seen_by_others(), "2000 rows, 2000 as written");
}

// SQLite knows, and tells nobody: the program may say so in its own way.
TEST_F(CheckpointInPieces, OutlivesADiskThatRefusesToTheEndWhatSQLiteWasToldOf) {
  load(1, 2'000);
  g_database.fail_at_write = 3;
  g_database.fails_on = true;
  EXPECT_EQ(checkpoint() & 0xff, SQLITE_FULL);
  EXPECT_EQ(seen_by_others(), "2000 rows, 2000 as written");
  g_database = {};
  ASSERT_EQ(checkpoint(), SQLITE_OK);
  EXPECT_GT(g_database.longest, 100'000) << "the next one holds back as ever";
  EXPECT_EQ(seen_by_others(), "2000 rows, 2000 as written");
}

// An interrupt leaves it unfinished: what was copied is whole, and the next one goes on.
TEST_F(CheckpointInPieces, IsWholeWhereItIsInterrupted) {
  load(1, 2'000);
  g_database.interrupt_at_write = 3;
  g_database.interrupted = ours_.getHandle();
  EXPECT_EQ(checkpoint() & 0xff, SQLITE_INTERRUPT);
  g_database = {};
  EXPECT_EQ(seen_by_others(), "2000 rows, 2000 as written");
  ASSERT_EQ(checkpoint(), SQLITE_OK);
  EXPECT_GT(g_database.writes, 0);
  EXPECT_EQ(seen_by_others(), "2000 rows, 2000 as written");
}

// SQLite would tell everybody that the last piece is there.
TEST_F(CheckpointInPieces, EndsTheProcessWhereTheDiskRefusesTheLastPiece) {
  load(1, 10);
  g_database.fail_at_write = 1;
  EXPECT_EXIT(checkpoint(), testing::ExitedWithCode(74), "last pages of a checkpoint");
  g_database.fail_at_write = 0;
  EXPECT_EQ(seen_by_others(), "10 rows, 10 as written");
}

TEST(LogInOnePieceOf, ALayerOfItsOwnIsThatLayer) {
  const std::string layer = log_in_one_piece(nullptr);
  EXPECT_EQ(log_in_one_piece(layer.c_str()), layer);
}
TEST(LogInOnePieceOf, AnUnknownLayerIsNone) { EXPECT_EQ(log_in_one_piece("no-such-vfs"), nullptr); }

}  // namespace
}  // namespace dl
