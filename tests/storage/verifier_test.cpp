// What --verify sees: nothing where all is well, and every kind of damage where it was done.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "storage/verifier.h"
#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class VerifierTest : public StoreTest {
 protected:
  VerifierTest() { start(); }
  std::vector<std::string> findings() {
    std::vector<std::string> all;
    const auto verified = verify(*database_, [&all](const Finding& finding) {
      all.push_back(std::string(name_of(finding.kind)) + " " + std::to_string(finding.job_id) +
                    ": " + finding.what);
    });
    EXPECT_TRUE(verified) << verified.error().message;
    return all;
  }
};

TEST_F(VerifierTest, FindsNothingWhereAllIsWell) {
  succeed(kCampaign);
  confirm(kGroup, "dsp-2");
  finish(refused(grant(kOther)));
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(VerifierTest, ListsWhatIsInDoubt) {
  doubt(kCampaign);
  EXPECT_THAT(findings(), ElementsAre(HasSubstr("in doubt 1: no proof either way")));
}

// An operator's word, which a late request may still contradict: without a lookup nobody else would
// say that it is open.
TEST_F(VerifierTest, ListsWhatWasDeclaredAbsentUntilItHasSettled) {
  doubt(kCampaign);
  ASSERT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, who, why) VALUES (1, 'absent', "
                            "'maria', 'not there')"));
  EXPECT_THAT(findings(),
              ElementsAre(HasSubstr("in doubt 1: declared absent, and not settled yet")));
  pass(policy_.settle_ms);
  make_due(kCampaign);
  EXPECT_THAT(findings(), IsEmpty());
  finish(refused(grant(kCampaign)));
  EXPECT_EQ(state_of(kCampaign), "waiting");
  EXPECT_THAT(findings(), IsEmpty()) << "it waits for a retry, and is no doubt";
}

TEST_F(VerifierTest, KnowsAFirstLookThatWaitsForItsPost) {
  const Granted post = grant(kCampaign);
  as_daemon(
      "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, sent_at, "
      "sent_boot_ms) "
      "VALUES (1, 1, 'status', 'GET', '/campaigns/{id}/status', 1, 0, 1, 1)");
  EXPECT_THAT(findings(), IsEmpty());
  finish(accepted(post, "dsp-1"));
  EXPECT_THAT(
      findings(),
      ElementsAre(HasSubstr("broken 1: request 2 is open, and its job is not leased by it")));
}

// What was sent before there were digests has none.
TEST_F(VerifierTest, BelievesABodyThatIsOlderThanTheDigests) {
  confirm(kCampaign, "dsp-1");
  sqlite3_db_config(stranger_->getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  ASSERT_EQ("", as_stranger("UPDATE request_body SET digest = NULL"));
  EXPECT_THAT(findings(), IsEmpty());
}

// A job that was tried under a more generous setting has not had more than it was allowed.
TEST_F(VerifierTest, KnowsTheMostRetriesThatWereEverAllowed) {
  policy_.max_retries = 6;
  start();
  as_daemon("UPDATE job SET tries = 7 WHERE id = 5");
  policy_.max_retries = 0;
  start();
  EXPECT_THAT(findings(), IsEmpty());
  as_daemon("UPDATE job SET tries = 8 WHERE id = 5");
  EXPECT_THAT(findings(),
              ElementsAre(HasSubstr(
                  "broken 5: has spent 8 attempts, and no max_retries ever allowed more than 7")));
}

// The next attempt's key is another.
TEST_F(VerifierTest, FindsNothingWhereARefusedAttemptIsFollowedByAnother) {
  finish(refused(grant(kCampaign)));
  make_due(kCampaign);
  confirm(kCampaign, "dsp-1");
  Outcome failed = outcome_of(grant(kCampaign, Purpose::status), JobEvent::creation_failed);
  failed.spends_attempt = true;
  failed.due_in_ms = 0;
  finish(failed);
  make_due(kCampaign);
  grant(kCampaign);
  EXPECT_THAT(findings(), IsEmpty());
}

// A parent that has succeeded by now had not yet when its child was sent.
TEST_F(VerifierTest, KnowsTheOrderFromTheHistory) {
  succeed(kCampaign);
  confirm(kGroup, "dsp-2");
  EXPECT_THAT(findings(), IsEmpty());
  sqlite3_db_config(stranger_->getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  ASSERT_EQ("", as_stranger("UPDATE job_history SET id = id + 1000 WHERE job_id = 1 AND id = "
                            "(SELECT max(id) FROM job_history WHERE job_id = 1)"));
  EXPECT_THAT(findings(), ElementsAre(HasSubstr("broken 2: was sent before its parent c1 had "
                                                "succeeded, as the history has it")));
}

struct Damage {
  const char* sql;
  const char* finding;
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.sql; }

class VerifierDamage : public VerifierTest, public ::testing::WithParamInterface<Damage> {};

// No guard would let it through: a stray program with the triggers off.
TEST_P(VerifierDamage, IsFound) {
  confirm(kCampaign, "dsp-1");
  sqlite3_db_config(stranger_->getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  ASSERT_EQ(
      "",
      as_stranger(std::string("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; ") +
                  GetParam().sql));
  EXPECT_THAT(findings(), Contains(HasSubstr(GetParam().finding)));
}

INSTANTIATE_TEST_SUITE_P(
    Every, VerifierDamage,
    ::testing::Values(
        Damage{"UPDATE job SET state = 'failed' WHERE id = 1",
               "broken 1: is failed, but its history ends in confirming"},
        Damage{"DELETE FROM job_history WHERE job_id = 1 AND rule_id = 2", "broken 1: line"},
        Damage{"UPDATE job SET open_parents = 7 WHERE id = 3",
               "broken 3: open_parents is 7, by the edges it is 1"},
        Damage{"UPDATE job_count SET n = n + 1 WHERE state = 'confirming'", "is 1 too high"},
        Damage{"UPDATE job_payload SET body = '{}' WHERE job_id = 4",
               "broken 4: its payload is not what was loaded"},
        Damage{"DELETE FROM job_payload WHERE job_id = 4", "broken 4: it has no payload"},
        Damage{"UPDATE request_body SET body = '{}' WHERE request_id = 1",
               "broken 1: the stored bytes of request 1 are not what it has sent"},
        Damage{"UPDATE request_body SET digest = digest + 1",
               "broken 1: the stored bytes of request 1 are not what it has sent"},
        Damage{"DELETE FROM request_body WHERE request_id = 1",
               "broken 1: the bytes that request 1 has sent are gone"},
        Damage{"UPDATE job_edge SET parent_id = 5 WHERE child_id = 2",
               "broken 2: none of its parents is the one that its key names"},
        Damage{"UPDATE job SET dsp_id = 'x' WHERE id = 1",
               "broken 1: has the id x, which neither the ledger"},
        Damage{"UPDATE request SET idempotency_key = 'k' WHERE id = 1",
               "sent under a key that is not its attempt's"},
        Damage{"UPDATE job SET lease_token = 99 WHERE id = 1", "broken 1: is leased by request 99"},
        Damage{"UPDATE request SET finished_at = NULL, slot = NULL WHERE id = 1",
               "broken 1: request 1 is open"},
        Damage{"UPDATE request SET resolution = NULL WHERE id = 1",
               "broken 1: is confirming with an unresolved POST"},
        Damage{"UPDATE job SET open_parents = 0 WHERE id = 3",
               "broken 3: is blocked, although no parent is open"},
        Damage{"UPDATE job SET tries = 5 WHERE id = 1",
               "broken 1: has spent 5 attempts, and no max_retries ever allowed more than 4"},
        Damage{"UPDATE job SET state = 'in_doubt' WHERE id = 1",
               "broken 1: is in_doubt and not held, but no POST of it is unresolved"},
        Damage{"UPDATE job SET state = 'ready' WHERE id = 6",
               "broken 6: is ready, but its batch 2 is still loading"},
        Damage{"INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, "
               "sent_at, sent_boot_ms, "
               "finished_at, slot, outcome) VALUES (1, 1, 'status', 'GET', '/', 1, 0, 1, 1, 2, "
               "'answered', 'creation_failed'), "
               "(1, 1, 'create', 'POST', '/', 1, 0, 1, 1, NULL, NULL, NULL)",
               "broken 1: request 3 was sent under the key of attempt 1, which request 2 had shown "
               "to be over (creation_failed)"},
        Damage{"UPDATE request SET outcome = 'refused'; "
               "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, "
               "sent_at, sent_boot_ms) "
               "VALUES (1, 1, 'resubmit', 'POST', '/', 1, 0, 1, 1)",
               "broken 1: request 2 was sent under the key of attempt 1, which request 1 had shown "
               "to be over (refused)"},
        Damage{"INSERT INTO job_edge VALUES (999, 3)", "broken 3: has an edge to job 999"},
        Damage{"INSERT INTO job_edge VALUES (3, 2)",
               "broken 2: has an edge to job 3, which does not exist or is not above"},
        Damage{"INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, "
               "sent_at, sent_boot_ms, "
               "finished_at, slot, resolution) VALUES (3, 1, 'create', 'POST', '/ads', 1, 0, 1, 1, "
               "2, 'answered', 'refused')",
               "broken 3: was sent before its parent"},
        Damage{"INSERT INTO request (job_id, attempt, purpose, method, path, idempotency_key, "
               "instance_id, "
               "worker, sent_at, sent_boot_ms, finished_at, slot, dsp_id, resolution) "
               "SELECT 1, 1, 'resubmit', 'POST', '/', idempotency_key, 1, 0, 1, 1, 2, 'answered', "
               "'dsp-2', 'accepted' FROM request WHERE id = 1",
               "broken 1: attempt 1 was answered with the ids dsp-1,dsp-2 (promise 1)"},
        Damage{"INSERT INTO request (job_id, attempt, purpose, method, path, idempotency_key, "
               "instance_id, "
               "worker, sent_at, sent_boot_ms, finished_at, slot, dsp_id, resolution) "
               "SELECT 5, 1, 'create', 'POST', '/', idempotency_key, 1, 0, 1, 1, 2, 'answered', "
               "NULL, 'refused' FROM request WHERE id = 1",
               "was sent for 2 attempts and with 1 bodies (promise 2)"},
        Damage{"INSERT INTO request (job_id, attempt, purpose, method, path, idempotency_key, "
               "instance_id, "
               "worker, sent_at, sent_boot_ms, finished_at, slot, dsp_id, resolution) "
               "VALUES (5, 1, 'create', 'POST', '/', 'a', 1, 0, 1, 1, 2, 'unsure', NULL, NULL), "
               "(5, 2, 'create', 'POST', '/', 'b', 1, 0, 1, 1, 2, 'unsure', NULL, NULL)",
               "broken 5: 2 creations of it are unresolved at once (promise 11)"},
        Damage{"INSERT INTO request (job_id, attempt, purpose, method, path, idempotency_key, "
               "instance_id, "
               "worker, sent_at, sent_boot_ms, finished_at, slot, dsp_id, resolution) "
               "SELECT 1, 1, 'resubmit', 'POST', '/', idempotency_key, 1, 0, 1, 1, 2, 'unsure', "
               "NULL, 'accepted' FROM request WHERE id = 1",
               "broken 1: request 2 resubmitted other bytes or another key than its attempt"},
        Damage{"DROP TRIGGER guard_job_update", "the schema was changed: trigger guard_job_update"},
        Damage{"INSERT INTO batch_row (batch_id, row, line, job_id) VALUES (77, 1, 2, 3)",
               "a row of batch_row refers to one of batch that does not exist"},
        Damage{"INSERT INTO operator_act (job_id, act, who, why) VALUES (5, 'cancel', 'x', 'y')",
               "broken 5: act 1 (cancel by x) was inserted, but not applied"}));

}  // namespace
}  // namespace dl
