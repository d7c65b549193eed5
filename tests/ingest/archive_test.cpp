// dl-ingest archive through the real program: results are asked of the archive, the same sheet is
// known again, and a child that comes later finds its parent.
#include <gmock/gmock.h>

#include "program.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

using ::testing::HasSubstr;

// The sample, loaded and sent a year ago.
class ArchiveProgram : public ::testing::Test {
 protected:
  ArchiveProgram() {
    EXPECT_EQ(program.run({in_tree("examples/sample.csv")}).exit_code, 0);
    program.as_daemon(
        "UPDATE job SET state = 'succeeded', open_parents = 0, dsp_id = 'dsp-' || id, updated_at = "
        "1;"
        "UPDATE batch SET loaded_at = 1;"
        "INSERT INTO instance (id, uuid, pid, host, version, boot_key, machine_id, lock_device, "
        "lock_inode, started_at,"
        " started_boot_ms, stopped_at) VALUES (1, 'u', 1, 'h', '0', 'boot', 'machine', 0, 0, 1, 1, "
        "2);"
        "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, "
        "sent_at, sent_boot_ms,"
        " finished_at, slot, resolution) SELECT id, 1, 'create', 'POST', '/', 1, 0, 1, 1, 2, "
        "'answered', 'accepted'"
        " FROM job ORDER BY key = 'cmp_2025_001/ag_1001/ad_5001' DESC, id;");
    // The newest request, and with it its tree and batch, stays: load one more campaign for that.
    EXPECT_EQ(
        program.run({program.write("last.csv", sheet_of({row_with(1, "campaign_id", "cmp_last")}))})
            .exit_code,
        0);
    program.as_daemon(
        "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, "
        "sent_at, sent_boot_ms,"
        " finished_at, slot) SELECT max(id), 1, 'status', 'GET', '/', 1, 0, 1, 1, 2, 'answered' "
        "FROM job");
  }
  std::string old_db() const { return std::filesystem::canonical(program.path("old.db")).string(); }
  Ran archive() { return program.run({"archive", "--older-than", "180d", "--to", "old.db"}); }

  // The program on old.db: it takes the place of jobs.db for as long.
  Ran run_in_archive(std::vector<std::string> args) {
    const auto live = program.path("live.db");
    std::filesystem::rename(program.path("jobs.db"), live);
    std::filesystem::rename(program.path("old.db"), program.path("jobs.db"));
    Ran ran = program.run(std::move(args));
    std::filesystem::rename(program.path("jobs.db"), program.path("old.db"));
    std::filesystem::rename(live, program.path("jobs.db"));
    return ran;
  }

  Program program;
};

TEST_F(ArchiveProgram, SaysWhatWouldGoAndMovesNothing) {
  const Ran ran = program.run({"archive", "--older-than", "180d", "--dry-run"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(
      ran.out,
      HasSubstr("1 of 2 batches (9 rows, and payload, requests and history of 23 jobs) would go"));
  EXPECT_EQ(program.ask("SELECT count(*) FROM batch_row"), "10");
}

TEST_F(ArchiveProgram, GivesTheResultsOutOfTheArchive) {
  const std::string before = program.run({"results", "1"}).out;
  const Ran ran = archive();
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_THAT(
      ran.out,
      HasSubstr(
          "old.db: 1 of 2 batches with 9 rows, and payload, requests (23) and history of 23 jobs"));
  const Ran gone = program.run({"results", "1"});
  EXPECT_EQ(gone.exit_code, 66);
  EXPECT_THAT(gone.err,
              HasSubstr("batch 1 is archived; ask dl-ingest --db " + old_db() + " results 1"))
      << "from anywhere";
  const Ran there = run_in_archive({"results", "1"});
  EXPECT_EQ(there.exit_code, 0) << there.err;
  EXPECT_EQ(there.out, before);
  EXPECT_THAT(program.run({"-"}, before).out, HasSubstr(": 0 new, 23 unchanged (9 rows)"))
      << "its jobs are known, archived or not";
  EXPECT_EQ(archive().exit_code, 0) << "again: nothing is left to do";
}

TEST_F(ArchiveProgram, SaysWhereTheRestOfABatchIsThatIsArchivedInPart) {
  archive();
  program.as_daemon("UPDATE batch SET archived_at = NULL WHERE id = 1");
  const Ran asked = program.run({"results", "1"});
  EXPECT_EQ(asked.exit_code, 66);
  EXPECT_THAT(
      asked.err,
      HasSubstr("batch 1 is archived in part; ask dl-ingest --db " + old_db() +
                " results 1, and for the rows that are still here v_results WHERE batch_id = 1"));
}

TEST_F(ArchiveProgram, KnowsTheSheetWhenItIsLoadedAgain) {
  archive();
  const Ran same = program.run({in_tree("examples/sample.csv")});
  EXPECT_THAT(same.out, HasSubstr("0 new, 23 unchanged"));
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE batch_id = 1 AND state <> 'succeeded'"),
            "0");
  const Ran results = program.run({"results"});
  EXPECT_THAT(results.out, HasSubstr("cmp_2025_001")) << "from the rows as they were";
  const Ran changed =
      program.run({program.write("changed.csv", sheet_of({row_with(1, "ad_type", "hologram")}))});
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_THAT(changed.err, HasSubstr("is succeeded already, with other values"));
}

TEST_F(ArchiveProgram, LeavesAFailedJobFailedWhateverIsLoaded) {
  program.as_daemon(
      "UPDATE job SET state = 'failed', dsp_id = NULL WHERE key = 'cmp_2025_001/ag_1001/ad_5001'");
  archive();
  const Ran changed =
      program.run({program.write("changed.csv", sheet_of({row_with(1, "ad_type", "hologram")}))});
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_THAT(changed.err,
              HasSubstr("is failed and archived, for good; load the new values under another id"));
  EXPECT_EQ(program.ask("SELECT state FROM job WHERE key = 'cmp_2025_001/ag_1001/ad_5001'"),
            "failed");
}

// What nobody can retry any more is told and is no trouble; nor is a retry advised.
TEST_F(ArchiveProgram, CountsNoArchivedFailureAsTrouble) {
  program.as_daemon(
      "UPDATE job SET state = 'succeeded', dsp_id = 'dsp-' || id WHERE key LIKE 'cmp_last%';"
      "UPDATE job SET state = 'failed', dsp_id = NULL, error = 'bad url' WHERE key = "
      "'cmp_2025_001/ag_1001/ad_5001';"
      "DELETE FROM job_count; INSERT INTO job_count (batch_id, kind, state, n) SELECT batch_id, "
      "kind, state, count(*) FROM job GROUP BY 1, 2, 3");
  Ran status = program.run({"status"});
  EXPECT_EQ(status.exit_code, 1);
  EXPECT_THAT(status.out, HasSubstr("1 failed (v_failed; dl-ingest errors)"));
  ASSERT_EQ(archive().exit_code, 0);
  status = program.run({"status"});
  EXPECT_EQ(status.exit_code, 0) << status.out;
  EXPECT_THAT(status.out, HasSubstr(", 1 failed and archived, for good\nall is done\n"));
  const Ran changed = program.run({"-"}, sheet_of({row_with(1, "ad_type", "video")}));
  EXPECT_THAT(changed.err,
              HasSubstr("this ad is failed and archived, for good; load the new values "
                        "under another id"));
}

TEST_F(ArchiveProgram, AddsAChildUnderAParentThatIsArchived) {
  archive();
  const Ran ran =
      program.run({program.write("more.csv", sheet_of({row_with(1, "ad_id", "ad_new")}))});
  EXPECT_THAT(ran.out, HasSubstr("1 new, 2 unchanged"));
  EXPECT_EQ(program.ask("SELECT state FROM job WHERE key LIKE '%/ad_new'"), "ready");
  EXPECT_EQ(
      program.ask("SELECT parent.dsp_id FROM job_edge JOIN job AS parent ON parent.id = parent_id "
                  "JOIN job AS child ON child.id = child_id WHERE child.key LIKE '%/ad_new'"),
      "dsp-2");
  EXPECT_THAT(program.run({"results"}).out, HasSubstr("ad_new"));
}

TEST_F(ArchiveProgram, RefusesToLoadIntoAnArchiveAndAgesThatAreTooYoung) {
  archive();
  const Ran load = run_in_archive({in_tree("examples/sample.csv")});
  EXPECT_EQ(load.exit_code, 78);
  EXPECT_THAT(load.err, HasSubstr("is an archive of finished work"));
  EXPECT_EQ(program.run({"archive", "--older-than", "1d"}).exit_code, 64);
  EXPECT_EQ(program.run({"archive", "--older-than", "soon"}).exit_code, 64);
  EXPECT_EQ(program.run({"archive"}).exit_code, 64);
}

}  // namespace
}  // namespace dl
