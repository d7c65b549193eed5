// A transaction of work is all or nothing, and may be given again after it failed.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class StoreCommit : public StoreTest {
 protected:
  // Work of every kind in one transaction: an outcome that promotes children, a retry that is due,
  // two permits and the account's facts.
  StoreCommit() {
    start();
    succeed(kCampaign);
    confirm(kGroup, "dsp-2");
    finish(refused(grant(kOther)));
    work_.outcomes.push_back(outcome_of(grant(kGroup, Purpose::status), JobEvent::confirmed));
    work_.due.push_back(JobId{kOther});
    work_.permits = {{JobId{kAd}, Purpose::create, 0, 1}, {JobId{kOther}, Purpose::create, 0, 2}};
    work_.account.emplace();
    work_.account->paused_by = "daemon";
    work_.account->paused_reason = "HTTP 401";
    work_.account->writes_pause = true;
    work_.account->refusals = 3;
    before_ = everything();
  }
  sqlite3* raw() { return store_->database().handle().getHandle(); }
  Error failure() {
    const auto results = try_commit(work_);
    EXPECT_FALSE(results);
    EXPECT_EQ(before_, everything()) << "nothing was written";
    return results ? Error{Errc::software, ""} : results.error();
  }
  // The same work again, now that nothing stands in its way.
  void expect_it_works_now() {
    const WorkResult result = commit(work_);
    ASSERT_EQ(result.applied.size(), 1U);
    EXPECT_TRUE(result.applied[0].matched);
    EXPECT_EQ(result.applied[0].promoted.size(), 2U);
    EXPECT_EQ(result.ready.size(), 1U);
    EXPECT_EQ(result.granted.size(), 2U);
    EXPECT_EQ(result.refused.size(), 0U);
    EXPECT_EQ(result.totals, load().totals) << "what is kept in memory is what the tables say";
    expect_consistent();
    EXPECT_EQ(value("SELECT paused_by, refusals FROM account"), "daemon|3");
  }
  WorkBatch work_;
  std::vector<std::string> before_;
};

TEST_F(StoreCommit, WritesAllKindsOfWorkTogether) { expect_it_works_now(); }

TEST_F(StoreCommit, RollsBackWhenTheCommitItselfFails) {
  sqlite3_commit_hook(
      raw(), [](void*) { return 1; }, nullptr);
  failure();
  failure();
  sqlite3_commit_hook(raw(), nullptr, nullptr);
  expect_it_works_now();
}

TEST_F(StoreCommit, RollsBackWhenTheDiskIsFull) {
  set_payload(kAd, "\"" + std::string(100'000, 'x') + "\"");
  before_ = everything();
  SQLite::Database& db = store_->database().handle();
  const std::string most = db.execAndGet("PRAGMA max_page_count").getString();
  db.exec("PRAGMA max_page_count = 1");  // SQLite takes the present number of pages
  const Error error = failure();
  EXPECT_EQ(error.code, Errc::io);
  EXPECT_THAT(error.message, HasSubstr("the disk is full"));
  EXPECT_EQ(error.sqlite_code, SQLITE_FULL);
  db.exec("PRAGMA max_page_count = " + most);
  expect_it_works_now();
}

TEST_F(StoreCommit, RollsBackWhenAStatementInTheMiddleFails) {
  // a stranger's trigger would be noticed before the first statement
  SQLite::Database& own = store_->database().handle();
  own.exec(
      "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.request WHEN NEW.job_id = 5 "
      "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END");
  EXPECT_THAT(failure().message, HasSubstr("broken on purpose"));
  own.exec("DROP TRIGGER broken");
  expect_it_works_now();
}

TEST_F(StoreCommit, SaysBusyWhileAnotherProgramWrites) {
  stranger_->exec("BEGIN IMMEDIATE");
  EXPECT_EQ(failure().code, Errc::busy);
  stranger_->exec("ROLLBACK");
  expect_it_works_now();
}

TEST_F(StoreCommit, ForgetsOfAFailedTransactionWhatItHadCounted) {
  const Totals before = commit({}).totals;
  sqlite3_commit_hook(
      raw(), [](void*) { return 1; }, nullptr);
  failure();
  sqlite3_commit_hook(raw(), nullptr, nullptr);
  EXPECT_EQ(before, commit({}).totals);
  expect_consistent();
}

TEST_F(StoreCommit, OfNothingGivesNothing) {
  EXPECT_EQ(store_->commit({}, now_)->size(), 0U);
  EXPECT_EQ(before_, everything());
}

using StoreSchema = StoreCommit;

TEST_F(StoreSchema, SeesOthersCommitsOnceAndNotItsOwn) {
  store_->tables_changed();
  EXPECT_FALSE(store_->tables_changed());
  commit(work_);
  EXPECT_TRUE(store_->save_eta(now_.wall_ms + 1, "growing"));
  EXPECT_FALSE(store_->tables_changed()) << "our own commits are no news";
  EXPECT_EQ("", as_stranger(
                    "INSERT INTO operator_act (act, who, why) VALUES ('pause', 'maria', 'lunch')"));
  EXPECT_TRUE(store_->tables_changed());
  EXPECT_FALSE(store_->tables_changed());
}

// A BEGIN that was refused must not stay a running statement: its view of the tables would never
// end.
TEST_F(StoreSchema, SeesOthersCommitsAfterAWriteThatFoundTheDatabaseHeld) {
  store_->tables_changed();
  EXPECT_EQ("", as_stranger("BEGIN IMMEDIATE"));
  const Status held = store_->save_eta(1, "growing");
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().code, Errc::busy);
  EXPECT_EQ("", as_stranger(
                    "INSERT INTO operator_act (act, who, why) VALUES ('pause', 'maria', 'lunch')"));
  EXPECT_EQ("", as_stranger("COMMIT"));
  EXPECT_TRUE(store_->tables_changed());
  EXPECT_FALSE(store_->tables_changed());
  EXPECT_EQ("", as_stranger(
                    "INSERT INTO operator_act (act, who, why) VALUES ('resume', 'maria', 'back')"));
  EXPECT_TRUE(store_->tables_changed());
  const Result<LoadedWork> loaded = store_->load({}, now_);
  EXPECT_TRUE(loaded) << loaded.error().message;
}

TEST_F(StoreSchema, NoticesWhatIsDroppedOrAdded) {
  EXPECT_TRUE(store_->check_schema());
  for (const char* change : {"DROP TRIGGER guard_job_update",
                             "CREATE TRIGGER mine AFTER INSERT ON job BEGIN SELECT 1; END",
                             "DROP VIEW v_eta", "DROP INDEX job_ready"}) {
    start();
    EXPECT_EQ("", as_stranger(change));
    const Status checked = store_->check_schema();
    ASSERT_FALSE(checked) << change;
    EXPECT_EQ(checked.error().code, Errc::config);
    EXPECT_THAT(checked.error().message,
                StartsWith(path() + ": its schema was changed while the daemon ran"));
  }
}

TEST_F(StoreSchema, GrantsNothingOnceAGuardIsDropped) {
  EXPECT_EQ("", as_stranger("CREATE VIEW mine AS SELECT key FROM job"));
  EXPECT_TRUE(store_->check_schema_if_touched()) << "an operator's own";
  EXPECT_EQ("", as_stranger("DROP TRIGGER guard_job_update"));
  before_ = everything();
  const Result<std::vector<WorkResult>> granted = try_commit(work_);
  ASSERT_FALSE(granted);
  EXPECT_EQ(granted.error().code, Errc::config);
  EXPECT_THAT(granted.error().message, HasSubstr("trigger guard_job_update is missing"));
  EXPECT_EQ(before_, everything());
}

TEST_F(StoreSchema, RecordsItsEtaAndItsEnd) {
  EXPECT_TRUE(store_->save_eta(1'234, "clears"));
  EXPECT_EQ(value("SELECT eta_at, eta_note FROM account"), "1234|clears");
  EXPECT_TRUE(store_->save_eta(0, ""));
  EXPECT_EQ(value("SELECT eta_at, eta_note FROM account"), "NULL|NULL");
  EXPECT_EQ(value("SELECT stopped_at FROM instance ORDER BY id DESC LIMIT 1"), "NULL");
  EXPECT_TRUE(store_->stop(now_));
  EXPECT_EQ(value("SELECT stopped_at FROM instance ORDER BY id DESC LIMIT 1"),
            std::to_string(now_.wall_ms));
}

}  // namespace
}  // namespace dl
