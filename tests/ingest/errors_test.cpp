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

// What `given`, results or errors of a program, does when it is loaded again.
void expect_unchanged(const Program& program, const std::string& given) {
  EXPECT_NE(given.find("15.0000"), std::string::npos) << given;
  EXPECT_NE(given.find("3.1250"), std::string::npos) << given;
  const Ran again = program.run({"-"}, given);
  EXPECT_EQ(again.exit_code, 0) << again.err << given;
  EXPECT_NE(again.out.find(": 0 new, 6 unchanged (2 rows)"), std::string::npos) << again.out;
}

// A number that only its neighbours had shown to be a decimal was refused, with words that invite
// a factor of a thousand.
TEST(Errors, HaveNoNumberWhosePointMaySeparateThousands) {
  const Program program;
  const Ran loaded =
      program.run({"-"}, sheet_of({row_with(1, "bid", " 15.000 "), row_with(2, "bid", "3.125"),
                                   row_with(3, "bid", "0.500")}));
  EXPECT_EQ(loaded.exit_code, 0) << loaded.err;
  const std::string results = program.run({"results"}).out;
  EXPECT_NE(results.find(", 15.000 ,"), std::string::npos) << "to the byte: " << results;
  EXPECT_NE(results.find(",3.125,"), std::string::npos) << results;
  program.as_daemon(
      "UPDATE job SET state = 'failed', error = 'x' WHERE key IN ('cmp_2025_001', 'cmp_2025_002')");
  for (const char* format : {"csv", "json", "jsonl"})
    expect_unchanged(program, program.run({"errors", "1", "--format", format}).out);
}

// Numbers of JSON can mean one thing only; the texts that come back would not.
TEST(Errors, OfJsonHaveNoNumberWhosePointMaySeparateThousandsNorHaveItsResults) {
  const Program program;
  std::string lines;
  for (const std::string bid : {"15.000", "3.125"}) {
    std::string line = program.run({"template", "--format", "jsonl"}).out;
    line.replace(line.find("cmp_2025_001"), 12, "c" + bid);
    const std::size_t at = line.find(R"("bid":)") + 6;
    lines += line.replace(at, line.find(',', at) - at, bid);
  }
  const Ran loaded = program.run({"-"}, lines);
  EXPECT_EQ(loaded.exit_code, 0) << loaded.err << lines;
  program.as_daemon("UPDATE job SET state = 'failed', error = 'x' WHERE kind = 'campaign'");
  for (const char* verb : {"errors", "results"}) {
    for (const char* format : {"csv", "json", "jsonl"})
      expect_unchanged(program, program.run({verb, "1", "--format", format}).out);
  }
}

}  // namespace
}  // namespace dl
