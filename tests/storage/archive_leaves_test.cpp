// What must stay when the rest is archived: all that may still move, and what hangs together with
// it.
#include <gmock/gmock.h>

#include "tests/storage/archive_fixture.h"

namespace dl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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
  EXPECT_EQ(
      "0 0 0",
      archived("SELECT (SELECT count(*) FROM job) || ' ' || (SELECT count(*) FROM batch) || ' ' ||"
               " (SELECT count(*) FROM request)"));
}

// The rest of its rows stays until all is finished again, and so do the payloads that they are put
// together from.
TEST_F(Archive, StopsInABatchWhereATreeComesAliveBetweenTwoSteps) {
  put(fixture::kAd, JobState::failed);
  as_daemon(
      "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 309) "
      "INSERT INTO batch_row (batch_id, row, line, job_id) SELECT 1, i, i + 1, 3 FROM n");
  const std::string results = value("SELECT count(*) FROM v_results WHERE batch_id = 1");
  const ArchivePlan made = plan();
  ASSERT_THAT(made.going, SizeIs(1));
  database_->handle().exec(
      "CREATE TEMP TRIGGER operator_is_fast AFTER DELETE ON main.batch_row WHEN OLD.row = 10 BEGIN"
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
  as_daemon("UPDATE batch SET archived_to = '/former/name.db', row_count = 302 WHERE id = 1");
  EXPECT_EQ("102", value("SELECT count(*) FROM v_results WHERE batch_id = 1"));
  finish_the_ad_again();
  EXPECT_EQ(archive().rows, 102);
  EXPECT_EQ(results, archived("SELECT count(*) FROM v_results WHERE batch_id = 1"));
}

TEST_F(Archive, LeavesTheRestOfAnInterruptedBatchThatLivesAgain) {
  put(fixture::kAd, JobState::failed);
  database_->handle().exec(
      "CREATE TEMP TRIGGER power_cut BEFORE DELETE ON main.batch_row "
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
  for (const JobState state : {JobState::blocked, JobState::ready, JobState::waiting,
                               JobState::submitting, JobState::in_doubt, JobState::confirming}) {
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

// c1 is named by batch 1 alone, c10 by 10 and 11, c11 by 11 and 12, and in the end 12 names c2 as
// well, which stays.
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

}  // namespace
}  // namespace dl
