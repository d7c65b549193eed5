// Somebody else's SQL: no statement short of dropping triggers gets past the guards, and each
// refusal says what to do instead. And what our own programs may not do either.
#include <gmock/gmock.h>

#include "tests/storage/sql_fixture.h"

namespace dl {
namespace {

using ::testing::HasSubstr;

constexpr const char* kUseActs = "INSERT INTO operator_act";

class Guards : public SqlTest {
 protected:
  Guards() { fill_every_table(); }

  std::vector<std::string> tables() {
    return rows(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY "
        "name");
  }
  // Of every row of every table.
  std::string digest() {
    const std::string digest = shell(".sha3sum\n").out;
    EXPECT_GE(digest.size(), 56U);
    return digest;
  }
};

TEST_F(Guards, RefuseEveryStatementOnEveryTable) {
  const std::string before = digest();
  for (const std::string& table : tables()) {
    ASSERT_NE("0", value("SELECT count(*) FROM " + table))
        << table << " is empty, so no guard of it would be asked";
    const std::string copy = " INTO " + table + " SELECT * FROM " + table;
    std::vector<std::string> statements = {
        "DELETE FROM " + table,
        "DELETE FROM " + table + " WHERE 1",
        "REPLACE" + copy,
        "INSERT" + copy,
        "INSERT OR IGNORE" + copy,
        "INSERT OR REPLACE" + copy,
        "INSERT OR FAIL" + copy,
        "INSERT OR ROLLBACK" + copy,
        "INSERT" + copy + " WHERE true ON CONFLICT DO NOTHING",
    };
    for (const std::string& column : rows("SELECT name FROM pragma_table_info('" + table + "')")) {
      const std::string set = table + " SET " + column + " = " + column;
      for (const char* update :
           {"UPDATE ", "UPDATE OR REPLACE ", "UPDATE OR IGNORE ", "UPDATE OR FAIL "}) {
        statements.push_back(update + set);
      }
    }
    const bool has_rowid = value("SELECT wr FROM pragma_table_list('" + table + "')") == "0";
    if (has_rowid) {
      statements.push_back("UPDATE OR REPLACE " + table + " SET rowid = rowid + 1000");
      statements.push_back("INSERT OR REPLACE INTO " + table + " SELECT * FROM " + table +
                           " ORDER BY rowid DESC");
    }
    for (const std::string& statement : statements) {
      for (const char* mood : {"",
                               "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;"
                               "PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF;",
                               "PRAGMA foreign_keys = ON; PRAGMA ignore_check_constraints = OFF;"
                               "PRAGMA recursive_triggers = OFF;"}) {
        EXPECT_EQ("", as_stranger(mood));
        EXPECT_NE("", as_stranger(statement)) << mood << " " << statement;
      }
    }
  }
  EXPECT_EQ(before, digest());
}

TEST_F(Guards, HoldInTheShellAndSayWhatToDo) {
  struct Case {
    const char* sql;
    const char* says;
  };
  const Case cases[] = {
      {"UPDATE job SET state = 'succeeded'", kUseActs},
      {"UPDATE job SET dsp_id = 'x' WHERE id = 1", kUseActs},
      {"UPDATE job SET error = 5", kUseActs},
      {"UPDATE OR REPLACE job SET id = 1 WHERE id = 2", kUseActs},
      {"UPDATE OR REPLACE job SET rowid = 1 WHERE id = 2", kUseActs},
      {"UPDATE OR REPLACE job SET key = 'c1' WHERE id = 2", kUseActs},
      {"DELETE FROM job WHERE id = 1", "with act 'cancel'"},
      {"REPLACE INTO job (id, batch_id, kind, key, root_id, level, state, updated_at) VALUES (1, "
       "1, 'campaign', 'c1', 1, 0, 'ready', 0)",
       kUseActs},
      {"INSERT INTO job (batch_id, kind, key, root_id, level, state, updated_at) VALUES (1, "
       "'campaign', 'c9', 9, 0, 'ready', 0)",
       "dl-ingest"},
      {"INSERT INTO job (id, batch_id, kind, key, root_id, level, updated_at) VALUES (1, 1, 'ad', "
       "'c1', 1, 0, 0) ON CONFLICT (id) DO UPDATE SET state = 'ready'",
       kUseActs},
      {"INSERT INTO job_edge VALUES (999, 2)", "dl-ingest makes the edges"},
      {"INSERT INTO job_edge VALUES (3, 1)", "dl-ingest makes the edges"},
      {"DELETE FROM job_edge", "dl-ingest makes the edges"},
      {"UPDATE job_payload SET body = '{}'", "load the corrected sheet"},
      {"UPDATE request SET resolution = 'absent'", "with act 'exists' or 'absent'"},
      {"DELETE FROM request", "is the ledger"},
      {"INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, sent_at, "
       "sent_boot_ms) VALUES (1, 1, 'create', 'POST', '/', 1, 1, 1, 1)",
       "is the ledger"},
      {"UPDATE request_body SET body = ''", "what was sent never changes"},
      {"UPDATE request_body SET digest = NULL", "what was sent never changes"},
      {"DELETE FROM job_history", "append-only"},
      {"UPDATE job_history SET reason = 'not me'", "append-only"},
      {"INSERT INTO job_history (job_id, at, rule_id, attempt, act_id) VALUES (1, 1, 1, 1, 1)",
       "DemandLink alone"},
      {"DELETE FROM operator_act", "append-only"},
      {"UPDATE operator_act SET who = 'somebody else'", "append-only"},
      {"UPDATE operator_act SET applied_at = NULL", "append-only"},
      {"REPLACE INTO operator_act (id, act, who, why) VALUES (1, 'resume', 'x', 'y')",
       "leave id out"},
      {"INSERT INTO operator_act (id, act, who, why) VALUES (-1, 'resume', 'x', 'y')",
       "leave id out"},
      {"INSERT INTO operator_act (id, act, who, why) VALUES (9223372036854775807, 'resume', 'x', "
       "'y')",
       "leave id out"},
      {"INSERT INTO apply_move VALUES (1, 1, 'leased', 1, 'by hand')", "DemandLink alone"},
      {"INSERT INTO apply_move VALUES (1, 1, 'no such event', 1, 'by hand')", "DemandLink alone"},
      {"UPDATE job_count SET n = 0", "DemandLink alone"},
      {"UPDATE account SET paused_by = NULL", "'pause' or 'resume'"},
      {"DELETE FROM account", "one row for ever"},
      {"UPDATE job_rule SET to_state = 'succeeded'", "state machine of the program"},
      {"UPDATE property SET value = 'other'", "idempotency keys hang on it"},
      {"DELETE FROM instance", "dl-daemon alone"},
      {"UPDATE batch SET state = 'loaded'", "dl-ingest"},
      {"DELETE FROM batch WHERE id = 1", "'cancel'"},
      {"UPDATE batch_row SET job_id = 1", "dl-ingest"},
      {"UPDATE writer SET actor = 'daemon'", kWriterFunction},
      {"REPLACE INTO writer VALUES (1, 'daemon')", kWriterFunction},
      {"INSERT INTO writer VALUES (2, 'daemon')", kWriterFunction},
      {"DELETE FROM writer", kWriterFunction},
      {"UPDATE migration SET sha256 = ''", kWriterFunction},
      {"UPDATE v_jobs SET state = 'ready'", "cannot modify v_jobs because it is a view"},
  };
  const std::string before = digest();
  for (const Case& c : cases) {
    for (const char* mood : {"",
                             "PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; "
                             "PRAGMA recursive_triggers = ON;"}) {
      const ShellResult result = shell(std::string(mood) + "\n" + c.sql + ";\n");
      EXPECT_NE(0, result.exit_code) << c.sql;
      EXPECT_THAT(result.err, HasSubstr(c.says)) << mood << c.sql;
    }
  }
  EXPECT_EQ(before, digest());
}

TEST_F(Guards, HoldForADatabaseThatIsAttached) {
  const ShellResult result =
      shell("ATTACH '" + path() + "' AS jobs; UPDATE jobs.job SET state = 'ready';");
  EXPECT_THAT(result.err, HasSubstr(kUseActs));
}

TEST_F(Guards, AreBackAfterAnAct) {
  const ShellResult result = shell(
      "BEGIN; INSERT INTO operator_act (job_id, act, who, why) VALUES (5, 'retry', 'maria', "
      "'fixed');\n"
      "UPDATE job SET state = 'succeeded' WHERE id = 5;\nCOMMIT;\n");
  EXPECT_THAT(result.err, HasSubstr(kUseActs));
  EXPECT_EQ("ready", value("SELECT state FROM job WHERE id = 5"));
}

TEST_F(Guards, LetNobodyHideBehindATransactionOfOurs) {
  as_daemon("UPDATE account SET refusals = 0");
  EXPECT_THAT(as_stranger("UPDATE account SET refusals = 1"), HasSubstr("'pause' or 'resume'"));
  // Our own connection outside a transaction of ours is a stranger too.
  EXPECT_THROW(database_->handle().exec("UPDATE job SET priority = 1"), SQLite::Exception);
}

TEST_F(Guards, SurviveALaterMigrationThatAltersATable) {
  database_->handle().exec(
      "ALTER TABLE job ADD COLUMN colour TEXT; ALTER TABLE job RENAME COLUMN colour TO tint;"
      "ALTER TABLE job DROP COLUMN tint");
  EXPECT_THAT(as_stranger("UPDATE job SET state = 'ready'"), HasSubstr(kUseActs));
}

TEST_F(Guards, WriteAnOutcomeOnceEvenForTheDaemon) {
  const std::string open = std::to_string(request(1, "create"));
  as_daemon("UPDATE request SET finished_at = 9, slot = 'unsure' WHERE id = " + open);
  for (const char* again : {"finished_at = 10", "finished_at = NULL, slot = NULL",
                            "slot = 'answered'", "http_status = 200", "outcome = 'accepted'",
                            "dsp_id = 'x'", "error = 'x'", "latency_us = 1"}) {
    EXPECT_THAT(as_daemon_error("UPDATE request SET " + std::string(again) + " WHERE id = " + open),
                HasSubstr("written once"))
        << again;
  }
  as_daemon("UPDATE request SET resolution = 'absent' WHERE id = " + open);
  EXPECT_THAT(as_daemon_error("UPDATE request SET resolution = 'found' WHERE id = " + open),
              HasSubstr("written once"));
}

TEST_F(Guards, FixWhatWasSentEvenForTheDaemon) {
  const std::string open = std::to_string(request(1, "create"));
  for (const char* column :
       {"id", "job_id", "attempt", "sent_at", "sent_boot_ms", "worker", "instance_id"}) {
    EXPECT_THAT(
        as_daemon_error("UPDATE request SET " + std::string(column) + " = 77 WHERE id = " + open),
        HasSubstr("never changes"))
        << column;
  }
  for (const char* change : {"body = ''", "digest = 1", "digest = NULL"}) {
    EXPECT_THAT(as_daemon_error("UPDATE request_body SET " + std::string(change) +
                                " WHERE request_id = " + open),
                HasSubstr("never changes"));
  }
  EXPECT_THAT(as_daemon_error("DELETE FROM request WHERE id = " + open),
              HasSubstr("never deleted"));
  EXPECT_THAT(as_daemon_error("DELETE FROM request_body WHERE request_id = " + open),
              HasSubstr("keeps its bytes"));
  as_daemon("UPDATE request SET finished_at = 9, slot = 'unsure' WHERE id = " + open);
  EXPECT_THAT(as_daemon_error("DELETE FROM request WHERE id = " + open),
              HasSubstr("never deleted"));
  as_daemon("UPDATE request SET resolution = 'absent' WHERE id = " + open);
  EXPECT_THAT(as_daemon_error("DELETE FROM request WHERE id = " + open),
              HasSubstr("only those of an archived job"));
  put(1, JobState::cancelled, "archived_at = 9");
  as_daemon("DELETE FROM request_body WHERE request_id = " + open +
            "; DELETE FROM request WHERE id = " + open);
}

TEST_F(Guards, KeepHistoryAndActsForEverybody) {
  EXPECT_THAT(as_daemon_error("DELETE FROM job_history"), HasSubstr("append-only"));
  EXPECT_THAT(as_daemon_error("UPDATE job_history SET at = 0"), HasSubstr("append-only"));
  EXPECT_THAT(as_daemon_error("DELETE FROM operator_act"), HasSubstr("append-only"));
  EXPECT_THAT(as_daemon_error("UPDATE operator_act SET why = ''"), HasSubstr("append-only"));
}

// The daemon and dl-ingest do not ask the guards, which are there for everybody else.
TEST_F(Guards, CanBeLeftToOthersByAConnectionOfOurs) {
  database_->leave_guards_to_others();
  SQLite::Database& ours = database_->handle();
  EXPECT_NO_THROW(ours.exec("UPDATE job SET priority = 3 WHERE id = 1"));
  SQLite::Statement returning(ours,
                              "UPDATE job SET priority = 4 WHERE id = 1 RETURNING id, priority");
  ASSERT_TRUE(returning.executeStep());
  EXPECT_EQ(4, returning.getColumn(1).getInt());
  returning.reset();
  as_daemon("UPDATE account SET refusals = 1");
  EXPECT_EQ("NULL", value("SELECT actor FROM writer"));
  EXPECT_THAT(as_stranger("UPDATE job SET priority = 5"), HasSubstr(kUseActs));
}

TEST_F(Guards, AreNotFooledByTemporaryTablesOfTheSameNames) {
  EXPECT_EQ(
      "",
      as_stranger(
          "CREATE TEMP TABLE writer (one, actor); INSERT INTO temp.writer VALUES (1, 'daemon');"
          "CREATE TEMP TABLE operator_act (id, job_id, act, applied_at);"
          "INSERT INTO temp.operator_act VALUES (1, 1, 'retry', NULL), (2, NULL, 'pause', NULL)"));
  EXPECT_THAT(as_stranger("UPDATE job SET state = 'ready' WHERE id = 1"), HasSubstr(kUseActs));
  EXPECT_THAT(as_stranger("UPDATE account SET paused_by = NULL"), HasSubstr("'pause' or 'resume'"));
}

TEST_F(Guards, FixAPayloadThatMayHaveBeenApplied) {
  const std::string change = "UPDATE job_payload SET body = '{\"id\":\"c1\"}' WHERE job_id = 1";
  as_daemon(change);
  const std::string open = std::to_string(request(1, "create"));
  EXPECT_THAT(as_daemon_error(change), HasSubstr("its payload is fixed"));
  as_daemon(
      "UPDATE request SET finished_at = 9, slot = 'answered', resolution = 'refused' WHERE id = " +
      open);
  as_daemon(change);
  put(1, JobState::confirming);
  EXPECT_THAT(as_daemon_error(change), HasSubstr("its payload is fixed"));
}

TEST_F(Guards, LetUsRemoveOnlyJobsThatAreStillLoading) {
  EXPECT_THAT(
      as_daemon_error(
          "DELETE FROM job_payload WHERE job_id = 4; DELETE FROM batch_row WHERE job_id = 4;"
          "DELETE FROM job_edge WHERE child_id = 4; DELETE FROM job WHERE id = 4"),
      HasSubstr("still loading"));
  as_daemon(
      "DELETE FROM batch_row WHERE batch_id = 2; DELETE FROM job_payload WHERE job_id = 6;"
      "DELETE FROM job WHERE batch_id = 2; DELETE FROM job_count WHERE batch_id = 2; DELETE FROM "
      "batch WHERE id = 2");
  EXPECT_THAT(as_daemon_error("UPDATE job SET key = 'c1x' WHERE id = 1"),
              HasSubstr("never change"));
}

}  // namespace
}  // namespace dl
