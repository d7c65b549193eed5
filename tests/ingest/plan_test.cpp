// A plan says what the load would do, and ends as it would end. Through the real program.
#include <gtest/gtest.h>

#include <sstream>

#include "program.h"

namespace dl {
namespace {

// "create unchanged change conflict" of the kind, of the n-th file.
std::string counts(const std::string& out, const std::string& kind, int nth = 1) {
  std::size_t at = 0;
  for (int i = 0; i < nth; ++i) at = out.find("\n  " + kind + " ", at) + 1;
  std::istringstream line(out.substr(at, out.find('\n', at) - at));
  std::string word;
  std::string all;
  line >> word;
  while (line >> word) all += (all.empty() ? "" : " ") + word;
  return all;
}

TEST(Plan, EndsAsTheLoadWithRowsLeftOut) {
  const Program program;
  program.write("in", sheet_of({row_with(1, "bid", "abc"), sample_lines()[2]}));
  const Ran planned = program.run({"plan", "in", "--on-error", "skip-row"});
  EXPECT_EQ(counts(planned.out, "campaign"), "1 0 0 0");
  const Ran loaded = program.run({"in", "--on-error", "skip-row"});
  EXPECT_EQ(loaded.exit_code, 1) << loaded.err;
  EXPECT_EQ(planned.exit_code, loaded.exit_code);
  EXPECT_EQ(program.run({"plan", "in"}).exit_code, 65);
}

TEST(Plan, KnowsNothingOfALoadThatIsUnderWayOrWasKilled) {
  const Program program;
  program.run({"-"}, sheet_of({sample_lines()[1]}));
  program.as_daemon("UPDATE batch SET state = 'loading', loaded_at = NULL");
  program.write("in", sheet_of({sample_lines()[1]}));
  const Ran planned = program.run({"plan", "in"});
  for (const char* kind : {"campaign", "ad_group", "ad"})
    EXPECT_EQ(counts(planned.out, kind), "1 0 0 0") << planned.out;
}

TEST(Plan, CountsTheRequestsOfAnEntityOfTwoFilesOnce) {
  const Program program;
  program.write("a", sheet_of({sample_lines()[1]}));
  std::string more = row_with(1, "ad_id", "new_ad");
  more.replace(more.find(",2.5,"), 5, ",9,");
  program.write("b", sheet_of({row_with(1, "bid", "9"), more}));
  const Ran planned = program.run({"plan", "a", "b"});
  EXPECT_EQ(counts(planned.out, "ad_group", 2), "0 0 1 0");
  EXPECT_NE(planned.out.find("at least 6 requests"), std::string::npos) << planned.out;
  EXPECT_NE(planned.out.find("at least 2 requests"), std::string::npos) << planned.out;
}

TEST(Plan, EndsAsTheLoadWithConflicts) {
  const Program program;
  program.run({"-"}, sheet_of({sample_lines()[1]}));
  program.as_daemon("UPDATE job SET state = 'confirming', dsp_id = 'd1' WHERE kind = 'campaign'");
  program.write("in", sheet_of({row_with(1, "objective", "x")}));
  const Ran planned = program.run({"plan", "in"});
  EXPECT_EQ(counts(planned.out, "campaign"), "0 0 0 1");
  const Ran loaded = program.run({"in"});
  EXPECT_EQ(loaded.out, "in: batch 2: 0 new, 2 unchanged, 1 in conflict (1 row)\n") << loaded.err;
  EXPECT_EQ(loaded.exit_code, 1);
  EXPECT_EQ(planned.exit_code, loaded.exit_code);
}

// The sample's first campaign is loaded, done with, and stopped as `sql` says. What plan and load
// then say of it.
void expect_both_know(const std::string& sql, const std::string& sheet,
                      const std::string& at_rest) {
  const Program program;
  program.run({"-"}, sheet_of({sample_lines()[1]}));
  program.as_daemon(sql);
  program.write("in", sheet);
  const Ran planned = program.run({"plan", "in"});
  EXPECT_NE(planned.out.find("  " + at_rest.substr(0, at_rest.find(" will")) +
                             " would not be sent as things stand: "),
            std::string::npos)
      << planned.out;
  const Ran loaded = program.run({"in"});
  EXPECT_NE(loaded.err.find("in: " + at_rest + "; dl-ingest results"), std::string::npos)
      << loaded.err;
  EXPECT_NE(planned.out.find(at_rest.substr(at_rest.find("stand: "))), std::string::npos)
      << planned.out;
  EXPECT_EQ(loaded.exit_code, 1);
  EXPECT_EQ(planned.exit_code, loaded.exit_code);
}

const std::string kFailedGroup =
    "UPDATE job SET state = 'succeeded', dsp_id = 'd1' WHERE kind = 'campaign';"
    "UPDATE job SET state = 'failed', open_parents = 0 WHERE kind = 'ad_group';"
    "UPDATE job_count SET state = 'failed' WHERE kind = 'ad_group'";
const std::string kHeldCampaign =
    "UPDATE job SET state = 'in_doubt', hold = 'was it applied?' WHERE kind = 'campaign';"
    "UPDATE job_count SET state = 'in_doubt' WHERE kind = 'campaign' AND state = 'ready'";

TEST(Plan, EndsAsTheLoadWhereSomethingAboveARowHasStopped) {
  const std::string stuck = " behind what has failed, was cancelled or is in doubt";
  const std::string more = sheet_of({sample_lines()[1], row_with(1, "ad_id", "new_ad")});
  expect_both_know(kFailedGroup, more, "2 of 2 rows will not be sent as things stand: 2" + stuck);
  expect_both_know(kFailedGroup, sheet_of({sample_lines()[1]}),
                   "1 of 1 row will not be sent as things stand: 1" + stuck);
  expect_both_know(kHeldCampaign, more, "2 of 2 rows will not be sent as things stand: 2" + stuck);
}

TEST(Plan, SendsWhatFailedAgainWithNewValues) {
  const Program program;
  program.run({"-"}, sheet_of({sample_lines()[1]}));
  program.as_daemon(kFailedGroup);
  program.write("same", sheet_of({sample_lines()[1]}));
  program.write("mended", sheet_of({row_with(1, "bid", "9")}));
  EXPECT_EQ(program.run({"plan", "mended"}).exit_code, 0);
  const Ran both = program.run({"plan", "same", "mended"});
  EXPECT_LT(both.out.rfind("would not be sent"), both.out.find("mended:")) << both.out;
  EXPECT_EQ(program.run({"mended"}).exit_code, 0);
}

// What a daemon of that --rate-limit writes at its start.
std::string limited(const std::string& rate_limit, const std::string& count,
                    const std::string& window_ms) {
  return "UPDATE account SET rate_limit = '" + rate_limit + "', limit_count = " + count +
         ", limit_window_ms = " + window_ms;
}

TEST(Plan, CountsWithTheDaemonsLimitAndInventsNone) {
  const Program program;
  program.write("in", sample());
  EXPECT_NE(program.run({"plan", "in"}).out.find(" requests, about 60 s at 40 requests in 60 s, "),
            std::string::npos);
  program.run({"-"}, sheet_of({row_with(1, "campaign_id", "another")}));
  EXPECT_NE(program.run({"plan", "in"}).out.find(" requests, about 60 s at 40 requests in 60 s, "),
            std::string::npos)
      << "no daemon has said yet";
  program.as_daemon(limited("5/10s", "5", "10000"));
  EXPECT_NE(program.run({"plan", "in"}).out.find(" requests, about 90 s at 5 requests in 10 s, "),
            std::string::npos);
  program.as_daemon(limited("none", "NULL", "NULL"));
  EXPECT_NE(program.run({"plan", "in"}).out.find(" requests, no limit is set\n"),
            std::string::npos);
}

TEST(Plan, OfSeveralFilesKnowsWhatTheFirstBring) {
  const Program program;
  program.write("p1", sheet_of({sample_lines()[1]}));
  program.write("p2", sheet_of({sample_lines()[1], row_with(1, "ad_id", "ad_2")}));
  program.write("p3", sheet_of({row_with(1, "bid", "9")}));
  const Ran planned = program.run({"plan", "p1", "p2", "p3"});
  EXPECT_EQ(planned.exit_code, 1) << "p1 and p3 contradict each other: " << planned.err;
  EXPECT_EQ(counts(planned.out, "campaign"), "1 0 0 0");
  EXPECT_EQ(counts(planned.out, "campaign", 2), "0 1 0 0");
  EXPECT_EQ(counts(planned.out, "ad", 2), "1 1 0 0");
  EXPECT_EQ(counts(planned.out, "campaign", 3), "0 1 0 0");
  EXPECT_EQ(counts(planned.out, "ad_group", 3), "0 0 1 0");
  const Ran loaded = program.run({"p1", "p2", "p3"});
  EXPECT_EQ(loaded.out,
            "p1: batch 1: 3 new, 0 unchanged (1 row)\n"
            "p2: batch 2: 1 new, 3 unchanged (2 rows)\n"
            "p3: batch 3: 0 new, 2 unchanged, 1 changed (1 row)\n");
  EXPECT_EQ(planned.exit_code, loaded.exit_code);
}

}  // namespace
}  // namespace dl
