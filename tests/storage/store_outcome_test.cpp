// What the end of a request does to its job, and what it still does when the job was taken away.
#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;

class StoreOutcome : public StoreTest {
 protected:
  StoreOutcome() { start(); }
  std::string resolutions(int id) {
    return value(
        "SELECT group_concat(purpose || ' ' || coalesce(resolution, '?'), ', ') FROM "
        "(SELECT * FROM request WHERE job_id = " +
        std::to_string(id) + " ORDER BY id)");
  }
  std::string last_history(int id) {
    return value(
        "SELECT from_state || ' ' || event || ' ' || to_state || ' ' || h.attempt FROM job_history "
        "h "
        "JOIN job_rule r ON r.id = h.rule_id WHERE job_id = " +
        std::to_string(id) + " ORDER BY h.id DESC LIMIT 1");
  }
  void cancel(int id) {
    EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, who, why) VALUES (" +
                              std::to_string(id) + ", 'cancel', 'maria', 'x')"));
  }
};

TEST_F(StoreOutcome, AcceptedRecordsTheIdAndClosesTheLedgerRow) {
  const Granted post = grant(kCampaign);
  pass(3'000);
  Outcome outcome = accepted(post, "dsp-1");
  outcome.latency_us = 2'000'000;
  outcome.dsp_request_id = "req-9";
  const Applied applied = finish(outcome);
  EXPECT_TRUE(applied.matched);
  EXPECT_TRUE(applied.promoted.empty());
  EXPECT_EQ(value("SELECT state, dsp_id, lease_token, posted_at, due_at, tries, attempt FROM job "
                  "WHERE id = 1"),
            "confirming|dsp-1|NULL|" + std::to_string(now_.wall_ms - 2'000) + "|" +
                std::to_string(now_.wall_ms + 500) + "|0|1");
  EXPECT_EQ(value("SELECT finished_at, finished_boot_ms, finished_boot_key, slot, latency_us, "
                  "http_status, outcome,"
                  " dsp_id, dsp_request_id, error, resolution FROM request WHERE job_id = 1"),
            std::to_string(now_.wall_ms) + "|" + std::to_string(now_.boot_ms) +
                "|NULL|answered|2000000|201|accepted|dsp-1|req-9|NULL|accepted");
  EXPECT_EQ(last_history(kCampaign), "submitting accepted confirming 1");
  expect_consistent();
}

TEST_F(StoreOutcome, NotSentAndThrottledSpendNothing) {
  Outcome outcome = outcome_of(grant(kCampaign), JobEvent::not_sent);
  outcome.slot = SlotEnd::not_sent;
  outcome.http_status = 0;
  outcome.resolution = "not_sent";
  outcome.due_in_ms = 1'000;
  finish(outcome);
  EXPECT_EQ(value("SELECT state, attempt, tries, due_at FROM job WHERE id = 1"),
            "waiting|1|0|" + std::to_string(now_.wall_ms + 1'000));
  EXPECT_EQ(value("SELECT slot, http_status, resolution FROM request WHERE job_id = 1"),
            "not_sent|NULL|not_sent");
  make_due(kCampaign);
  outcome = outcome_of(grant(kCampaign), JobEvent::throttled);
  outcome.resolution = "refused";
  outcome.setbacks = 2;
  outcome.due_in_ms = 0;
  finish(outcome);
  EXPECT_EQ(value("SELECT state, attempt, tries, setbacks FROM job WHERE id = 1"), "waiting|1|0|2");
  make_due(kCampaign);
  const Granted again = grant(kCampaign);
  EXPECT_EQ(again.setbacks, 2);
  outcome = outcome_of(again, JobEvent::given_back);
  outcome.resolution = "not_sent";
  finish(outcome);
  EXPECT_EQ(state_of(kCampaign), "ready");
  EXPECT_EQ(value("SELECT count(DISTINCT idempotency_key) FROM request WHERE job_id = 1"), "1")
      << "one attempt, one key";
}

TEST_F(StoreOutcome, RefusedSpendsTheAttemptAndTheNextHasANewKey) {
  const Granted first = grant(kCampaign);
  finish(refused(first));
  EXPECT_EQ(value("SELECT state, attempt, tries, error, dsp_id FROM job WHERE id = 1"),
            "waiting|2|1|HTTP 412|NULL");
  EXPECT_EQ(last_history(kCampaign), "submitting refused waiting 1")
      << "the attempt that ended, not the next one";
  const std::vector<JobRef> ready = make_due(kCampaign);
  ASSERT_EQ(ready.size(), 1U);
  EXPECT_EQ(ready[0].id.value, kCampaign);
  EXPECT_EQ(last_history(kCampaign), "waiting due ready 2");
  const Granted second = grant(kCampaign);
  EXPECT_EQ(second.attempt, 2);
  EXPECT_EQ(second.tries, 1);
  EXPECT_NE(second.idempotency_key, first.idempotency_key);
  Outcome last = outcome_of(second, JobEvent::exhausted);
  last.resolution = "refused";
  last.spends_attempt = true;
  last.error = "HTTP 412";
  finish(last);
  EXPECT_EQ(value("SELECT state, attempt, tries, due_at FROM job WHERE id = 1"), "failed|3|2|NULL");
  expect_consistent();
}

TEST_F(StoreOutcome, OnlyAWaitingJobBecomesDue) {
  for (const int id : {kCampaign, kGroup, kHidden, 4'000}) EXPECT_TRUE(make_due(id).empty()) << id;
  finish(refused(grant(kCampaign)));
  cancel(kCampaign);
  EXPECT_TRUE(make_due(kCampaign).empty());
  expect_consistent();
}

TEST_F(StoreOutcome, UnsureLeavesThePostUnresolved) {
  const Granted post = doubt(kCampaign);
  EXPECT_EQ(value("SELECT state, lease_token, hold, error, due_at FROM job WHERE id = 1"),
            std::string("in_doubt|NULL|") + kHeldByPolicy + "|no answer|NULL");
  EXPECT_EQ(value("SELECT slot, http_status, resolution FROM request WHERE id = " +
                  std::to_string(post.request.value)),
            "unsure|NULL|NULL");
  EXPECT_EQ(resolutions(kCampaign), "create ?");
}

TEST_F(StoreOutcome, AnAcceptedResubmissionResolvesAllItsPosts) {
  policy_.unknown_outcome = UnknownOutcome::resubmit;
  doubt(kCampaign);
  start();
  Outcome again = unsure(grant(kCampaign, Purpose::resubmit));
  again.hold.reset();
  again.due_in_ms = 0;
  finish(again);
  Outcome unsent = outcome_of(grant(kCampaign, Purpose::resubmit), JobEvent::unknown);
  unsent.slot = SlotEnd::not_sent;
  unsent.resolution = "not_sent";
  finish(unsent);
  EXPECT_EQ(resolutions(kCampaign), "create ?, resubmit ?, resubmit not_sent")
      << "it proves nothing about the others";
  finish(accepted(grant(kCampaign, Purpose::resubmit), "dsp-1"));
  EXPECT_EQ(resolutions(kCampaign),
            "create accepted, resubmit accepted, resubmit not_sent, resubmit accepted");
  EXPECT_EQ(value("SELECT attempt, tries FROM job WHERE id = 1"), "1|0")
      << "one creation, however many requests";
}

TEST_F(StoreOutcome, ALookupResolvesTheDoubtEitherWay) {
  policy_.unknown_outcome = UnknownOutcome::lookup;
  start();
  for (const int id : {kCampaign, kOther}) {
    Outcome lost = unsure(grant(id));
    lost.hold.reset();
    lost.due_in_ms = policy_.settle_ms;
    finish(lost);
  }
  const Granted look = grant(kCampaign, Purpose::lookup);
  EXPECT_EQ(look.target, "/campaigns?external_id=" + look.idempotency_key);
  Outcome found = outcome_of(look, JobEvent::found);
  found.dsp_id = "found-1";
  found.resolution = "found";
  finish(found);
  EXPECT_EQ(value("SELECT state, dsp_id FROM job WHERE id = 1"), "confirming|found-1");
  EXPECT_EQ(resolutions(kCampaign), "create found, lookup ?")
      << "a lookup is no POST: it has nothing to resolve";

  Outcome nothing_yet = undecided(grant(kOther, Purpose::lookup), 30'000);
  finish(nothing_yet);
  EXPECT_EQ(value("SELECT state, looks, due_at FROM job WHERE id = 5"),
            "in_doubt|1|" + std::to_string(now_.wall_ms + 30'000));
  EXPECT_EQ(resolutions(kOther), "create ?, lookup ?");
  Outcome absent = outcome_of(grant(kOther, Purpose::lookup), JobEvent::absent);
  absent.resolution = "absent";
  finish(absent);
  EXPECT_EQ(value("SELECT state, attempt, tries, looks FROM job WHERE id = 5"), "ready|1|0|0");
  EXPECT_EQ(resolutions(kOther), "create absent, lookup ?, lookup ?");
  grant(kOther);
  EXPECT_EQ(value("SELECT count(DISTINCT idempotency_key) FROM request WHERE job_id = 5 AND "
                  "purpose = 'create'"),
            "1")
      << "same attempt, same key";
}

TEST_F(StoreOutcome, AFailedCreationKeepsItsIdInTheLedgerAndStartsANewAttempt) {
  const Granted first = confirm(kCampaign, "dead-1");
  Outcome failed = outcome_of(grant(kCampaign, Purpose::status), JobEvent::creation_failed);
  failed.spends_attempt = true;
  failed.due_in_ms = 2'000;
  failed.error = "creative rejected";
  finish(failed);
  EXPECT_EQ(value("SELECT state, dsp_id, attempt, tries, error FROM job WHERE id = 1"),
            "waiting|NULL|2|1|creative rejected");
  EXPECT_EQ(request_column(first.request, "dsp_id || ' ' || resolution"), "dead-1 accepted");
  make_due(kCampaign);
  const Granted second = grant(kCampaign);
  EXPECT_NE(second.idempotency_key, first.idempotency_key);
  finish(accepted(second, "alive-2"));
  Outcome gone = outcome_of(grant(kCampaign, Purpose::status), JobEvent::exhausted);
  gone.spends_attempt = true;
  finish(gone);
  EXPECT_EQ(value("SELECT state, dsp_id, attempt, tries FROM job WHERE id = 1"), "failed|NULL|3|2");
}

TEST_F(StoreOutcome, AnUndecidedPollChangesNoState) {
  confirm(kCampaign, "dsp-1");
  const std::string history = value("SELECT count(*) FROM job_history");
  const Granted poll = grant(kCampaign, Purpose::status);
  pass(1'000);
  Outcome outcome = undecided(poll, 7'000);
  outcome.overdue = true;
  outcome.latency_us = 400'000;
  EXPECT_TRUE(finish(outcome).matched);
  EXPECT_EQ(value("SELECT state, dsp_id, lease_token, looks, overdue, due_at, looked_at FROM job "
                  "WHERE id = 1"),
            "confirming|dsp-1|NULL|1|1|" + std::to_string(now_.wall_ms + 7'000) + "|" +
                std::to_string(now_.wall_ms - 400));
  EXPECT_EQ(history, value("SELECT count(*) FROM job_history"));
  EXPECT_EQ(request_column(poll.request, "resolution"), "NULL");
}

TEST_F(StoreOutcome, LateEvidenceCompletesTheLedgerAndReleasesTheLeaseOfACancelledJob) {
  confirm(kCampaign, "dsp-1");
  const Granted poll = grant(kCampaign, Purpose::status);
  cancel(kCampaign);
  const Applied applied = finish(outcome_of(poll, JobEvent::confirmed));
  EXPECT_FALSE(applied.matched);
  EXPECT_TRUE(applied.promoted.empty()) << "a job that did not succeed frees no child";
  EXPECT_EQ(value("SELECT state, dsp_id, lease_token FROM job WHERE id = 1"),
            "cancelled|dsp-1|NULL");
  EXPECT_EQ(request_column(poll.request, "slot || ' ' || outcome"), "answered confirmed");
  EXPECT_EQ(job(kGroup, "open_parents"), "1");
  expect_consistent();
}

TEST_F(StoreOutcome, LateEvidenceOfAFoundEntityStaysInTheLedger) {
  policy_.unknown_outcome = UnknownOutcome::lookup;
  start();
  Outcome lost = unsure(grant(kCampaign));
  lost.hold.reset();
  finish(lost);
  const Granted look = grant(kCampaign, Purpose::lookup);
  cancel(kCampaign);
  Outcome found = outcome_of(look, JobEvent::found);
  found.dsp_id = "found-1";
  found.resolution = "found";
  EXPECT_FALSE(finish(found).matched);
  EXPECT_EQ(request_column(look.request, "dsp_id"), "found-1");
  EXPECT_EQ(resolutions(kCampaign), "create ?, lookup ?")
      << "so that a retry leads to in_doubt, never to a second POST";
}

TEST_F(StoreOutcome, AWrongTokenMovesNothing) {
  confirm(kCampaign, "dsp-1");
  const Granted poll = grant(kCampaign, Purpose::status);
  as_daemon("UPDATE job SET lease_token = 999 WHERE id = 1");  // somebody else's by now
  EXPECT_FALSE(finish(outcome_of(poll, JobEvent::confirmed)).matched);
  EXPECT_EQ(value("SELECT state, lease_token FROM job WHERE id = 1"), "confirming|999")
      << "a lease ends by its owner alone";
  EXPECT_EQ(request_column(poll.request, "slot"), "answered");
  expect_consistent();
}

TEST_F(StoreOutcome, IsWrittenOnce) {
  const Granted post = doubt(kCampaign);
  const std::vector<std::string> before = everything();
  EXPECT_FALSE(finish(accepted(post, "too-late")).matched);
  EXPECT_EQ(before, everything());
}

TEST_F(StoreOutcome, ClosesTheSlotAsItWasTold) {
  const std::pair<int, SlotEnd> ends[] = {{kCampaign, SlotEnd::unsure},
                                          {kOther, SlotEnd::answered}};
  for (const auto& [id, end] : ends) {
    Outcome outcome = unsure(grant(id));
    outcome.slot = end;
    finish(outcome);
    EXPECT_EQ(value("SELECT slot FROM request WHERE job_id = " + std::to_string(id)), name_of(end));
  }
}

}  // namespace
}  // namespace dl
