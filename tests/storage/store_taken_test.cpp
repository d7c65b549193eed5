// A lookup that finds what is another job's: it has not found its own.
#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::HasSubstr;

class StoreTaken : public StoreTest {
 protected:
  StoreTaken() {
    policy_.unknown_outcome = UnknownOutcome::lookup;
    start();
  }
  // Its POST ended without an answer, and the lookup is due.
  void lose(int id) {
    Outcome outcome = unsure(grant(id));
    outcome.hold.reset();
    outcome.due_in_ms = 0;
    finish(outcome);
    pass(policy_.settle_ms);
  }
  Outcome found(int job, const std::string& id) {
    Outcome outcome = outcome_of(grant(job, Purpose::lookup), JobEvent::found);
    outcome.dsp_id = id;
    outcome.resolution = "found";
    outcome.due_in_ms = 0;
    return outcome;
  }
  void add_ad_groups_below_the_other(const std::vector<int>& ids) {
    for (const int id : ids) add_job(id, JobKind::ad_group, {kOther});
    succeed(kCampaign);
    succeed(kOther);
  }
};

// Seen: two jobs with one id, and children below a stranger.
TEST_F(StoreTaken, ALookupThatFindsAnotherJobsIdIsHeld) {
  confirm(kOther, "x1");
  lose(kCampaign);
  EXPECT_FALSE(finish(found(kCampaign, "x1")).matched)
      << "whoever believed in it reads the tables anew";
  EXPECT_EQ(job(kCampaign, "state, dsp_id, due_at, lease_token"), "in_doubt|NULL|NULL|NULL");
  EXPECT_THAT(job(kCampaign, "hold"), HasSubstr("found x1, which is job 5 (c2)"));
  EXPECT_EQ(value("SELECT dsp_id, finished_at IS NOT NULL FROM request WHERE purpose = 'lookup'"),
            "NULL|1");
  EXPECT_EQ(value("SELECT count(*) FROM request WHERE job_id = 1 AND purpose = 'create' AND "
                  "resolution IS NULL"),
            "1");
  EXPECT_TRUE(rows("SELECT promise, what FROM v_broken_promises").empty());
  expect_consistent();
}

// Seen: a DSP that ignored the query listed ad 1 of the one ad group, and ad 2 of the other became
// succeeded with that id.
TEST_F(StoreTaken, WithoutProofAnIdIsNobodyElsesOfTheKind) {
  add_ad_groups_below_the_other({30, 31, 32});
  confirm(kGroup, "ag_1");
  for (const int id : {30, 31, 32}) lose(id);
  finish(found(30, "ag_1"));
  EXPECT_EQ(job(30, "state, dsp_id, due_at"), "in_doubt|NULL|NULL");
  EXPECT_THAT(job(30, "hold"), HasSubstr("found ag_1, which is job 2 (c1/g1)"));
  Outcome proved = found(31, "ag_1");
  proved.id_is_proved = true;
  finish(proved);
  EXPECT_EQ(job(31, "state, dsp_id"), "confirming|ag_1") << "the entity says that it is ours";
  finish(found(32, "dsp-1"));
  EXPECT_EQ(job(32, "state, dsp_id"), "confirming|dsp-1") << "a campaign's is no ad group's";
  expect_consistent();
}

TEST_F(StoreTaken, OneIdIsNotFoundForTwoJobsInOneTransaction) {
  add_ad_groups_below_the_other({30});
  WorkBatch batch;
  for (const int id : {kGroup, 30}) lose(id);
  for (const int id : {kGroup, 30}) batch.outcomes.push_back(found(id, "ag_1"));
  commit(batch);
  EXPECT_EQ(job(kGroup, "state, dsp_id"), "confirming|ag_1");
  EXPECT_THAT(job(30, "hold"), HasSubstr("found ag_1, which is job 2 (c1/g1)"));
}

// The DSP may list it still.
TEST_F(StoreTaken, WithoutProofAnIdOfAnothersFailedCreationIsNotOurs) {
  add_ad_groups_below_the_other({30});
  confirm(kGroup, "ag_1");
  Outcome failed = outcome_of(grant(kGroup, Purpose::status), JobEvent::creation_failed);
  failed.outcome_class = "creation_failed";
  failed.spends_attempt = true;
  failed.due_in_ms = 0;
  finish(failed);
  lose(30);
  finish(found(30, "ag_1"));
  EXPECT_THAT(job(30, "hold"), HasSubstr("found ag_1, which is job 2 (c1/g1)"));
}

// For --verify.
TEST_F(StoreTaken, NamesTheOtherJobThatHasAnId) {
  add_ad_groups_below_the_other({30});
  confirm(kGroup, "ag_1");
  const auto other = [this](int id) { return *store_->other_with_id(JobId{id}, "ag_1"); };
  EXPECT_EQ(other(30), "job 2 (c1/g1)");
  EXPECT_EQ(other(kGroup), "") << "its own";
  EXPECT_EQ(other(kCampaign), "") << "of another kind";
  expect_at_rest();
}

}  // namespace
}  // namespace dl
