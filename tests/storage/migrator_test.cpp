// Bringing a file to the newest schema: forward only, whole or not at all, never over an edited
// step.
#include "storage/migrator.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <cstring>
#include <iterator>
#include <utility>

#include "migrations_sql.h"
#include "storage/digest.h"
#include "tests/storage/sql_fixture.h"

namespace dl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kNewest = static_cast<int>(std::size(migrations_sql::kAll));

class Migrator : public SqlTest {
 protected:
  Migrator() {
    // A file of the first release, as its program left it: schema 1, with one batch.
    const migrations_sql::Entry& first = migrations_sql::kAll[0];
    SQLite::Database db(old_path(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    db.exec("PRAGMA application_id = " + std::to_string(kApplicationId));
    db.exec(
        "CREATE TABLE migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT "
        "NULL) STRICT");
    db.exec(std::string(first.text));
    SQLite::Statement record(db, "INSERT INTO migration VALUES (1, ?1, ?2)");
    record.bind(1, std::string(first.name));
    record.bind(2, hex(sha256(first.text)));
    record.exec();
    db.exec(
        "PRAGMA user_version = 1;"
        "INSERT INTO property VALUES ('database_id', '7f0b0f2c-2f5c-4a87-9f43-0f6a2a1f9b11');"
        "INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at) "
        "VALUES (1, 'loaded', 'old.csv', 1, '', 'csv', 'maria', 1)");
  }
  std::string old_path() const { return (folder() / "old.db").string(); }
  std::string old_value(const std::string& sql) const {
    return SQLite::Database(old_path()).execAndGet(sql).getString();
  }
};

TEST_F(Migrator, RecordsEveryStepWithItsChecksum) {
  std::vector<std::string> expected;
  for (int version = 1; version <= kNewest; ++version) {
    const migrations_sql::Entry& step = migrations_sql::kAll[version - 1];
    expected.push_back(std::to_string(version) + "|" + std::string(step.name) + "|" +
                       hex(sha256(step.text)));
  }
  EXPECT_EQ(expected, rows("SELECT version, name, sha256 FROM migration ORDER BY version"));
  EXPECT_EQ(std::to_string(kNewest), value("PRAGMA user_version"));
  EXPECT_EQ(std::to_string(kApplicationId), value("PRAGMA application_id"));
}

TEST_F(Migrator, BringsAnOldFileForwardAndKeepsWhatIsInIt) {
  for (int run = 0; run < 2; ++run) {
    auto database = Database::open(old_path(), OpenMode::existing);
    ASSERT_TRUE(database) << database.error().message;
    EXPECT_EQ((*database)->database_id(), "7f0b0f2c-2f5c-4a87-9f43-0f6a2a1f9b11");
    EXPECT_EQ(old_value("SELECT source FROM batch"), "old.csv");
    EXPECT_EQ(old_value("PRAGMA user_version"), std::to_string(kNewest));
    EXPECT_EQ(schema_hash(**database), schema_hash(*database_)) << "as a new file has it";
  }
}

// Found by dl-chaos (seed 1000086): a daemon that started while dl-ingest made the file read the
// version before that commit and the migrations after it, and ended with 78, which nothing
// restarts.
TEST_F(Migrator, SeesAFileThatIsBroughtForwardMeanwhileBeforeOrAfterThat) {
  struct Meanwhile {
    SQLite::Database other;
    bool is_done = false;
  } meanwhile{SQLite::Database(path(), SQLite::OPEN_READWRITE)};
  sqlite3_db_config(meanwhile.other.getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  const std::string newest = std::to_string(kNewest);
  const std::string older = std::to_string(kNewest - 1);
  meanwhile.other.exec(
      "CREATE TEMP TABLE step AS SELECT * FROM migration WHERE version = " + newest +
      "; DELETE FROM migration WHERE version = " + newest + "; PRAGMA user_version = " + older);
  // Whenever a statement begins that reads more than the version.
  sqlite3_trace_v2(
      database_->handle().getHandle(), SQLITE_TRACE_STMT,
      [](unsigned, void* context, void*, void* text) {
        Meanwhile& now = *static_cast<Meanwhile*>(context);
        if (std::strstr(static_cast<const char*>(text), "application_id") == nullptr) return 0;
        if (std::exchange(now.is_done, true)) return 0;
        now.other.exec(
            "BEGIN IMMEDIATE; INSERT INTO migration SELECT * FROM step;"
            "PRAGMA user_version = " +
            std::to_string(kNewest) + "; COMMIT");
        return 0;
      },
      &meanwhile);
  const Status fits = check_identity(*database_);
  sqlite3_trace_v2(database_->handle().getHandle(), 0, nullptr, nullptr);
  EXPECT_TRUE(meanwhile.is_done);
  EXPECT_TRUE(fits) << fits.error().message;
  EXPECT_EQ(value("PRAGMA user_version"), newest);
}

TEST_F(Migrator, KeepsTheLedgerAsItIs) {
  {
    SQLite::Database db(old_path(), SQLite::OPEN_READWRITE);
    db.exec(
        "INSERT INTO job (id, batch_id, kind, key, root_id, level, updated_at) VALUES "
        "(1, 1, 'campaign', 'c1', 1, 0, 1), (2, 1, 'campaign', 'c2', 2, 0, 1);"
        "INSERT INTO request (id, job_id, attempt, purpose, method, path, instance_id, worker, "
        "sent_at, sent_boot_ms, "
        "finished_at, slot, resolution) VALUES (5, 1, 1, 'create', 'POST', '/campaigns', 1, 0, 7, "
        "7, 8, 'answered', 'refused'),"
        " (9, 2, 1, 'create', 'POST', '/campaigns', 1, 0, 7, 7, NULL, NULL, NULL);"
        "UPDATE account SET max_retries = 1; UPDATE job SET tries = 9 WHERE id = 2;"
        "INSERT INTO request_body VALUES (5, '{\"id\":\"c1\"}'), (9, '{\"id\":\"c2\"}')");
  }
  ASSERT_TRUE(Database::open(old_path(), OpenMode::existing));
  SQLite::Database db(old_path());
  const auto all = [&](const std::string& sql) {
    return db.execAndGet("SELECT group_concat(x, ' ') FROM (" + sql + ")").getString();
  };
  EXPECT_EQ(all("SELECT id || ' ' || job_id || ' ' || coalesce(resolution, 'unresolved') AS x FROM "
                "request ORDER BY id"),
            "5 1 refused 9 2 unresolved");
  EXPECT_EQ(all("SELECT request_id || ' ' || body || ' ' || coalesce(digest, 'no digest') AS x "
                "FROM request_body ORDER BY request_id"),
            "5 {\"id\":\"c1\"} no digest 9 {\"id\":\"c2\"} no digest");
  EXPECT_EQ(db.execAndGet("SELECT most_retries FROM account").getInt(), 8)
      << "as many as there must have been";
  EXPECT_EQ(db.execAndGet("PRAGMA integrity_check").getString(), "ok");
}

TEST_F(Migrator, LeavesAReadersOldFileAloneAndSaysWhatToDo) {
  const auto database = Database::open(old_path(), OpenMode::read_only);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Errc::config);
  EXPECT_THAT(database.error().message,
              HasSubstr("has schema 1, this program needs " + std::to_string(kNewest)));
  EXPECT_EQ(old_value("PRAGMA user_version"), "1");
}

TEST_F(Migrator, GoesAllTheWayOrNotAtAll) {
  // The last step fails, for somebody took the name of one of its views.
  SQLite::Database(old_path(), SQLite::OPEN_READWRITE).exec("CREATE TABLE v_failed (mine)");
  const std::string before = old_value("SELECT group_concat(name) FROM sqlite_schema");
  ASSERT_FALSE(Database::open(old_path(), OpenMode::existing));
  EXPECT_EQ(old_value("PRAGMA user_version"), "1");
  EXPECT_EQ(old_value("SELECT group_concat(name) FROM sqlite_schema"), before);
  EXPECT_EQ(old_value("SELECT count(*) FROM migration"), "1");
  SQLite::Database(old_path(), SQLite::OPEN_READWRITE).exec("DROP TABLE v_failed");
  EXPECT_TRUE(Database::open(old_path(), OpenMode::existing));
}

TEST_F(Migrator, RefusesAStepThatWasEditedAfterRelease) {
  database_->handle().exec("UPDATE migration SET sha256 = 'ab' WHERE version = 2");
  const auto database = Database::open(path(), OpenMode::existing);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Errc::config);
  EXPECT_THAT(database.error().message,
              HasSubstr("migration 0002_guards is not the one this program knows"));
}

TEST_F(Migrator, RefusesAnEditedStepBeforeItAddsOthers) {
  SQLite::Database(old_path(), SQLite::OPEN_READWRITE).exec("UPDATE migration SET sha256 = 'ab'");
  const auto database = Database::open(old_path(), OpenMode::existing);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Errc::config);
  EXPECT_EQ(old_value("PRAGMA user_version"), "1");
}

TEST_F(Migrator, WritesTheStateMachineOfTheProgram) {
  std::vector<std::string> expected;
  for (const Rule& rule : kRules) {
    expected.push_back(std::to_string(rule.id) + "|" + std::string(name_of(rule.from)) + "|" +
                       std::string(name_of(rule.event)) + "|" + std::string(name_of(rule.to)) +
                       "|" + std::string(name_of(rule.actor)));
  }
  const char* all = "SELECT id, from_state, event, to_state, actor FROM job_rule ORDER BY id";
  EXPECT_EQ(expected, rows(all));
  for (const char* drift :
       {"UPDATE job_rule SET to_state = 'ready' WHERE id = 11",
        "DELETE FROM job_rule WHERE id = 40",
        "INSERT INTO job_rule VALUES (99, 'succeeded', 'again', 'ready', 'operator')"}) {
    as_daemon(drift);
    EXPECT_NE(expected, rows(all));
    EXPECT_TRUE(Database::open(path(), OpenMode::existing));
    EXPECT_EQ(expected, rows(all)) << "put right at the next open, after: " << drift;
    EXPECT_EQ("NULL", value("SELECT actor FROM writer"));
  }
}

TEST_F(Migrator, NamesWhatAStrangerMadeOfTheSchema) {
  EXPECT_THAT(schema_differences(*database_), IsEmpty());
  EXPECT_EQ("", as_stranger("ANALYZE; CREATE VIEW v_mine AS SELECT id FROM job; CREATE INDEX "
                            "job_mine ON job (key, id)"));
  EXPECT_THAT(schema_differences(*database_), IsEmpty()) << "an operator may add these";
  EXPECT_TRUE(check_schema_is_ours(*database_));

  EXPECT_EQ("",
            as_stranger("ALTER TABLE property ADD COLUMN note TEXT; DROP TRIGGER guard_job_update;"
                        "DROP VIEW v_jobs; DROP INDEX job_ready;"
                        "CREATE TRIGGER mine AFTER UPDATE ON job BEGIN SELECT 1; END"));
  EXPECT_THAT(schema_differences(*database_),
              ElementsAre("index job_ready is missing", "table property is not as it was made",
                          "trigger guard_job_update is missing", "view v_jobs is missing",
                          "trigger mine is not ours"));
  const Status checked = check_schema_is_ours(*database_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Errc::config);
  EXPECT_THAT(checked.error().message,
              HasSubstr("its schema was changed: index job_ready is missing, table property"));
}

TEST_F(Migrator, HashesTheSchemaAsItIs) {
  const std::string before = schema_hash(*database_);
  EXPECT_EQ(before, schema_hash(*database_));
  as_daemon("INSERT INTO property (name, value) VALUES ('a', 'b')");
  EXPECT_EQ(before, schema_hash(*database_)) << "rows are not the schema";
  EXPECT_EQ("", as_stranger("DROP TRIGGER guard_job_update"));
  EXPECT_NE(before, schema_hash(*database_));
}

}  // namespace
}  // namespace dl
