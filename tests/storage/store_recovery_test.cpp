// A new owner takes over: what the dead one left open, what its policy means for old doubts, and
// what it keeps of the account.
#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;

class StoreRecovery : public StoreTest {
 protected:
  Recovery restart(UnknownOutcome what) {
    policy_.unknown_outcome = what;
    return start();
  }
  std::string in(Millis span) const { return std::to_string(now_.wall_ms + span); }
};

TEST_F(StoreRecovery, RegistersTheInstanceWithItsFactsAndSettings) {
  facts_.lock_device = 5;
  facts_.lock_inode = 6;
  policy_.endpoint = "http://127.0.0.1:1";
  policy_.tiers = {{10, 1'000}, {40, 60'000}};
  policy_.settle_ms = 7'000;
  policy_.max_retries = 9;
  const Recovery recovery = start();
  EXPECT_EQ(recovery.reclaimed, 0);
  EXPECT_EQ(value("SELECT uuid, pid, host, version, boot_key, machine_id, lock_device, lock_inode, "
                  "started_at,"
                  " started_boot_ms, stopped_at FROM instance ORDER BY id DESC LIMIT 1"),
            facts_.uuid + "|4711|host|test|boot-a|machine|5|6|" + std::to_string(now_.wall_ms) +
                "|" + std::to_string(now_.boot_ms) + "|NULL");
  EXPECT_EQ(value("SELECT endpoint, rate_limit, limit_count, limit_window_ms, max_retries, "
                  "unknown_outcome, settle_ms FROM account"),
            "http://127.0.0.1:1|10/1s,40/60s|40|60000|9|hold|7000")
      << "the slowest tier makes the ETA";
  policy_.tiers.clear();
  start();
  EXPECT_EQ(value("SELECT rate_limit, limit_count, limit_window_ms FROM account"),
            "none|NULL|NULL");
}

TEST_F(StoreRecovery, PutsAnOpenPostInDoubtByPolicy) {
  const std::tuple<UnknownOutcome, int, std::string, std::string> cases[] = {
      {UnknownOutcome::hold, kCampaign, kHeldByPolicy, "NULL"},
      {UnknownOutcome::resubmit, kOther, "NULL", std::to_string(kWallStart + 5'000 + 1'000)},
  };
  for (const auto& [what, id, hold, due_at] : cases) {
    now_ = {kBootStart, kWallStart};
    restart(what);
    const Granted post = grant(id);
    pass(5'000);
    const Recovery recovery = start();
    EXPECT_EQ(recovery.reclaimed, 1);
    EXPECT_EQ(value("SELECT state, lease_token, hold, due_at, attempt, tries FROM job WHERE id = " +
                    std::to_string(id)),
              "in_doubt|NULL|" + hold + "|" + due_at + "|1|0");
    EXPECT_EQ(request_column(post.request,
                             "outcome || '|' || slot || '|' || finished_at || '|' || "
                             "finished_boot_ms || '|' || finished_boot_key"),
              "owner_lost|unsure|" + std::to_string(now_.wall_ms) + "|" +
                  std::to_string(now_.boot_ms) + "|boot-a");
    EXPECT_EQ(request_column(post.request, "resolution"), "NULL");
    EXPECT_EQ(value("SELECT rule_id, request_id FROM job_history ORDER BY id DESC LIMIT 1"),
              "12|" + std::to_string(post.request.value));
    expect_consistent();
    EXPECT_EQ(start().reclaimed, 0) << "once";
  }
}

TEST_F(StoreRecovery, LetsALookupWaitForTheSettleTime) {
  restart(UnknownOutcome::lookup);
  grant(kCampaign);
  pass(5'000);
  start();
  EXPECT_EQ(value("SELECT state, hold, due_at FROM job WHERE id = 1"),
            "in_doubt|NULL|" + in(policy_.settle_ms));
  EXPECT_EQ(timed(kCampaign).due_in_ms, policy_.settle_ms);
}

TEST_F(StoreRecovery, PutsAnOpenResubmissionBackInDoubt) {
  restart(UnknownOutcome::resubmit);
  const Granted first = grant(kCampaign);
  start();
  pass(2'000);
  grant(kCampaign, Purpose::resubmit);
  EXPECT_EQ(start().reclaimed, 1);
  EXPECT_EQ(state_of(kCampaign), "in_doubt");
  EXPECT_EQ(grant(kCampaign, Purpose::resubmit).idempotency_key, first.idempotency_key);
  expect_consistent();
}

TEST_F(StoreRecovery, MakesPollsAndLookupsDueAtOnce) {
  restart(UnknownOutcome::lookup);
  confirm(kCampaign, "dsp-1");
  grant(kCampaign, Purpose::status);
  grant(kOther);
  start();
  pass(policy_.settle_ms);
  grant(kOther, Purpose::lookup);
  const std::string history = value("SELECT count(*) FROM job_history");
  const Recovery recovery = start();
  EXPECT_EQ(recovery.reclaimed, 1);
  EXPECT_EQ(value("SELECT state, dsp_id, lease_token FROM job WHERE id = 1"),
            "confirming|dsp-1|NULL");
  EXPECT_EQ(value("SELECT state, lease_token, due_at FROM job WHERE id = 5"),
            "in_doubt|NULL|" + in(0));
  EXPECT_EQ(history, value("SELECT count(*) FROM job_history")) << "no state has changed";
  EXPECT_EQ(timed(kCampaign).due_in_ms, 0);
  EXPECT_EQ(value("SELECT count(*) FROM request WHERE finished_at IS NULL"), "0");
}

TEST_F(StoreRecovery, ClosesTheOpenPollOfACancelledJob) {
  start();
  confirm(kCampaign, "dsp-1");
  grant(kCampaign, Purpose::status);
  EXPECT_EQ(
      "",
      as_stranger(
          "INSERT INTO operator_act (job_id, act, who, why) VALUES (1, 'cancel', 'maria', 'x')"));
  EXPECT_EQ(start().reclaimed, 1);
  EXPECT_EQ(value("SELECT state, lease_token FROM job WHERE id = 1"), "cancelled|NULL");
}

TEST_F(StoreRecovery, LetsTheDeadOwnerChangeNothingAfterwards) {
  start();
  const Granted post = grant(kCampaign);
  confirm(kOther, "dsp-5");
  const Granted poll = grant(kOther, Purpose::status);
  const std::unique_ptr<Store> dead = std::move(store_);
  start();
  const std::vector<std::string> before = everything();
  WorkBatch late;
  late.outcomes = {accepted(post, "dsp-1"), outcome_of(poll, JobEvent::confirmed)};
  EXPECT_FALSE(dead->commit(std::span(&late, 1), now_));
  EXPECT_EQ(before, everything());
  EXPECT_EQ(state_of(kCampaign), "in_doubt");
}

TEST_F(StoreRecovery, LeavesTheNewOwnersLeaseToTheNewOwner) {
  start();
  confirm(kOther, "dsp-5");
  const Granted old_poll = grant(kOther, Purpose::status);
  const std::unique_ptr<Store> dead = std::move(store_);
  start();
  const Granted poll = grant(kOther, Purpose::status);
  EXPECT_GT(poll.request.value, old_poll.request.value) << "the token grows";
  WorkBatch late;
  late.outcomes = {outcome_of(old_poll, JobEvent::creation_failed)};
  EXPECT_FALSE(dead->commit(std::span(&late, 1), now_));
  EXPECT_EQ(job(kOther, "state || lease_token"), "confirming" + std::to_string(poll.request.value));
  EXPECT_TRUE(finish(outcome_of(poll, JobEvent::confirmed)).matched);
}

// A lock that was removed lets a second daemon take over while the first one lives. From then on
// the tables are the second one's: what the first had on the wire is closed already, and nothing
// that it permitted now would ever be.
TEST_F(StoreRecovery, FencesOffAnOwnerThatLives) {
  restart(UnknownOutcome::lookup);
  const Granted post = grant(kOther);
  const std::unique_ptr<Store> first = std::move(store_);
  facts_.pid = 4712;
  start();
  const std::vector<std::string> before = everything();
  WorkBatch late;
  late.outcomes = {accepted(post, "dsp-6")};
  WorkBatch next;
  next.permits = {{JobId{kCampaign}, Purpose::create, 0, 1}};
  Inquiry inquiry;
  inquiry.job = JobId{kOther};
  inquiry.key = "key";
  const Result<Granted> asked = first->permit_inquiry(inquiry, now_);
  std::vector<Error> errors;
  for (const WorkBatch& batch : {late, next, WorkBatch{}}) {
    const auto results = first->commit(std::span(&batch, 1), now_);
    ASSERT_FALSE(results);
    errors.push_back(results.error());
  }
  ASSERT_FALSE(asked);
  errors.push_back(asked.error());
  for (const Status& status : {first->save_eta(0, "soon"), first->stop(now_)}) {
    ASSERT_FALSE(status);
    errors.push_back(status.error());
  }
  for (const Error& error : errors) {
    EXPECT_EQ(error.code, Errc::busy);
    EXPECT_EQ(error.sqlite_code, 0) << "it does not pass by itself";
    EXPECT_THAT(error.message,
                ::testing::HasSubstr("another dl-daemon (process 4712 on host) has taken over"));
  }
  EXPECT_EQ(before, everything());
  EXPECT_EQ(grant(kCampaign).attempt, 1) << "the second one goes on";
}

class PolicyChange : public StoreRecovery {
 protected:
  // Two doubts: one that only waits by policy, and one that an operator must look at whatever the
  // policy.
  PolicyChange() {
    restart(UnknownOutcome::hold);
    doubt(kCampaign);
    Outcome two = unsure(grant(kOther));
    two.hold = "the DSP has 2 entities under our key";
    finish(two);
  }
  std::string doubts() {
    return value(
        "SELECT group_concat(coalesce(hold, 'free') || ' ' || coalesce(due_at, '-'), '; ') FROM "
        "(SELECT * FROM job WHERE state = 'in_doubt' ORDER BY id)");
  }
};

TEST_F(PolicyChange, FreesWhatWasOnlyHeldByPolicy) {
  const std::string operators = "; the DSP has 2 entities under our key -";
  pass(60'000);
  restart(UnknownOutcome::resubmit);
  EXPECT_EQ(doubts(), "free " + in(1'000) + operators);
  restart(UnknownOutcome::hold);
  EXPECT_EQ(doubts(), std::string(kHeldByPolicy) + " -" + operators);
  restart(UnknownOutcome::lookup);
  EXPECT_EQ(doubts(), "free " + in(policy_.settle_ms) + operators);
  restart(UnknownOutcome::hold);
  EXPECT_EQ(doubts(), std::string(kHeldByPolicy) + " -" + operators);
}

TEST_F(PolicyChange, KeepsTheTimesOfDoubtsThatResolveThemselves) {
  restart(UnknownOutcome::resubmit);
  const std::string before = doubts();
  pass(500);
  start();
  EXPECT_EQ(before, doubts());
}

}  // namespace
}  // namespace dl
