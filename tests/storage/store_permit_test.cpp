// The permit transaction: what it writes, and each thing that keeps a request off the wire.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "storage/digest.h"
#include "storage/idempotency_key.h"
#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StorePermit : public StoreTest {
 protected:
  StorePermit() { start(); }
  // Nothing of it is a POST's business: made by the SQL that a bug, or an operator, would have
  // used.
  void spoil(const std::string& sql) { as_daemon(sql); }
};

TEST_F(StorePermit, WritesIntentLeaseAndHistoryAsOne) {
  const Granted post = grant(kCampaign);
  EXPECT_EQ(post.tag, 77);
  EXPECT_EQ(post.job.id.value, kCampaign);
  EXPECT_TRUE(post.job.has_children);
  EXPECT_EQ(post.job_key, "c1");
  EXPECT_EQ(post.attempt, 1);
  EXPECT_EQ(post.tries, 0);
  EXPECT_EQ(post.target, "/campaigns");
  EXPECT_EQ(post.body, "{\"id\":\"job1\"}");
  EXPECT_EQ(post.idempotency_key, idempotency_key(database_->database_id(), "c1", 1));
  const std::string id = std::to_string(post.request.value);
  EXPECT_EQ(
      value(
          "SELECT job_id, attempt, purpose, method, path, idempotency_key, body_request_id, worker,"
          " sent_at, sent_boot_ms, finished_at, slot, resolution FROM request WHERE id = " +
          id),
      "1|1|create|POST|/campaigns|" + post.idempotency_key + "|NULL|2|" +
          std::to_string(now_.wall_ms) + "|" + std::to_string(now_.boot_ms) + "|NULL|NULL|NULL");
  EXPECT_EQ(value("SELECT body, digest FROM request_body WHERE request_id = " + id),
            post.body + "|" + std::to_string(short_digest(post.body)));
  EXPECT_EQ(
      value(
          "SELECT uuid FROM instance JOIN request r ON r.instance_id = instance.id WHERE r.id = " +
          id),
      facts_.uuid);
  EXPECT_EQ(value("SELECT state, lease_token, due_at FROM job WHERE id = 1"),
            "submitting|" + id + "|NULL");
  EXPECT_EQ(
      value("SELECT at, rule_id, attempt, request_id FROM job_history ORDER BY id DESC LIMIT 1"),
      std::to_string(now_.wall_ms) + "|2|1|" + id);
  expect_consistent();
}

TEST_F(StorePermit, CarriesTheIdsOfAllParents) {
  add_job(20, JobKind::campaign, {});
  add_job(21, JobKind::ad, {kCampaign, 20});
  as_daemon("UPDATE job SET state = 'ready' WHERE id = 20");
  succeed(kCampaign);
  confirm(20, "other");
  finish(outcome_of(grant(20, Purpose::status), JobEvent::confirmed));
  EXPECT_EQ(grant(21).body, "{\"id\":\"job21\"}|campaign=dsp-1|campaign=other");
}

TEST_F(StorePermit, PutsTheAttemptsKeyIntoTheBodyWhereLookupsNeedIt) {
  policy_.unknown_outcome = UnknownOutcome::lookup;
  start();
  const Granted post = grant(kCampaign);
  EXPECT_EQ(post.body, "{\"id\":\"job1\"}|external_id=" + post.idempotency_key);
}

TEST_F(StorePermit, RefusesAJobThatDoesNotExist) {
  EXPECT_EQ(refusal(4'000), "there is no such job");
}

TEST_F(StorePermit, RefusesACreationInEveryStateButReady) {
  for (const JobState state :
       {JobState::blocked, JobState::waiting, JobState::in_doubt, JobState::confirming,
        JobState::succeeded, JobState::failed, JobState::cancelled}) {
    put(kCampaign, state);
    EXPECT_EQ(refusal(kCampaign), "it is not ready any more") << name_of(state);
  }
  put(kCampaign, JobState::submitting);
  EXPECT_EQ(refusal(kCampaign), "a request of it is open");
}

TEST_F(StorePermit, RefusesAJobOfABatchThatIsStillLoading) {
  EXPECT_EQ(refusal(kHidden), "it is not ready any more");
}

TEST_F(StorePermit, RefusesACreationWhileTheJobHasADspId) {
  spoil("UPDATE job SET dsp_id = 'x' WHERE id = 1");
  EXPECT_EQ(refusal(kCampaign), "it has a DSP id");
}

TEST_F(StorePermit, RefusesACreationWhileParentsAreOpen) {
  spoil("UPDATE job SET state = 'ready' WHERE id = 2");
  EXPECT_EQ(refusal(kGroup), "parents are open");
}

TEST_F(StorePermit, BelievesTheEdgesEvenWhereTheCountSaysZero) {
  spoil("UPDATE job SET state = 'ready', open_parents = 0 WHERE id = 2");
  for (const JobState state :
       {JobState::ready, JobState::confirming, JobState::failed, JobState::cancelled}) {
    put(kCampaign, state);
    EXPECT_EQ(refusal(kGroup), "a parent has not succeeded") << name_of(state);
  }
}

TEST_F(StorePermit, RefusesACreationWhileAPostIsUnresolved) {
  request(kCampaign, "create", "finished_at = 6000, slot = 'unsure'");
  EXPECT_EQ(refusal(kCampaign), "a POST of it is unresolved");
  spoil("UPDATE request SET resolution = 'absent'");
  grant(kCampaign);
}

TEST_F(StorePermit, RefusesACreationWhileAnyRequestOfTheJobIsOpen) {
  request(kCampaign, "status");
  EXPECT_EQ(refusal(kCampaign), "a request of it is open");
}

TEST_F(StorePermit, RefusesAPayloadThatWasChangedBehindOurBack) {
  spoil("UPDATE job_payload SET body = '{\"id\":\"job1\",\"budget\":1e9}' WHERE job_id = 1");
  EXPECT_THAT(refusal(kCampaign), HasSubstr("payload was changed behind our back"));
  set_payload(kCampaign, "{\"id\":\"new\"}");  // with the hash that belongs to it
  EXPECT_EQ(grant(kCampaign).body, "{\"id\":\"new\"}");
}

// Found by dl-flips, seed 100925: a bit of an edge had turned over, and an ad was created in
// another ad group.
TEST_F(StorePermit, NothingIsCreatedBelowAnotherParentThanItsKeyNames) {
  succeed(kCampaign);
  succeed(kOther);
  start();
  spoil("UPDATE job_edge SET parent_id = 5 WHERE child_id = 2");
  EXPECT_THAT(refusal(kGroup), HasSubstr("its edge was changed behind our back"));
  spoil("UPDATE job_edge SET parent_id = 1 WHERE child_id = 2");
  grant(kGroup);
}

// A bit of it may turn over, and the id be another campaign's: what is created below it is paid for
// by that.
TEST_F(StorePermit, NothingIsCreatedBelowAnIdThatNobodyHasGiven) {
  succeed(kCampaign);
  start();
  spoil("UPDATE job SET dsp_id = 'dsp-9' WHERE id = 1");
  EXPECT_THAT(refusal(kGroup), HasSubstr("has given it dsp-9"));
  spoil("UPDATE job SET dsp_id = 'dsp-1' WHERE id = 1");
  EXPECT_EQ(grant(kGroup).body, "{\"id\":\"job2\"}|campaign=dsp-1");
}

TEST_F(StorePermit, TheIdOfAnArchivedParentIsBelieved) {
  succeed(kCampaign);
  sqlite3_db_config(stranger_->getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  ASSERT_EQ("", as_stranger("UPDATE request SET dsp_id = NULL WHERE job_id = 1"));  // it has moved
  start();
  EXPECT_THAT(refusal(kGroup), HasSubstr("has given it dsp-1"));
  spoil("UPDATE job SET archived_at = 1 WHERE id = 1");
  EXPECT_EQ(grant(kGroup).body, "{\"id\":\"job2\"}|campaign=dsp-1");
}

TEST_F(StorePermit, RefusesAJobWithoutPayload) {
  spoil("DELETE FROM job_payload WHERE job_id = 1");
  EXPECT_EQ(refusal(kCampaign), "it has no payload");
}

TEST_F(StorePermit, GivesOneRequestAJobAtATime) {
  WorkBatch twice;
  for (int i = 0; i < 2; ++i) twice.permits.push_back({JobId{kCampaign}, Purpose::create, 0, i});
  const WorkResult result = commit(twice);
  ASSERT_EQ(result.granted.size(), 1U);
  EXPECT_EQ(result.granted[0].tag, 0);
  ASSERT_EQ(result.refused.size(), 1U);
  EXPECT_EQ(result.refused[0].tag, 1);
  for (const Purpose purpose :
       {Purpose::create, Purpose::resubmit, Purpose::status, Purpose::lookup}) {
    EXPECT_EQ(refusal(kCampaign, purpose), "a request of it is open") << name_of(purpose);
  }
}

TEST_F(StorePermit, AsksForTheStatusOfAConfirmingJobAlone) {
  for (const JobState state :
       {JobState::blocked, JobState::ready, JobState::waiting, JobState::in_doubt,
        JobState::succeeded, JobState::failed, JobState::cancelled}) {
    put(kCampaign, state);
    EXPECT_EQ(refusal(kCampaign, Purpose::status), "it is not confirming any more")
        << name_of(state);
  }
  put(kCampaign, JobState::confirming, "due_at = 1");
  const Granted poll = grant(kCampaign, Purpose::status);
  EXPECT_EQ(poll.target, "/campaigns/dsp-1/status");
  EXPECT_EQ(poll.body, "");
  EXPECT_EQ(request_column(poll.request, "method"), "GET");
  EXPECT_EQ(request_column(poll.request, "idempotency_key"), "NULL");
  EXPECT_EQ(value("SELECT count(*) FROM request_body"), "0");
  EXPECT_EQ(job(kCampaign, "state || lease_token"),
            "confirming" + std::to_string(poll.request.value));
  EXPECT_EQ(job(kCampaign, "due_at"), "NULL") << "what is on the wire is not due";
}

TEST_F(StorePermit, LooksUpAndResubmitsADoubtThatIsNotHeld) {
  doubt(kCampaign);
  for (const Purpose purpose : {Purpose::resubmit, Purpose::lookup}) {
    EXPECT_EQ(refusal(kCampaign, purpose), "it is held");
    EXPECT_EQ(refusal(kOther, purpose), "it is not in doubt any more");
  }
}

TEST_F(StorePermit, TellsWhoseIdAPollAsksFor) {
  doubt(kCampaign);
  EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, dsp_id, who, why) "
                            "VALUES (1, 'exists', 'seen-in-the-page', 'maria', 'x')"));
  const Granted first = grant(kCampaign, Purpose::status);
  EXPECT_TRUE(first.declared_id) << "the very first answer may be \"failed\"";
  finish(undecided(first, 10));
  const Granted poll = grant(kCampaign, Purpose::status);
  EXPECT_EQ(poll.target, "/campaigns/seen-in-the-page/status");
  EXPECT_TRUE(poll.declared_id);
  confirm(kOther, "dsp-5");
  finish(undecided(grant(kOther, Purpose::status), 10));
  EXPECT_FALSE(grant(kOther, Purpose::status).declared_id) << "the DSP itself said so";
}

TEST_F(StorePermit, KnowsADeclaredIdAlsoWhereEveryPostWasRefused) {
  Outcome refusal = outcome_of(grant(kCampaign), JobEvent::refused_for_good);
  refusal.resolution = "refused";
  refusal.spends_attempt = true;
  finish(refusal);
  EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, dsp_id, who, why) "
                            "VALUES (1, 'exists', 'made-by-hand', 'maria', 'x')"));
  finish(undecided(grant(kCampaign, Purpose::status), 10));
  EXPECT_TRUE(grant(kCampaign, Purpose::status).declared_id) << "or it is asked for, for ever";
}

TEST_F(StorePermit, BelievesTheDspInAnIdThatAnOperatorDeclaredToo) {
  confirm(kCampaign, "dsp-1");
  EXPECT_EQ(
      "",
      as_stranger(
          "INSERT INTO operator_act (job_id, act, who, why) VALUES (1, 'cancel', 'maria', 'x')"));
  put(kCampaign, JobState::failed);
  EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, dsp_id, who, why) "
                            "VALUES (1, 'exists', 'dsp-1', 'maria', 'x')"));
  finish(undecided(grant(kCampaign, Purpose::status), 10));
  EXPECT_FALSE(grant(kCampaign, Purpose::status).declared_id) << "a known id is never in doubt";
}

TEST_F(StorePermit, GivesABatchsResultsInItsOrder) {
  add_job(20, JobKind::campaign, {});
  as_daemon("UPDATE job SET state = 'ready' WHERE id = 20");
  WorkBatch first;
  WorkBatch second;
  first.permits = {{JobId{kOther}, Purpose::create, 0, 1}, {JobId{kAd}, Purpose::create, 0, 2}};
  second.permits = {{JobId{20}, Purpose::create, 0, 3}, {JobId{kCampaign}, Purpose::create, 0, 4}};
  const WorkBatch batches[] = {first, second};
  const auto results = store_->commit(batches, now_);
  ASSERT_TRUE(results);
  ASSERT_EQ(results->size(), 2U);
  const auto tags = [](const std::vector<Granted>& granted) {
    std::vector<std::int64_t> all;
    for (const Granted& each : granted) all.push_back(each.tag);
    return all;
  };
  EXPECT_THAT(tags((*results)[0].granted), ElementsAre(1));
  ASSERT_EQ((*results)[0].refused.size(), 1U);
  EXPECT_EQ((*results)[0].refused[0].tag, 2);
  EXPECT_THAT(tags((*results)[1].granted), ElementsAre(3, 4));
}

}  // namespace
}  // namespace dl
