// What may be archived, what must stay, and that nothing is lost on the way, whatever happens.
#include "storage/archive.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "storage/free_space.h"
#include "tests/storage/sql_fixture.h"

namespace dl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kNow = 1'000 * kDay;  // the fixture is of the first seconds of 1970
constexpr Millis kAge = 180 * kDay;

class Archive : public SqlTest {
 protected:
  Archive() {
    for (const int job : {1, 2, 3, 4, 5}) put(job, JobState::succeeded);
    for (const int job : {1, 2, 3, 4, 5}) finish(job);
    // c2 has a batch of its own and the newest request of all, so it stays whole.
    as_daemon("INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at, loaded_at) "
              "VALUES (8, 'loaded', 'c2.csv', 1, '', 'csv', 'maria', 1, 1);"
              "UPDATE batch_row SET batch_id = 8 WHERE job_id = 5");
    request(fixture::kOther, "status", "finished_at = 9, slot = 'answered'");
  }
  void finish(int job) {
    request(job, "create", "finished_at = 6000, slot = 'answered', resolution = 'accepted'");
    as_daemon("INSERT INTO job_history (job_id, at, rule_id, attempt) VALUES (" + std::to_string(job) + ", 1, 16, 1)");
  }
  ArchivePlan plan() {
    Result<ArchivePlan> found = plan_archive(*database_, kAge, kNow);
    EXPECT_TRUE(found) << found.error().message;
    return found ? std::move(*found) : ArchivePlan{};
  }
  std::string file() const { return (folder() / "old.db").string(); }
  Result<ArchiveCounts> try_archive() { return carry_out(plan(), *database_, file(), kNow); }
  ArchiveCounts archive() {
    Result<ArchiveCounts> moved = try_archive();
    EXPECT_TRUE(moved) << moved.error().message;
    return moved ? *moved : ArchiveCounts{};
  }
  std::string archived(const std::string& sql) const { return SQLite::Database(file()).execAndGet(sql).getString(); }
  std::string free_jobs() {  // that the plan would thin out
    const ArchivePlan found = plan();
    std::string keys;
    for (const std::string& line : rows("SELECT id || ' ' || root_id FROM job ORDER BY id")) {
      if (found.is_free(std::stoll(line.substr(line.find(' '))))) keys += line.substr(0, line.find(' ')) + " ";
    }
    return keys;
  }
  std::string evidence() {
    return value("SELECT count(*) FROM request") + " " + value("SELECT count(*) FROM job_history") + " " +
           value("SELECT count(*) FROM batch_row") + " " + value("SELECT count(*) FROM job_payload WHERE body <> ''");
  }
  std::string retry_the_ad() {
    return as_stranger("INSERT INTO operator_act (job_id, act, who, why) VALUES (3, 'retry', 'maria', 'once more')");
  }
  // Long ago.
  void finish_the_ad_again() {
    put(fixture::kAd, JobState::succeeded);
    as_daemon("UPDATE job SET updated_at = 1 WHERE root_id = 1");
  }
  void add_old_campaign(int id, const std::string& key) {
    const std::string n = std::to_string(id);
    as_daemon("INSERT INTO job (id, batch_id, kind, key, root_id, level, state, dsp_id, updated_at) VALUES (" + n +
              ", 1, 'campaign', '" + key + "', " + n + ", 0, 'succeeded', 'd', 1);"
              "INSERT INTO job_payload (job_id, body, sha256) VALUES (" + n + ", '{}', zeroblob(32))");
  }
  void add_old_batch(int id, const std::vector<int>& jobs) {
    const std::string n = std::to_string(id);
    as_daemon("INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at, loaded_at) "
              "VALUES (" + n + ", 'loaded', 'old.csv', 1, '', 'csv', 'maria', 1, 1)");
    for (const int job : jobs) {
      as_daemon("INSERT INTO batch_row (batch_id, row, line, job_id) SELECT " + n + ", count(*) + 1, count(*) + 2, " +
                std::to_string(job) + " FROM batch_row WHERE batch_id = " + n);
    }
  }
  // A second batch, loaded a day ago, whose only row is the ad a1.
  void show_a1_in_a_new_batch() {
    as_daemon("INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at, loaded_at) "
              "VALUES (9, 'loaded', 'new.csv', 1, '', 'csv', 'maria', 1, " + std::to_string(kNow - kDay) + ");"
              "INSERT INTO batch_row (batch_id, row, line, job_id) VALUES (9, 1, 2, 3)");
  }
};

TEST_F(Archive, MovesPayloadLedgerHistoryAndRowsButKeepsEveryJob) {
  const auto jobs = rows("SELECT id, key, state, dsp_id, attempt, open_parents FROM job ORDER BY id");
  const auto edges = rows("SELECT * FROM job_edge");
  const std::string before = value("SELECT group_concat(body, '|') FROM job_payload WHERE job_id < 5");
  const ArchiveCounts counts = archive();
  EXPECT_EQ(counts.batches, 1);
  EXPECT_EQ(counts.rows, 2);
  EXPECT_EQ(counts.jobs, 4);
  EXPECT_EQ(counts.requests, 4);
  EXPECT_EQ(jobs, rows("SELECT id, key, state, dsp_id, attempt, open_parents FROM job ORDER BY id"));
  EXPECT_EQ(edges, rows("SELECT * FROM job_edge"));
  EXPECT_THAT(rows("SELECT DISTINCT job_id FROM request UNION SELECT DISTINCT job_id FROM job_history"), ElementsAre("5"));
  EXPECT_EQ("0", value("SELECT count(*) FROM job_payload WHERE job_id < 5 AND (body <> '' OR length(sha256) <> 32)"));
  EXPECT_THAT(rows("SELECT job_id FROM batch_row WHERE batch_id <> 2"), ElementsAre("5"));
  EXPECT_EQ(file(), value("SELECT archived_to FROM batch WHERE id = 1"));
  // And there it all is.
  EXPECT_EQ(before, archived("SELECT group_concat(body, '|') FROM job_payload"));
  EXPECT_EQ("4", archived("SELECT count(*) FROM request JOIN request_body ON request_body.request_id = request.id"));
  EXPECT_EQ("1|" + value("SELECT DISTINCT digest FROM request_body"),
            archived("SELECT count(DISTINCT digest) || '|' || max(digest) FROM request_body"));
  EXPECT_EQ("4", archived("SELECT count(*) FROM v_history"));
  EXPECT_EQ("2", archived("SELECT count(*) FROM v_results"));
  EXPECT_EQ("4", archived("SELECT sum(succeeded) FROM v_progress"));
  expect_consistent();
}

// As --verify makes them, which may run beside it: a lookup of a finished job, with no lease.
TEST_F(Archive, LeavesWhatWasAskedForSinceThePlanWasMade) {
  const ArchivePlan made = plan();
  const std::int64_t newest = request(3, "lookup", "finished_at = 9, slot = 'answered'");
  const Result<ArchiveCounts> moved = carry_out(made, *database_, file(), kNow);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->jobs, 3);
  EXPECT_EQ(value("SELECT max(id) FROM request"), std::to_string(newest)) << "so no id comes twice";
  EXPECT_THAT(rows("SELECT DISTINCT job_id FROM request ORDER BY job_id"), ElementsAre("3", "5"));
  EXPECT_EQ(value("SELECT archived_at FROM job WHERE id = 3"), "NULL");
  expect_consistent();
}

TEST_F(Archive, NeverTouchesATreeThatCameAliveAfterThePlan) {
  put(fixture::kAd, JobState::failed);
  const ArchivePlan made = plan();
  ASSERT_THAT(made.going, SizeIs(1));
  EXPECT_EQ("", retry_the_ad());
  const std::string before = evidence();
  const Result<ArchiveCounts> moved = carry_out(made, *database_, file(), kNow);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->batches, 0);
  EXPECT_EQ(moved->rows, 0);
  EXPECT_EQ(moved->jobs, 0);
  EXPECT_EQ(before, evidence());
  EXPECT_EQ("NULL", value("SELECT archived_to FROM batch WHERE id = 1"));
  EXPECT_EQ("0 0 0", archived("SELECT (SELECT count(*) FROM job) || ' ' || (SELECT count(*) FROM batch) || ' ' ||"
                              " (SELECT count(*) FROM request)"));
}

// The rest of its rows stays until all is finished again, and so do the payloads that they are put together from.
TEST_F(Archive, StopsInABatchWhereATreeComesAliveBetweenTwoSteps) {
  put(fixture::kAd, JobState::failed);
  as_daemon("WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 309) "
            "INSERT INTO batch_row (batch_id, row, line, job_id) SELECT 1, i, i + 1, 3 FROM n");
  const std::string results = value("SELECT count(*) FROM v_results WHERE batch_id = 1");
  const ArchivePlan made = plan();
  ASSERT_THAT(made.going, SizeIs(1));
  database_->handle().exec("CREATE TEMP TRIGGER operator_is_fast AFTER DELETE ON main.batch_row WHEN OLD.row = 10 BEGIN"
                           " INSERT INTO operator_act (job_id, act, who, why) VALUES (3, 'retry', 'maria', 'x'); END");
  const Result<ArchiveCounts> moved = carry_out(made, *database_, file(), kNow);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->batches, 0);
  EXPECT_EQ(moved->rows, 200);
  EXPECT_EQ(moved->jobs, 0);
  EXPECT_EQ("102", value("SELECT count(*) FROM v_results WHERE batch_id = 1"));
  EXPECT_EQ("NULL", value("SELECT archived_at FROM batch WHERE id = 1"));
  database_->handle().exec("DROP TRIGGER operator_is_fast");
  EXPECT_EQ(archive().rows, 0) << "it lives";
  EXPECT_EQ("102", value("SELECT count(*) FROM v_results WHERE batch_id = 1"));
  finish_the_ad_again();
  EXPECT_EQ(archive().rows, 102);
  EXPECT_EQ(results, archived("SELECT count(*) FROM v_results WHERE batch_id = 1"));
}

TEST_F(Archive, LeavesTheRestOfAnInterruptedBatchThatLivesAgain) {
  put(fixture::kAd, JobState::failed);
  database_->handle().exec("CREATE TEMP TRIGGER power_cut BEFORE DELETE ON main.batch_row "
                           "BEGIN SELECT RAISE(ABORT, 'power cut'); END");
  ASSERT_FALSE(try_archive());
  database_->handle().exec("DROP TRIGGER power_cut");
  ASSERT_EQ(file(), value("SELECT archived_to FROM batch WHERE id = 1"));
  EXPECT_EQ("", retry_the_ad());
  const ArchiveCounts counts = archive();
  EXPECT_EQ(counts.rows, 0);
  EXPECT_EQ(counts.jobs, 0);
  EXPECT_EQ("2", value("SELECT count(*) FROM batch_row WHERE batch_id = 1"));
  finish_the_ad_again();
  EXPECT_EQ(archive().rows, 2);
}

TEST_F(Archive, LeavesATreeAloneWhileAnythingOfItMayStillMove) {
  EXPECT_EQ("1 2 3 4 ", free_jobs());
  for (const JobState state : {JobState::blocked, JobState::ready, JobState::waiting, JobState::submitting,
                               JobState::in_doubt, JobState::confirming}) {
    put(fixture::kAd, state);
    EXPECT_EQ("", free_jobs()) << name_of(state);
    EXPECT_THAT(plan().going, IsEmpty());
  }
  put(fixture::kAd, JobState::failed);
  EXPECT_EQ("1 2 3 4 ", free_jobs());
  as_daemon("UPDATE job SET updated_at = " + std::to_string(kNow - kAge) + " WHERE id = 3");
  EXPECT_EQ("", free_jobs()) << "touched since";
}

TEST_F(Archive, LeavesATreeAloneWhileARequestIsOpenOrAPostUndecided) {
  put(fixture::kAd, JobState::cancelled);
  const std::string post = std::to_string(request(3, "create"));
  request(fixture::kOther, "status", "finished_at = 9, slot = 'answered'");
  EXPECT_EQ("", free_jobs()) << "open";
  as_daemon("UPDATE request SET finished_at = 9, slot = 'unsure' WHERE id = " + post);
  EXPECT_EQ("", free_jobs()) << "undecided";
  as_daemon("UPDATE request SET resolution = 'absent' WHERE id = " + post);
  EXPECT_EQ("1 2 3 4 ", free_jobs());
}

TEST_F(Archive, LeavesAFailedJobWhoseChildInAnotherTreeWaitsForIt) {
  put(fixture::kAd, JobState::failed);
  put(fixture::kOther, JobState::blocked);
  as_daemon("INSERT INTO job_edge (parent_id, child_id) VALUES (3, 5)");
  EXPECT_EQ("", free_jobs());
}

TEST_F(Archive, LeavesABatchWhoseTreeAYoungerOneShows) {
  show_a1_in_a_new_batch();
  EXPECT_EQ("", free_jobs());
  EXPECT_THAT(plan().going, IsEmpty()) << "its rows would tell what was, and its jobs go on here";
}

// c1 is named by batch 1 alone, c10 by 10 and 11, c11 by 11 and 12, and in the end 12 names c2 as well, which stays.
TEST_F(Archive, LeavesAllThatHangsTogetherByTreesAndBatchesWithSomethingThatStays) {
  add_old_campaign(10, "c10");
  add_old_campaign(11, "c11");
  add_old_batch(10, {10});
  add_old_batch(11, {10, 11});
  add_old_batch(12, {11});
  EXPECT_EQ("1 2 3 4 10 11 ", free_jobs());
  EXPECT_THAT(plan().going, SizeIs(4));
  as_daemon("INSERT INTO batch_row (batch_id, row, line, job_id) VALUES (12, 9, 9, 5)");
  EXPECT_EQ("1 2 3 4 ", free_jobs());
  const ArchivePlan made = plan();
  ASSERT_THAT(made.going, SizeIs(1));
  EXPECT_EQ(made.going.front().id.value, 1);
  EXPECT_THAT(made.staying, SizeIs(4));
}

// Batch 1 stays for c1, and with it c10, and for c10 batch 10.
TEST_F(Archive, LeavesWhatHangsTogetherWithATreeThatCameAliveAfterThePlan) {
  put(fixture::kAd, JobState::failed);
  add_old_campaign(10, "c10");
  add_old_batch(10, {10});
  as_daemon("INSERT INTO batch_row (batch_id, row, line, job_id) VALUES (1, 9, 9, 10)");
  const ArchivePlan made = plan();
  ASSERT_THAT(made.going, SizeIs(2));
  EXPECT_EQ("", retry_the_ad());
  const Result<ArchiveCounts> moved = carry_out(made, *database_, file(), kNow);
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_EQ(moved->rows, 0);
  EXPECT_EQ(moved->jobs, 0);
  EXPECT_EQ("NULL", value("SELECT archived_to FROM batch WHERE id = 10"));
}

TEST_F(Archive, LeavesTheLimiterItsMemoryWhateverTheWallClockSays) {
  as_daemon("UPDATE account SET rate_limit = '1/60s'");  // up to 2 requests may hold its slot
  EXPECT_EQ("", plan().is_free(1) ? "free" : "") << "the three newest requests are of c2 and of a2";
  Result<ArchivePlan> too_young = plan_archive(*database_, 2 * kDay, kNow);
  ASSERT_FALSE(too_young);
  EXPECT_EQ(too_young.error().code, Errc::usage);
  EXPECT_THAT(too_young.error().message, HasSubstr("the limiter"));
}

TEST_F(Archive, GoesOnAfterACrashAndHasEverythingOnce) {
  const std::string before = evidence();
  // As if the power went after the archive's commit and before ours: what is removed here is rolled back.
  for (const char* table : {"batch_row", "request_body", "request", "job_history"}) {
    database_->handle().exec("CREATE TEMP TRIGGER power_cut BEFORE DELETE ON main." + std::string(table) +
                             " BEGIN SELECT RAISE(ABORT, 'power cut'); END");
    const Result<ArchiveCounts> cut = try_archive();
    ASSERT_FALSE(cut) << table;
    EXPECT_THAT(cut.error().message, HasSubstr("power cut"));
    if (std::string(table) == "batch_row") { EXPECT_EQ(before, evidence()); }
    database_->handle().exec("DROP TRIGGER power_cut");
  }
  archive();
  EXPECT_EQ("2 1 2 2", evidence()) << "what is left: c2, and the batch that is loading";
  EXPECT_EQ("4 4 2 4", archived("SELECT (SELECT count(*) FROM request) || ' ' || (SELECT count(*) FROM job_history) || ' '"
                                " || (SELECT count(*) FROM batch_row) || ' ' || (SELECT count(*) FROM job_payload)"));
  archive();  // nothing is left to do
  EXPECT_EQ("2 1 2 2", evidence());
}

TEST_F(Archive, IsTheOnlyWayToRemoveEvidenceAndSparesWhatIsNotFinished) {
  EXPECT_THAT(as_daemon_error("DELETE FROM job_history WHERE job_id = 3"), HasSubstr("append-only"));
  EXPECT_THAT(as_daemon_error("DELETE FROM request WHERE job_id = 3"), HasSubstr("of an archived job"));
  EXPECT_THAT(as_daemon_error("DELETE FROM request_body"), HasSubstr("of an archived job"));
  EXPECT_THAT(as_daemon_error("UPDATE job_payload SET body = '' WHERE job_id = 3"), HasSubstr("fixed"));
  EXPECT_THAT(as_daemon_error("DELETE FROM batch_row"), HasSubstr("being archived"));
  put(fixture::kAd, JobState::ready);
  EXPECT_THAT(as_daemon_error("UPDATE job SET archived_at = 1 WHERE id = 3"), HasSubstr("only a finished job"));
  put(fixture::kAd, JobState::failed);
  as_daemon("UPDATE job SET archived_at = 1 WHERE id = 3; DELETE FROM job_history WHERE job_id = 3");
  EXPECT_THAT(as_daemon_error("UPDATE job SET archived_at = NULL WHERE id = 3"), HasSubstr("once"));
  EXPECT_THAT(as_daemon_error("UPDATE job SET state = 'ready' WHERE id = 3"), HasSubstr("final"));
  for (const char* act : {"retry", "cancel"}) {
    EXPECT_THAT(as_stranger("INSERT INTO operator_act (job_id, act, who, why) VALUES (3, '" + std::string(act) +
                            "', 'maria', 'why not')"), HasSubstr("archived")) << act;
  }
  EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, priority, who, why) VALUES (1, 'priority', 5, 'maria', 'x')"));
}

TEST_F(Archive, RefusesAFileThatIsNotItsOwnArchive) {
  const std::string other = (folder() / "other.db").string();
  {
    auto foreign = Database::open(other, OpenMode::create);
    ASSERT_TRUE(foreign);
    ASSERT_TRUE((*foreign)->transaction(Writer::ingest, [&]() -> Status {
      (*foreign)->handle().exec("INSERT INTO property (name, value) VALUES ('archive_of', 'somebody else')");
      return Done{};
    }));
  }
  for (const std::string& wrong : {other, path()}) {
    const Result<ArchiveCounts> refused = carry_out(plan(), *database_, wrong, kNow);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, Errc::config);
  }
  EXPECT_TRUE(refuse_archive(*database_));
  auto foreign = Database::open(other, OpenMode::existing);
  ASSERT_TRUE(foreign);
  EXPECT_FALSE(refuse_archive(**foreign)) << "nothing is sent from an archive";
}

// An empty database looks like a new archive.
TEST(EmptyArchive, IsNeverTheDatabaseItselfByWhateverName) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / ("dl-own-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "em.db").string();
  {
    auto opened = Database::open(path, OpenMode::create);
    ASSERT_TRUE(opened) << opened.error().message;
    std::filesystem::create_symlink(path, folder / "linked.db");
    for (const std::string& name : {path, (folder / "." / "em.db").string(), (folder / "linked.db").string()}) {
      const Result<ArchiveCounts> refused = carry_out(ArchivePlan{}, **opened, name, kNow);
      ASSERT_FALSE(refused) << name;
      EXPECT_EQ(refused.error().code, Errc::config);
      EXPECT_THAT(refused.error().message, HasSubstr("is the database itself"));
      EXPECT_TRUE(refuse_archive(**opened)) << name;
    }
  }
  std::filesystem::remove_all(folder);
}

TEST_F(Archive, GivesTheSpaceBackToTheFileSystem) {
  as_daemon("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
            "INSERT INTO job_history (job_id, at, rule_id, attempt, reason) SELECT 3, i, 1, 1, hex(randomblob(50)) FROM n");
  as_daemon("UPDATE job SET archived_at = 1 WHERE id = 3; DELETE FROM job_history WHERE job_id = 3");
  const int pages = database_->handle().execAndGet("PRAGMA page_count").getInt();
  const Result<FreeSpace> space = give_space_back(*database_);
  ASSERT_TRUE(space) << space.error().message;
  EXPECT_GT(space->given_back_bytes, 1'000'000);
  EXPECT_EQ(space->left_bytes, 0);
  EXPECT_LT(database_->handle().execAndGet("PRAGMA page_count").getInt(), pages / 2);
}

}  // namespace
}  // namespace dl
