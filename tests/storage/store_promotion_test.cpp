// Children become ready in their last parent's transaction; the count of open parents follows the
// edges whatever the child's state.
#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::UnorderedElementsAre;

class StorePromotion : public StoreTest {
 protected:
  StorePromotion() { start(); }
  static std::vector<std::int64_t> ids(const std::vector<JobRef>& jobs) {
    std::vector<std::int64_t> all;
    for (const JobRef& each : jobs) all.push_back(each.id.value);
    return all;
  }
};

TEST_F(StorePromotion, ComesWithTheParentsSuccessAndReachesOneLevel) {
  const Applied applied = succeed(kCampaign);
  ASSERT_EQ(applied.promoted.size(), 1U);
  const JobRef& group = applied.promoted[0];
  EXPECT_EQ(group.id.value, kGroup);
  EXPECT_EQ(group.kind, JobKind::ad_group);
  EXPECT_EQ(group.root_id, kCampaign);
  EXPECT_EQ(group.level, 1);
  EXPECT_TRUE(group.has_children);
  EXPECT_EQ(value("SELECT state, open_parents FROM job WHERE id = 2"), "ready|0");
  EXPECT_EQ(value("SELECT count(*) FROM job WHERE state = 'blocked' AND id IN (3, 4)"), "2");
  EXPECT_EQ(value("SELECT rule_id FROM job_history WHERE job_id = 2"), "1");
  EXPECT_THAT(ids(succeed(kGroup).promoted), UnorderedElementsAre(kAd, kAd2));
  expect_consistent();
}

TEST_F(StorePromotion, NeedsTheLastOfSeveralParents) {
  add_job(20, JobKind::ad, {kCampaign, kOther});
  EXPECT_THAT(ids(succeed(kCampaign).promoted), UnorderedElementsAre(kGroup));
  EXPECT_EQ(value("SELECT state, open_parents FROM job WHERE id = 20"), "blocked|1");
  EXPECT_THAT(ids(succeed(kOther).promoted), UnorderedElementsAre(20));
  expect_consistent();
}

TEST_F(StorePromotion, NeedsTheLastOfSeveralParentsThatSucceedInOneTransaction) {
  add_job(20, JobKind::ad, {kCampaign, kOther});
  WorkBatch both;
  for (const int id : {kCampaign, kOther}) {
    confirm(id, "x");
    both.outcomes.push_back(outcome_of(grant(id, Purpose::status), JobEvent::confirmed));
  }
  const WorkResult result = commit(both);
  ASSERT_EQ(result.applied.size(), 2U);
  EXPECT_THAT(ids(result.applied[0].promoted), UnorderedElementsAre(kGroup));
  EXPECT_THAT(ids(result.applied[1].promoted), UnorderedElementsAre(20));
  EXPECT_EQ(value("SELECT count(*) FROM job_history WHERE job_id = 20"), "1");
  expect_consistent();
}

TEST_F(StorePromotion, CountsForACancelledChildWithoutWakingIt) {
  EXPECT_EQ(
      "",
      as_stranger(
          "INSERT INTO operator_act (job_id, act, who, why) VALUES (2, 'cancel', 'maria', 'x')"));
  EXPECT_TRUE(succeed(kCampaign).promoted.empty());
  EXPECT_EQ(value("SELECT state, open_parents FROM job WHERE id = 2"), "cancelled|0");
  EXPECT_EQ(
      "",
      as_stranger(
          "INSERT INTO operator_act (job_id, act, who, why) VALUES (2, 'retry', 'maria', 'x')"));
  EXPECT_EQ(state_of(kGroup), "ready");
  expect_consistent();
}

TEST_F(StorePromotion, LeavesTheChildOfALoadingBatchToItsPublication) {
  add_job(20, JobKind::ad, {kCampaign}, 2);
  EXPECT_THAT(ids(succeed(kCampaign).promoted), UnorderedElementsAre(kGroup));
  EXPECT_EQ(value("SELECT state, open_parents FROM job WHERE id = 20"), "blocked|0");
  EXPECT_EQ(value("SELECT count(*) FROM job_history WHERE job_id = 20"), "0");
  expect_consistent();
}

TEST_F(StorePromotion, IsNotTheWorkOfAFailure) {
  Outcome refusal = outcome_of(grant(kCampaign), JobEvent::refused_for_good);
  refusal.resolution = "refused";
  refusal.spends_attempt = true;
  EXPECT_TRUE(finish(refusal).promoted.empty());
  EXPECT_EQ(value("SELECT state, open_parents FROM job WHERE id = 2"), "blocked|1");
}

TEST_F(StorePromotion, IsUndoneWithItsTransaction) {
  confirm(kCampaign, "dsp-1");
  WorkBatch batch;
  batch.outcomes.push_back(outcome_of(grant(kCampaign, Purpose::status), JobEvent::confirmed));
  const std::vector<std::string> before = everything();
  // a stranger's trigger would be noticed before the first statement
  SQLite::Database& own = store_->database().handle();
  own.exec(
      "CREATE TEMP TRIGGER broken BEFORE INSERT ON main.job_history WHEN NEW.job_id = 2 "
      "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END");
  const auto broken = try_commit(batch);
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("broken on purpose"), std::string::npos)
      << broken.error().message;
  own.exec("DROP TRIGGER broken");
  EXPECT_EQ(before, everything()) << "neither the success nor the promotion";
  EXPECT_THAT(ids(commit(batch).applied[0].promoted), UnorderedElementsAre(kGroup));
}

}  // namespace
}  // namespace dl
