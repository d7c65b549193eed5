// What is archived, where to, and that nothing is lost on the way, whatever happens.
#include <gmock/gmock.h>
#include <unistd.h>

#include "storage/archive_file.h"
#include "storage/free_space.h"
#include "tests/storage/archive_fixture.h"

namespace dl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(Archive, MovesPayloadLedgerHistoryAndRowsButKeepsEveryJob) {
  const auto jobs =
      rows("SELECT id, key, state, dsp_id, attempt, open_parents FROM job ORDER BY id");
  const auto edges = rows("SELECT * FROM job_edge");
  const std::string before =
      value("SELECT group_concat(body, '|') FROM job_payload WHERE job_id < 5");
  const ArchiveCounts counts = archive();
  EXPECT_EQ(counts.batches, 1);
  EXPECT_EQ(counts.rows, 2);
  EXPECT_EQ(counts.jobs, 4);
  EXPECT_EQ(counts.requests, 4);
  EXPECT_EQ(jobs,
            rows("SELECT id, key, state, dsp_id, attempt, open_parents FROM job ORDER BY id"));
  EXPECT_EQ(edges, rows("SELECT * FROM job_edge"));
  EXPECT_THAT(
      rows("SELECT DISTINCT job_id FROM request UNION SELECT DISTINCT job_id FROM job_history"),
      ElementsAre("5"));
  EXPECT_EQ("0", value("SELECT count(*) FROM job_payload WHERE job_id < 5 AND (body <> '' OR "
                       "length(sha256) <> 32)"));
  EXPECT_THAT(rows("SELECT job_id FROM batch_row WHERE batch_id <> 2"), ElementsAre("5"));
  EXPECT_EQ(file(), value("SELECT archived_to FROM batch WHERE id = 1"));
  // And there it all is.
  EXPECT_EQ(before, archived("SELECT group_concat(body, '|') FROM job_payload"));
  EXPECT_EQ("4", archived("SELECT count(*) FROM request JOIN request_body ON "
                          "request_body.request_id = request.id"));
  EXPECT_EQ("1|" + value("SELECT DISTINCT digest FROM request_body"),
            archived("SELECT count(DISTINCT digest) || '|' || max(digest) FROM request_body"));
  EXPECT_EQ("4", archived("SELECT count(*) FROM v_history"));
  EXPECT_EQ("2", archived("SELECT count(*) FROM v_results"));
  EXPECT_EQ("4", archived("SELECT sum(succeeded) FROM v_progress"));
  expect_consistent();
}

// As --verify makes them, which may run beside it: a lookup of a finished job, with no lease.
TEST_F(Archive, GoesOnAfterACrashAndHasEverythingOnce) {
  const std::string before = evidence();
  // As if the power went after the archive's commit and before ours: what is removed here is rolled
  // back.
  for (const char* table : {"batch_row", "request_body", "request", "job_history"}) {
    database_->handle().exec("CREATE TEMP TRIGGER power_cut BEFORE DELETE ON main." +
                             std::string(table) + " BEGIN SELECT RAISE(ABORT, 'power cut'); END");
    const Result<ArchiveCounts> cut = try_archive();
    ASSERT_FALSE(cut) << table;
    EXPECT_THAT(cut.error().message, HasSubstr("power cut"));
    if (std::string(table) == "batch_row") {
      EXPECT_EQ(before, evidence());
    }
    database_->handle().exec("DROP TRIGGER power_cut");
  }
  archive();
  EXPECT_EQ("2 1 2 2", evidence()) << "what is left: c2, and the batch that is loading";
  EXPECT_EQ(
      "4 4 2 4",
      archived(
          "SELECT (SELECT count(*) FROM request) || ' ' || (SELECT count(*) FROM job_history) || ' "
          "'"
          " || (SELECT count(*) FROM batch_row) || ' ' || (SELECT count(*) FROM job_payload)"));
  archive();  // nothing is left to do
  EXPECT_EQ("2 1 2 2", evidence());
}

// Its results would be looked for in one of them only.
TEST_F(Archive, PutsNoBatchIntoTwoFiles) {
  as_daemon("UPDATE batch SET archived_to = '/mnt/a.db', row_count = 3 WHERE id = 1");
  const std::string before = evidence();
  const Result<ArchiveCounts> refused = try_archive();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::usage);
  EXPECT_THAT(refused.error().message, HasSubstr("rows of batch 1 are in /mnt/a.db already"));
  EXPECT_EQ(before, evidence());
  as_daemon("UPDATE batch SET row_count = 2 WHERE id = 1");  // all are here still
  EXPECT_EQ(archive().rows, 2);
  EXPECT_EQ(file(), value("SELECT archived_to FROM batch WHERE id = 1"));
}

TEST_F(Archive, IsTheOnlyWayToRemoveEvidenceAndSparesWhatIsNotFinished) {
  EXPECT_THAT(as_daemon_error("DELETE FROM job_history WHERE job_id = 3"),
              HasSubstr("append-only"));
  EXPECT_THAT(as_daemon_error("DELETE FROM request WHERE job_id = 3"),
              HasSubstr("of an archived job"));
  EXPECT_THAT(as_daemon_error("DELETE FROM request_body"), HasSubstr("of an archived job"));
  EXPECT_THAT(as_daemon_error("UPDATE job_payload SET body = '' WHERE job_id = 3"),
              HasSubstr("fixed"));
  EXPECT_THAT(as_daemon_error("DELETE FROM batch_row"), HasSubstr("being archived"));
  put(fixture::kAd, JobState::ready);
  EXPECT_THAT(as_daemon_error("UPDATE job SET archived_at = 1 WHERE id = 3"),
              HasSubstr("only a finished job"));
  put(fixture::kAd, JobState::failed);
  as_daemon(
      "UPDATE job SET archived_at = 1 WHERE id = 3; DELETE FROM job_history WHERE job_id = 3");
  EXPECT_THAT(as_daemon_error("UPDATE job SET archived_at = NULL WHERE id = 3"), HasSubstr("once"));
  EXPECT_THAT(as_daemon_error("UPDATE job SET state = 'ready' WHERE id = 3"), HasSubstr("final"));
  for (const char* act : {"retry", "cancel"}) {
    EXPECT_THAT(as_stranger("INSERT INTO operator_act (job_id, act, who, why) VALUES (3, '" +
                            std::string(act) + "', 'maria', 'why not')"),
                HasSubstr("archived"))
        << act;
  }
  EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, priority, who, why) VALUES (1, "
                            "'priority', 5, 'maria', 'x')"));
}

TEST_F(Archive, RefusesAFileThatIsNotItsOwnArchive) {
  const std::string other = (folder() / "other.db").string();
  {
    auto foreign = Database::open(other, OpenMode::create);
    ASSERT_TRUE(foreign);
    ASSERT_TRUE((*foreign)->transaction(Writer::ingest, [&]() -> Status {
      (*foreign)->handle().exec(
          "INSERT INTO property (name, value) VALUES ('archive_of', 'somebody else')");
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
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("dl-own-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const std::string path = (folder / "em.db").string();
  {
    auto opened = Database::open(path, OpenMode::create);
    ASSERT_TRUE(opened) << opened.error().message;
    std::filesystem::create_symlink(path, folder / "linked.db");
    for (const std::string& name :
         {path, (folder / "." / "em.db").string(), (folder / "linked.db").string()}) {
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
  as_daemon(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
      "INSERT INTO job_history (job_id, at, rule_id, attempt, reason) SELECT 3, i, 1, 1, "
      "hex(randomblob(50)) FROM n");
  as_daemon(
      "UPDATE job SET archived_at = 1 WHERE id = 3; DELETE FROM job_history WHERE job_id = 3");
  const int pages = database_->handle().execAndGet("PRAGMA page_count").getInt();
  const Result<FreeSpace> space = give_space_back(*database_);
  ASSERT_TRUE(space) << space.error().message;
  EXPECT_GT(space->given_back_bytes, 1'000'000);
  EXPECT_EQ(space->left_bytes, 0);
  EXPECT_LT(database_->handle().execAndGet("PRAGMA page_count").getInt(), pages / 2);
}

}  // namespace
}  // namespace dl
