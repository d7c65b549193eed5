// What dl-ingest errors hands back to be put right, through the real program.
#include <gtest/gtest.h>

#include <algorithm>

#include "program.h"

namespace dl {
namespace {

void refuse_campaigns(const Program& program) {
  program.as_daemon(
      "UPDATE job SET state = 'failed', error = 'bad name' WHERE kind = 'campaign'; DELETE FROM "
      "job_count;"
      "INSERT INTO job_count SELECT batch_id, kind, state, count(*) FROM job GROUP BY 1, 2, 3");
}

// To load them undoes nothing.
TEST(Errors, OfAnEarlierBatchHaveTheValuesThatALaterOneChanged) {
  Program program;
  program.run({"-"}, sheet_of({row_with(1, "campaign_budget", "10")}));
  refuse_campaigns(program);
  program.run({"-"}, sheet_of({row_with(1, "campaign_budget", "3000")}));
  refuse_campaigns(program);
  const Ran ran = program.run({"errors", "1"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_NE(ran.out.find(",3000,"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("bad name; campaign_budget in the job: 3000 (the sheet says 10)"),
            std::string::npos)
      << ran.out;
  EXPECT_EQ(program.run({"-"}, ran.out).out, "stdin: batch 3: 0 new, 3 unchanged (1 row)\n");
}

TEST(Errors, NameNoEarlierBatchWhoseFailedJobsTheyShow) {
  Program program;
  program.run({"-"}, sheet_of({sample_lines()[1]}));
  program.run({"-"}, sheet_of({row_with(1, "campaign_id", "cmp_other")}));
  program.run({"-"}, sheet_of({row_with(1, "ad_id", "ad_more")}));
  refuse_campaigns(program);
  EXPECT_EQ(
      program.run({"errors"}).err,
      "this is batch 3 alone; jobs of earlier ones have failed, too (2): dl-ingest errors BATCH\n");
  program.as_daemon("UPDATE job SET state = 'failed' WHERE kind = 'ad_group' AND batch_id = 1");
  EXPECT_EQ(
      program.run({"errors"}).err,
      "this is batch 3 alone; jobs of earlier ones have failed, too (2): dl-ingest errors BATCH\n");
  program.as_daemon("UPDATE job SET state = 'failed' WHERE kind = 'ad' AND batch_id = 1");
  EXPECT_EQ(program.run({"errors"}).err,
            "this is batch 3 alone; jobs of earlier ones have failed, too (1, 2): dl-ingest errors "
            "BATCH\n");
}

// The last batch is not all that failed.
TEST(Errors, WithoutABatchNameTheEarlierOnesThatHaveSome) {
  Program program;
  for (int i = 1; i <= 13; ++i) {
    program.run({"-"}, sheet_of({row_with(1, "campaign_id", "cmp_" + std::to_string(i))}));
  }
  EXPECT_EQ(program.run({"errors"}).err, "");
  const auto fail = [&](const std::string& batches) {
    program.as_daemon(
        "UPDATE job SET state = 'failed', error = 'boom' WHERE kind = 'campaign' AND batch_id " +
        batches + "; UPDATE job_count SET state = 'failed' WHERE kind = 'campaign' AND batch_id " +
        batches + " AND state = 'ready'");
  };
  fail("IN (2, 5)");
  Ran ran = program.run({"errors"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 1) << "the last batch has none";
  EXPECT_EQ(ran.err,
            "this is batch 13 alone; jobs of earlier ones have failed, too (2, 5): dl-ingest "
            "errors BATCH\n");
  EXPECT_EQ(program.run({"errors", "13"}).err, "") << "asked for";
  ran = program.run({"errors", "5"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 2);
  fail("> 0");
  EXPECT_NE(program.run({"errors"}).err.find("(1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more)"),
            std::string::npos);
}

}  // namespace
}  // namespace dl
