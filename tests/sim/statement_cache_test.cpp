#include "tests/sim/statement_cache.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

namespace dl::sim {
namespace {

struct StatementCache : ::testing::Test {
  SQLite::Database db{":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  void SetUp() override { db.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)"); }
};

TEST_F(StatementCache, GivesTheSameTextOutAgainWithoutItsBindings) {
  constexpr const char* kText = "SELECT ?1 IS NULL";
  { SQLite::Statement(db, kText).bind(1, 7); }
  const StatementCacheCounts before = statement_cache_counts();
  SQLite::Statement again(db, kText);
  SQLite::Statement meanwhile(db, kText);  // one is given to one owner
  EXPECT_EQ(statement_cache_counts().asked, before.asked + 2);
  EXPECT_EQ(statement_cache_counts().at_hand, before.at_hand + 1);
  ASSERT_TRUE(again.executeStep());
  EXPECT_EQ(again.getColumn(0).getInt(), 1);
}

TEST_F(StatementCache, AStatementReadInPartHoldsNothingOnceItIsFinalized) {
  {
    SQLite::Statement rows(db, "SELECT a FROM t");
    ASSERT_TRUE(rows.executeStep());
  }
  EXPECT_NO_THROW(db.exec("DROP TABLE t"));  // it would be locked
}

TEST_F(StatementCache, FollowsTheSchema) {
  { SQLite::Statement(db, "SELECT a FROM t").executeStep(); }
  db.exec("DROP TABLE t; CREATE TABLE t (b, a); INSERT INTO t VALUES (8, 9)");
  SQLite::Statement rows(db, "SELECT a FROM t");
  ASSERT_TRUE(rows.executeStep());
  EXPECT_EQ(rows.getColumn(0).getInt(), 9);
}

TEST_F(StatementCache, TellsErrorsAsSqliteDoes) {
  db.exec("BEGIN");
  EXPECT_EQ(db.tryExec("BEGIN"), SQLITE_ERROR);
  EXPECT_EQ(db.tryExec("COMMIT"), SQLITE_OK);
  EXPECT_EQ(db.tryExec("no SQL"), SQLITE_ERROR);
  EXPECT_EQ(db.tryExec("-- nothing to do"), SQLITE_OK);
}

TEST_F(StatementCache, PragmasAreAskedAnew) {
  ASSERT_EQ(db.execAndGet("PRAGMA synchronous").getInt(), 2);
  db.exec("PRAGMA synchronous = OFF");
  EXPECT_EQ(db.execAndGet("PRAGMA synchronous").getInt(), 0);
}

}  // namespace
}  // namespace dl::sim
