// What a stranger can do in the real sqlite3 shell beyond plain statements (guards_test.cpp): TEMP
// triggers that run while an act is open, triggers switched off, the schema edited, the sequence of
// the ledger's ids, a database beside.
#include <gmock/gmock.h>

#include "storage/migrator.h"
#include "storage/verifier.h"
#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Holes : public StoreTest {
 protected:
  Holes() { start(); }

  // A daemon's past: kCampaign in doubt, kOther failed for good.
  void live() {
    doubt(kCampaign);
    Outcome no = outcome_of(grant(kOther), JobEvent::refused_for_good);
    no.resolution = "refused";
    no.spends_attempt = true;
    finish(no);
  }
  std::vector<std::string> broken() {
    return rows("SELECT promise || ' ' || what FROM v_broken_promises");
  }
  std::string digest() { return shell(".sha3sum\n").out; }
  static std::string act(int job, const std::string& name, const std::string& dsp_id = "") {
    return "INSERT INTO operator_act (job_id, act, dsp_id, who, why) VALUES (" +
           (job == 0 ? "NULL" : std::to_string(job)) + ", '" + name + "', " +
           (dsp_id.empty() ? "NULL" : "'" + dsp_id + "'") + ", 'maria', 'a test');\n";
  }
};

struct Rider {
  const char* on;    // when it runs
  const char* does;  // within the act's statement
  const char* act;
};
void PrintTo(const Rider& rider, std::ostream* out) {
  *out << rider.act << ": " << rider.on << " " << rider.does;
}

class TempTrigger : public Holes, public ::testing::WithParamInterface<Rider> {};

// The act is refused as a whole.
TEST_P(TempTrigger, ChangesNothingWhileAnActIsOpen) {
  live();
  const std::string before = digest();
  const std::string name = GetParam().act;
  const int job = name == "pause" ? 0 : name == "retry" ? kOther : kCampaign;
  const ShellResult ran =
      shell("CREATE TEMP TRIGGER rider " + std::string(GetParam().on) + " BEGIN " +
            GetParam().does + "; END;\n" + act(job, name, name == "exists" ? "seen" : ""));
  EXPECT_NE(ran.exit_code, 0) << "the act went through";
  EXPECT_THAT(ran.err, AnyOf(HasSubstr("changes nothing else"), HasSubstr("operator_act"),
                             HasSubstr("by DemandLink alone"), HasSubstr("one line"),
                             HasSubstr("anything else"), HasSubstr("not written by hand")));
  EXPECT_EQ(digest(), before);
  EXPECT_THAT(broken(), IsEmpty());
  EXPECT_EQ(shell(act(job, name, name == "exists" ? "seen" : "")).err, "")
      << "without it the act is legal";
}

constexpr const char* kAtTheAct = "AFTER INSERT ON main.operator_act";
constexpr const char* kAtTheLine = "AFTER INSERT ON main.job_history";
constexpr const char* kAtTheMove = "AFTER UPDATE OF state ON main.job";
constexpr const char* kAtTheEnd = "BEFORE UPDATE ON main.operator_act";

INSTANTIATE_TEST_SUITE_P(
    Every, TempTrigger,
    ::testing::Values(
        Rider{kAtTheAct, "UPDATE job SET state = 'succeeded', dsp_id = 'x' WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET state = 'ready' WHERE id = 5", "retry"},
        Rider{kAtTheMove, "UPDATE job SET state = 'confirming', dsp_id = 'x' WHERE id = 5",
              "retry"},
        Rider{kAtTheEnd, "UPDATE job SET dsp_id = 'x' WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET dsp_id = 'y' WHERE id = 1", "exists"},
        Rider{kAtTheAct, "UPDATE job SET id = 77 WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE OR REPLACE job SET id = 1 WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET key = 'c9' WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET open_parents = 3 WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET attempt = 9 WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET lease_token = 1 WHERE id = 1", "exists"},
        Rider{kAtTheAct, "UPDATE job SET tries = -7 WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET priority = -7 WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET batch_id = 2 WHERE id = 5", "retry"},
        Rider{kAtTheAct, "UPDATE job SET state = 'succeeded' WHERE id = 2", "retry"},
        Rider{kAtTheAct, "DELETE FROM job WHERE id = 5", "retry"},
        Rider{kAtTheAct, "DELETE FROM operator_act", "retry"},
        Rider{kAtTheAct, "REPLACE INTO job_edge VALUES (999, 5)", "retry"},
        Rider{kAtTheAct,
              "INSERT INTO job_history (job_id, at, rule_id, attempt, act_id) VALUES (5, 1, 16, 1, "
              "NEW.id)",
              "retry"},
        Rider{kAtTheAct,
              "INSERT INTO job_history (job_id, at, rule_id, attempt, act_id) VALUES (5, 1, 23, 1, "
              "NEW.id)",
              "retry"},
        Rider{kAtTheLine,
              "INSERT INTO job_history (job_id, at, rule_id, attempt, act_id) VALUES (5, 1, 23, 1, "
              "NEW.act_id)",
              "retry"},
        Rider{kAtTheAct, "UPDATE job_count SET n = n + 7", "retry"},
        Rider{kAtTheAct, "UPDATE job_count SET kind = 'ad'", "retry"},
        Rider{kAtTheAct, "INSERT INTO job_count VALUES (1, 'campaign', 'nothing', 9)", "retry"},
        Rider{kAtTheAct, "UPDATE request SET idempotency_key = 'k' WHERE job_id = 1", "exists"},
        Rider{kAtTheAct, "UPDATE request SET sent_boot_ms = 0 WHERE job_id = 1", "exists"},
        Rider{kAtTheAct, "UPDATE request SET resolution = 'refused' WHERE job_id = 1", "exists"},
        Rider{kAtTheAct, "UPDATE request SET resolution = 'exists' WHERE job_id = 5", "exists"},
        Rider{kAtTheAct, "UPDATE account SET cap = 1000", "pause"},
        Rider{kAtTheAct, "UPDATE account SET gate_boot_ms = NULL, settle_ms = 0", "pause"},
        Rider{kAtTheAct, "UPDATE property SET value = 'x'", "pause"}));

// RAISE(FAIL) ends a statement and keeps what it has done: the act stays open, and with it a door
// in the guards.
TEST_F(Holes, AnActThatATempTriggerLeftOpenLetsNothingThroughAndIsNamed) {
  live();
  const ShellResult ran = shell(
      "CREATE TEMP TRIGGER rider BEFORE UPDATE ON main.job BEGIN SELECT RAISE(FAIL, 'stop'); "
      "END;\n" +
      act(kOther, "retry"));
  EXPECT_THAT(ran.err, HasSubstr("stop"));
  for (const char* what : {"state = 'ready'", "state = 'succeeded', dsp_id = 'x'", "dsp_id = 'x'",
                           "attempt = 3", "id = 77", "key = 'c9'", "open_parents = 1",
                           "lease_token = 1", "priority = 1", "tries = 9"}) {
    EXPECT_THAT(shell("UPDATE job SET " + std::string(what) + " WHERE id = 5;").err,
                HasSubstr("changes nothing else"));
  }
  EXPECT_EQ(state_of(kOther), "failed");
  EXPECT_THAT(broken(),
              ::testing::ElementsAre("8 act 1 (retry by maria) was inserted, but not applied"));
}

TEST_F(Holes, EveryVerbOfInsertAppliesAnActWholeOrNotAtAll) {
  live();
  for (const char* verb :
       {"INSERT OR FAIL", "INSERT OR ROLLBACK", "INSERT OR IGNORE", "INSERT OR ABORT", "REPLACE"}) {
    const std::string before = digest();
    const ShellResult two =
        shell(std::string(verb) +
              " INTO operator_act (job_id, act, who, why) VALUES (5, 'retry', 'm', 'y'), "
              "(2, 'absent', 'm', 'y');");
    EXPECT_THAT(two.err, HasSubstr("absent: legal while")) << verb;
    EXPECT_EQ(digest(), before) << verb;
    shell("BEGIN; SAVEPOINT a;\n" + act(kOther, "retry") + "ROLLBACK TO a; COMMIT;");
    EXPECT_EQ(digest(), before) << "a savepoint that is rolled back";
  }
  EXPECT_THAT(broken(), IsEmpty());
}

// No guard runs then. The tables contradict their history, which --verify sees; and the door reads
// more than the state.
TEST_F(Holes, TriggersSwitchedOffResetAJobButNothingIsSentTwice) {
  confirm(kCampaign, "dsp-1");
  doubt(kOther);
  const ShellResult off = shell(
      ".dbconfig enable_trigger off\n"
      "UPDATE job SET state = 'ready', dsp_id = NULL, lease_token = NULL, due_at = NULL, hold = "
      "NULL;\n");
  EXPECT_EQ(off.err, "");
  EXPECT_EQ(refusal(kCampaign), "a POST of this attempt was accepted");
  EXPECT_EQ(refusal(kOther), "a POST of it is unresolved");
  EXPECT_EQ(refusal(kGroup), "parents are open");
  EXPECT_THAT(broken(),
              ::testing::Contains(HasSubstr("is ready, but its history ends in confirming")));
}

class SchemaEdit : public Holes, public ::testing::WithParamInterface<const char*> {};

TEST_P(SchemaEdit, ByHandIsNoticed) {
  ASSERT_TRUE(store_->check_schema());
  const std::string schema = "SELECT group_concat(name || sql) FROM sqlite_schema";
  const std::string before = value(schema);
  EXPECT_EQ(
      shell("BEGIN; PRAGMA writable_schema = ON; " + std::string(GetParam()) + "; COMMIT;").err,
      "");
  ASSERT_TRUE(value(schema) != before) << "the edit does something";
  const Status running = store_->check_schema();
  ASSERT_FALSE(running);
  EXPECT_EQ(running.error().code, Errc::config);
  const Status starting = check_schema_is_ours(*database_);
  ASSERT_FALSE(starting);
  EXPECT_EQ(starting.error().code, Errc::config);
}

INSTANTIATE_TEST_SUITE_P(
    Every, SchemaEdit,
    ::testing::Values(
        "DELETE FROM sqlite_schema WHERE name = 'guard_job_update'",
        "UPDATE sqlite_schema SET sql = replace(sql, 'WHERE NOT EXISTS', 'WHERE EXISTS') WHERE "
        "name = 'guard_job_update'",
        "UPDATE sqlite_schema SET sql = replace(sql, 'CONSTRAINT submitting_is_leased CHECK', "
        "'CONSTRAINT x CHECK') WHERE name = 'job'",
        "UPDATE sqlite_schema SET name = 'guard_of_nothing' WHERE name = 'guard_job_update'"));

// Tables, indexes and views of an operator's own are his business, while the daemon runs too; a
// trigger is not.
TEST_F(Holes, AnOperatorsOwnViewIsNoChangeOfTheSchema) {
  EXPECT_EQ(shell("CREATE VIEW mine AS SELECT key FROM job; CREATE TABLE notes (text); CREATE "
                  "INDEX by_level ON job (level); ANALYZE;")
                .err,
            "");
  const Status own = store_->check_schema();
  EXPECT_TRUE(own) << own.error().message;
  EXPECT_EQ(shell("CREATE TRIGGER mine_too AFTER UPDATE ON job BEGIN SELECT 1; END;").err, "");
  const Status strange = store_->check_schema();
  ASSERT_FALSE(strange);
  EXPECT_THAT(strange.error().message, HasSubstr("trigger mine_too is not ours"));
}

// Behind the last id there is, SQLite would take any that is free, and a fencing token could come
// twice.
TEST_F(Holes, ARequestWithTheLastIdThereIsStopsTheDaemon) {
  const Granted first = grant(kCampaign);
  as_daemon(
      "INSERT INTO request (id, job_id, attempt, purpose, method, path, instance_id, worker, "
      "sent_at, sent_boot_ms) "
      "VALUES (9223372036854775807, 1, 1, 'status', 'GET', '/', 1, 1, 1, 1)");
  const WorkBatch batch{.outcomes = {},
                        .due = {},
                        .permits = {{.job = JobId{kOther}}},
                        .account = {},
                        .processing = {}};
  const Result<std::vector<WorkResult>> result = try_commit(batch);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::data);
  EXPECT_THAT(result.error().message, HasSubstr("the last id there is"));
  EXPECT_EQ(value("SELECT count(*) FROM request WHERE id > " + std::to_string(first.request.value)),
            "1");
}

// No trigger can stand guard on SQLite's own table; what it says is of no account.
TEST_F(Holes, NobodySetsTheNextToken) {
  const Granted first = grant(kCampaign);
  EXPECT_EQ(shell("INSERT INTO sqlite_sequence VALUES ('request', 9223372036854775807);").err, "");
  EXPECT_GT(grant(kOther).request, first.request);
}

TEST_F(Holes, AVersionThatWasSetByHandIsToldFromAMigration) {
  for (const char* version : {"0", "3", "99"}) {
    EXPECT_EQ(shell("PRAGMA user_version = " + std::string(version) + ";").err, "");
    const auto opened = Database::open(path(), OpenMode::create);
    ASSERT_FALSE(opened) << version;
    EXPECT_EQ(opened.error().code, Errc::config) << opened.error().message;
  }
}

// A trigger of the database beside fires for nothing of ours, and ours guard it there too.
TEST_F(Holes, ADatabaseBesideChangesNothing) {
  live();
  const std::string before = digest();
  const std::string beside = (folder() / "beside.db").string();
  const ShellResult ran = shell(
      "ATTACH '" + beside +
      "' AS beside;\n"
      "CREATE TABLE beside.writer (one, actor); INSERT INTO beside.writer VALUES (1, 'daemon');\n"
      "CREATE TABLE beside.operator_act AS SELECT 5 AS job_id, 'retry' AS act, NULL AS "
      "applied_at;\n"
      "UPDATE main.job SET state = 'ready' WHERE id = 5;\n"
      "INSERT INTO main.job_edge SELECT 999, 5;\n"
      "CREATE TABLE beside.job AS SELECT * FROM main.job; REPLACE INTO main.job SELECT * FROM "
      "beside.job;\n");
  EXPECT_THAT(ran.err, HasSubstr("INSERT INTO operator_act"));
  EXPECT_EQ(digest(), before);
}

// Edges to nothing, upwards and in circles, with everything off that can be.
TEST_F(Holes, EdgesAreNotMadeByHandWhateverIsSwitchedOff) {
  const std::string before = digest();
  for (const char* edge : {"(999, 2)", "(2, 999)", "(3, 1)", "(2, 2)", "(1, 5)", "(NULL, 2)"}) {
    for (const char* verb : {"INSERT", "REPLACE", "INSERT OR IGNORE"}) {
      const ShellResult ran = shell(
          "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; PRAGMA "
          "recursive_triggers = OFF;\n" +
          std::string(verb) + " INTO job_edge VALUES " + edge + ";");
      EXPECT_NE(ran.exit_code, 0) << verb << edge;
    }
  }
  EXPECT_EQ(digest(), before);
}

}  // namespace
}  // namespace dl
