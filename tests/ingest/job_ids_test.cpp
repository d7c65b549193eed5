// Ids of jobs: they grow from parents to children and from campaign to campaign, and campaigns
// stand together.
#include <gtest/gtest.h>

#include "program.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

void expect_order(const Program& program) {
  EXPECT_EQ(program.ask("SELECT count(*) FROM job_edge WHERE parent_id >= child_id"), "0");
  EXPECT_EQ(program.ask("SELECT count(*) FROM (SELECT j.root_id < lag(j.root_id) OVER (PARTITION "
                        "BY r.batch_id ORDER BY r.row) AS is_back "
                        "FROM batch_row r JOIN job j ON j.id = r.job_id) WHERE is_back"),
            "0");
}

// Each would dirty a page of its own in the transaction that makes them ready.
TEST(JobIds, OfManyCampaignsStandTogether) {
  Program program;
  program.write("big.csv", big_sheet(200));
  ASSERT_EQ(program.run({"big.csv"}).exit_code, 0);
  expect_order(program);
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE level = 0"), "200");
  const std::string lonely = program.ask(
      "SELECT count(*) FROM job c WHERE level = 0 AND NOT EXISTS "
      "(SELECT 1 FROM job p WHERE p.id = c.id - 1 AND p.level = 0)");
  EXPECT_LT(std::stoi(lonely), 60);
  EXPECT_LT(std::stoi(program.ask("SELECT max(id) - count(*) FROM job")), 200 / 8)
      << "ids that nobody got";
}

TEST(JobIds, OfSmallBatchesLeaveNoGap) {
  Program program;
  ASSERT_EQ(program.run({in_tree("examples/sample.csv")}).exit_code, 0);
  EXPECT_EQ(program.ask("SELECT max(id) FROM job"), "23");
}

TEST(JobIds, GoOnBehindThoseOfEarlierBatches) {
  Program program;
  program.write("some.csv", big_sheet(50));
  program.write("more.csv", big_sheet(120));  // the same 50 first
  ASSERT_EQ(program.run({"some.csv"}).exit_code, 0);
  const std::string last = program.ask("SELECT max(id) FROM job");
  const Ran more = program.run({"more.csv"});
  EXPECT_NE(more.out.find("7420 new, 5300 unchanged"), std::string::npos) << more.out;
  expect_order(program);
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE batch_id = 2 AND id <= " + last), "0");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE state = 'ready'"), "120");
}

}  // namespace
}  // namespace dl
