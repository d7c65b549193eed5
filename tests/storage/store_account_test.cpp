// What the account keeps over a restart, and that a person's pause is the person's.
#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;

class StoreAccount : public StoreTest {
 protected:
  StoreAccount() { start(); }
  void act(const std::string& what, const std::string& who = "maria") {
    EXPECT_EQ("", as_stranger("INSERT INTO operator_act (act, who, why) VALUES ('" + what + "', '" +
                              who + "', 'lunch')"));
  }
  void save(const AccountState& account) {
    WorkBatch batch;
    batch.account = account;
    commit(batch);
  }
  static AccountState paused_by_daemon() {
    AccountState account;
    account.paused_by = "daemon";
    account.paused_reason = "HTTP 401";
    account.writes_pause = true;
    return account;
  }
  static AccountState resumed_by_daemon() {
    AccountState account;
    account.writes_pause = true;
    return account;
  }
  std::string paused() { return value("SELECT paused_by, paused_reason, paused_at FROM account"); }
};

TEST_F(StoreAccount, ComesBackAsItWasSaved) {
  AccountState account = paused_by_daemon();
  account.refusals = 4;
  account.cap = 17;
  account.ceiling = 23;
  account.gate_boot_ms = now_.boot_ms + 30'000;
  account.gate_wall_ms = now_.wall_ms + 30'000;
  save(account);
  pass(1'000);
  for (const AccountState& back : {load().account, start().account}) {
    EXPECT_EQ(back.paused_by, "daemon");
    EXPECT_EQ(back.paused_reason, "HTTP 401");
    EXPECT_EQ(back.refusals, 4);
    EXPECT_EQ(back.cap, 17);
    EXPECT_EQ(back.ceiling, 23);
    EXPECT_EQ(back.gate_boot_ms, account.gate_boot_ms);
    EXPECT_EQ(back.gate_wall_ms, account.gate_wall_ms);
  }
  save(resumed_by_daemon());
  const AccountState open = load().account;
  EXPECT_FALSE(open.paused_by || open.cap || open.ceiling);
  EXPECT_EQ(open.gate_boot_ms, 0);
  EXPECT_EQ(paused(), "NULL|NULL|NULL");
}

TEST_F(StoreAccount, OpensAGateThatHasPassed) {
  AccountState account;
  account.gate_boot_ms = now_.boot_ms + 30'000;
  account.gate_wall_ms = now_.wall_ms + 30'000;
  save(account);
  pass(30'000);
  EXPECT_EQ(start().account.gate_boot_ms, 0);
}

TEST_F(StoreAccount, CarriesAGateIntoAnotherBootByTheWallClockAndNeverForLong) {
  AccountState account;
  account.gate_boot_ms = now_.boot_ms + 30'000;
  account.gate_wall_ms = now_.wall_ms + 30'000;
  save(account);
  facts_.boot_key = "boot-b";
  now_ = {500, kWallStart + 10'000};
  EXPECT_EQ(start().account.gate_boot_ms, 500 + 20'000);
  now_.wall_ms = kWallStart - 30 * 86'400'000LL;
  EXPECT_EQ(start().account.gate_boot_ms, 500 + 3'600'000)
      << "the wall clock stepped back by a month";
  now_.wall_ms = kWallStart + 30'000;
  EXPECT_EQ(start().account.gate_boot_ms, 0);
}

TEST_F(StoreAccount, KeepsTheTimeItsPauseBegan) {
  save(paused_by_daemon());
  const std::string began = paused();
  pass(9'000);
  save(paused_by_daemon());
  EXPECT_EQ(began, paused());
}

TEST_F(StoreAccount, LeavesAPersonsPauseToThePerson) {
  act("pause");
  const std::string before = paused();
  AccountState account = paused_by_daemon();
  account.refusals = 4;
  save(account);
  EXPECT_EQ(before, paused()) << "the daemon's own pause does not take its place";
  EXPECT_EQ(value("SELECT refusals FROM account"), "4") << "what was learned is kept all the same";
  save(resumed_by_daemon());
  EXPECT_EQ(before, paused()) << "and the daemon, who had not noticed it yet, does not end it";
  EXPECT_EQ(start().account.paused_by, "maria") << "nor does a restart";
}

TEST_F(StoreAccount, DoesNotBringBackAPauseThatThePersonEnded) {
  act("pause");
  AccountState seen = load().account;
  act("resume");
  seen.refusals = 2;
  save(seen);  // the daemon had not noticed the resume yet
  EXPECT_EQ(paused(), "NULL|NULL|NULL");
  EXPECT_EQ(value("SELECT refusals FROM account"), "2");
}

// A resume is committed while the daemon, who has not heard of it yet, saves what it learned of the
// limit.
TEST_F(StoreAccount, DoesNotBringBackItsOwnPauseThatAPersonEnded) {
  save(paused_by_daemon());
  act("resume");
  AccountState seen = paused_by_daemon();
  seen.writes_pause = false;
  seen.refusals = 2;
  save(seen);
  EXPECT_EQ(paused(), "NULL|NULL|NULL");
  EXPECT_EQ(value("SELECT refusals FROM account"), "2");
}

class AnotherEndpoint : public StoreAccount {
 protected:
  AnotherEndpoint() { start_with("https://dsp.example/v1"); }
  AccountState start_with(const std::string& endpoint) {
    policy_.endpoint = endpoint;
    return start().account;
  }
  std::string recorded() { return value("SELECT endpoint FROM account"); }
};

// Three absences at a stranger's and a POST there: a duplicate (seen, with a lookup), and children
// below a stranger's ids.
TEST_F(AnotherEndpoint, PausesUntilAnOperatorResumes) {
  doubt(kCampaign);
  for (int i = 0; i < 2; ++i) {
    const AccountState held = start_with("https://other.example/v1");
    EXPECT_EQ(held.paused_by, "endpoint check") << "over restarts";
    EXPECT_THAT(
        held.paused_reason,
        ::testing::HasSubstr(
            "belong to https://dsp.example/v1, and the endpoint is now https://other.example/v1"));
    EXPECT_THAT(refusal(kOther), ::testing::HasSubstr("belong to https://dsp.example/v1"))
        << "whoever asks";
    EXPECT_EQ(recorded(), "https://dsp.example/v1");
  }
  act("resume");
  grant(kOther);
  EXPECT_EQ(recorded(), "https://other.example/v1");
  EXPECT_FALSE(start_with("https://other.example/v1").paused_by);
  EXPECT_EQ(start_with("https://dsp.example/v1").paused_by, "endpoint check") << "nor back";
}

TEST_F(AnotherEndpoint, MattersNotWhereNothingIsKnownToBeThere) {
  Outcome outcome = refused(grant(kCampaign));
  outcome.resolution = "refused";
  finish(outcome);
  EXPECT_FALSE(start_with("https://other.example/v1").paused_by);
  EXPECT_EQ(recorded(), "https://other.example/v1");
}

TEST_F(AnotherEndpoint, IsNotTheSameInOtherLetters) {
  confirm(kCampaign, "x1");
  EXPECT_FALSE(start_with("HTTPS://DSP.Example/v1").paused_by);
  EXPECT_EQ(start_with("https://dsp.example/V1").paused_by, "endpoint check")
      << "a path has its case";
  EXPECT_FALSE(start_with("https://dsp.example/v1").paused_by)
      << "the former one again: nothing was sent meanwhile";
}

// A resume that is meant for a person's own pause released the check (seen: sent to another DSP).
TEST_F(AnotherEndpoint, StandsBeforeAPersonsPauseAndLeavesItToThePerson) {
  confirm(kCampaign, "x1");
  act("pause");
  const std::string hers = paused();
  for (int i = 0; i < 2; ++i) start_with("https://other.example/v1");
  const AccountState held = load().account;
  EXPECT_EQ(held.paused_by, "endpoint check");
  EXPECT_THAT(
      held.paused_reason,
      ::testing::MatchesRegex("the ids [^;]*; start with [^;]*; also paused by maria: lunch"));
  start_with("https://dsp.example/v1");
  EXPECT_EQ(paused(), hers);
  act("resume");
  EXPECT_FALSE(load().account.paused_by);
}

TEST_F(AnotherEndpoint, IsNotReleasedByAPauseThatComesLater) {
  confirm(kCampaign, "x1");
  const std::string words = start_with("https://other.example/v1").paused_reason;
  const std::string since = value("SELECT paused_at FROM account");
  for (int i = 0; i < 2; ++i) act("pause");
  EXPECT_EQ(paused(), "endpoint check|" + words + "; also paused by maria: lunch|" + since);
  act("pause", "jo");
  EXPECT_THAT(start_with("https://other.example/v1").paused_reason,
              ::testing::EndsWith("; also paused by jo: lunch"));
  EXPECT_EQ(start_with("https://dsp.example/v1").paused_by, "jo") << "the last, as ever";
  start_with("https://other.example/v1");
  act("resume");
  EXPECT_EQ(load().account.paused_by, "endpoint check") << "it was meant for her own pause";
  EXPECT_THAT(load().account.paused_reason, ::testing::Not(::testing::HasSubstr("also paused")));
  act("resume");
  EXPECT_EQ(paused(), "NULL|NULL|NULL");
  start_with("https://other.example/v1");
  EXPECT_FALSE(start_with("https://dsp.example/v1").paused_by) << "her pause does not come back";
}

// Seen: a wrong endpoint paused first, so the hold was skipped; the right one ended that pause, and
// all was sent.
TEST_F(AnotherEndpoint, DoesNotTakeAHoldWithItWhenItEnds) {
  confirm(kCampaign, "x1");
  start_with("https://other.example/v1");
  policy_.starts_on_hold = true;
  EXPECT_EQ(start_with("https://dsp.example/v1").paused_by, "--hold");
  for (int i = 0; i < 2; ++i) {
    const AccountState both = start_with("https://other.example/v1");
    EXPECT_EQ(both.paused_by, "endpoint check");
    EXPECT_THAT(both.paused_reason, ::testing::MatchesRegex("the ids .*; also paused by --hold: "
                                                            "started with --hold; [^;]*"));
  }
  policy_.starts_on_hold = false;
  EXPECT_EQ(start_with("https://dsp.example/v1").paused_by, "--hold");
  act("resume");
  EXPECT_FALSE(load().account.paused_by);
}

TEST_F(AnotherEndpoint, AHoldAndAPersonsPauseEndOnlyWithTheirResumes) {
  confirm(kCampaign, "x1");
  for (const bool pauses_first : {true, false}) {
    if (pauses_first) act("pause");
    start_with("https://other.example/v1");
    policy_.starts_on_hold = true;
    start_with("https://other.example/v1");
    if (!pauses_first) act("pause");
    policy_.starts_on_hold = false;
    EXPECT_EQ(start_with("https://other.example/v1").paused_by, "endpoint check");
    const AccountState held = start_with("https://dsp.example/v1");
    EXPECT_EQ(held.paused_by, "--hold");
    EXPECT_THAT(held.paused_reason, ::testing::EndsWith("; also paused by maria: lunch"));
    act("resume");
    EXPECT_EQ(start_with("https://dsp.example/v1").paused_by, "--hold") << "that was maria's";
    act("resume");
    EXPECT_FALSE(start_with("https://dsp.example/v1").paused_by);
  }
}

TEST_F(AnotherEndpoint, LosesOnlyThePersonsPauseToAResumeWhereAHoldStandsBehindItToo) {
  confirm(kCampaign, "x1");
  start_with("https://other.example/v1");
  policy_.starts_on_hold = true;
  const std::string before = start_with("https://other.example/v1").paused_reason;
  act("pause");
  act("resume");
  EXPECT_EQ(load().account.paused_by, "endpoint check");
  EXPECT_EQ(load().account.paused_reason, before);
  policy_.starts_on_hold = false;
  EXPECT_EQ(start_with("https://dsp.example/v1").paused_by, "--hold");
  start_with("https://other.example/v1");
  act("resume");
  EXPECT_EQ(paused(), "NULL|NULL|NULL") << "a check and the hold behind it end together";
}

TEST_F(AnotherEndpoint, BehindAGenerationCheckStandsBeforeAPersonsWords) {
  confirm(kCampaign, "x1");
  as_daemon(
      "UPDATE account SET paused_by = 'generation check', paused_reason = 'an older copy', "
      "paused_at = 1");
  act("pause");
  EXPECT_THAT(start_with("https://other.example/v1").paused_reason,
              ::testing::MatchesRegex("an older copy; the ids .*; also paused by maria: lunch"));
  act("resume");
  EXPECT_EQ(load().account.paused_by, "generation check");
  EXPECT_THAT(load().account.paused_reason, ::testing::MatchesRegex("an older copy; the ids .*"))
      << "whoever releases it reads of both";
}

TEST_F(AnotherEndpoint, IsNotRecordedByWhoeverOnlyAsks) {
  confirm(kCampaign, "x1");
  policy_.only_asks = true;
  EXPECT_FALSE(start_with("https://other.example/v1").paused_by);
  EXPECT_THAT(store_->another_endpoint(),
              ::testing::HasSubstr("the endpoint is now https://other.example/v1"));
  save({});
  EXPECT_EQ(recorded(), "https://dsp.example/v1");
}

TEST_F(StoreAccount, StartsOnHoldUntilAnOperatorResumes) {
  save(paused_by_daemon());
  policy_.starts_on_hold = true;
  const AccountState held = start().account;
  EXPECT_EQ(held.paused_by, "--hold");
  EXPECT_THAT(held.paused_reason, ::testing::HasSubstr("operator_act resume"));
  save(resumed_by_daemon());
  EXPECT_EQ(load().account.paused_by, "--hold") << "the daemon does not end it";
  policy_.starts_on_hold = false;
  EXPECT_EQ(start().account.paused_by, "--hold") << "nor does a start without the flag";
  act("resume");
  EXPECT_FALSE(load().account.paused_by);
  act("pause");
  policy_.starts_on_hold = true;
  for (int i = 0; i < 2; ++i) {
    const AccountState both = start().account;
    EXPECT_EQ(both.paused_by, "--hold") << "a resume that ends both should see both";
    EXPECT_THAT(both.paused_reason, ::testing::EndsWith("resume; also paused by maria: lunch"));
  }
  act("pause", "jo");
  EXPECT_THAT(load().account.paused_reason, ::testing::EndsWith("; also paused by jo: lunch"));
  EXPECT_EQ(load().account.paused_by, "--hold");
}

}  // namespace
}  // namespace dl
