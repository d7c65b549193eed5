// The first look at a status whose intent is written with its POST's.
#include <gtest/gtest.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;

class StoreLook : public StoreTest {
 protected:
  StoreLook() { start(); }
  Granted grant_with_look(int job) {
    WorkBatch batch;
    batch.permits.push_back({JobId{job}, Purpose::create, 1, 7, true});
    WorkResult result = commit(batch);
    EXPECT_EQ(result.granted.size(), 1U);
    return result.granted.at(0);
  }
};

TEST_F(StoreLook, IsAnOpenRowBesideItsPost) {
  const Granted post = grant_with_look(kCampaign);
  ASSERT_TRUE(post.look);
  EXPECT_GT(post.look, post.request);
  EXPECT_EQ(request_column(post.look, "purpose || ' ' || method || ' ' || path || ' ' || attempt"),
            "status GET /campaigns/{id}/status 1");
  EXPECT_EQ(request_column(post.look, "finished_at"), "NULL");
  EXPECT_EQ(job(kCampaign, "lease_token"), std::to_string(post.request.value));
}

TEST_F(StoreLook, TakesTheLeaseOverFromItsPostAndConfirms) {
  const Granted post = grant_with_look(kCampaign);
  Outcome outcome = accepted(post, "dsp-1");
  outcome.look_sent = post.look;
  EXPECT_TRUE(finish(outcome).matched);
  EXPECT_EQ(value("SELECT state, lease_token, due_at FROM job WHERE id = 1"),
            "confirming|" + std::to_string(post.look.value) + "|NULL");
  Granted look = post;
  look.request = post.look;
  look.purpose = Purpose::status;
  EXPECT_TRUE(finish(outcome_of(look, JobEvent::confirmed)).matched);
  EXPECT_EQ(state_of(kCampaign), "succeeded");
  EXPECT_EQ(value("SELECT count(*) FROM request WHERE finished_at IS NULL"), "0");
  expect_consistent();
}

TEST_F(StoreLook, IsClosedWithThePostThatDidNotLeadToIt) {
  const Granted post = grant_with_look(kCampaign);
  Outcome outcome = unsure(post);
  outcome.look_unsent = post.look;
  EXPECT_TRUE(finish(outcome).matched);
  EXPECT_EQ(state_of(kCampaign), "in_doubt");
  EXPECT_EQ(request_column(post.look, "slot || ' ' || outcome"), "not_sent not_sent");
  expect_consistent();
}

TEST_F(StoreLook, OfADeadOwnerIsClosedAndItsPostIsInDoubt) {
  const Granted post = grant_with_look(kCampaign);
  EXPECT_EQ(start().reclaimed, 2);
  EXPECT_EQ(state_of(kCampaign), "in_doubt");
  EXPECT_EQ(request_column(post.look, "slot || ' ' || outcome"), "unsure owner_lost");
  expect_consistent();
}

TEST_F(StoreLook, OfADeadOwnerThatHadTheIdIsDueAgain) {
  const Granted post = grant_with_look(kCampaign);
  Outcome outcome = accepted(post, "dsp-1");
  outcome.look_sent = post.look;
  finish(outcome);
  EXPECT_EQ(start().reclaimed, 1);
  EXPECT_EQ(value("SELECT state, lease_token FROM job WHERE id = 1"), "confirming|NULL");
  EXPECT_EQ(timed(kCampaign).state, JobState::confirming);
  expect_consistent();
}

}  // namespace
}  // namespace dl
