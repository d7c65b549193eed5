// dl-daemon --verify through the real program: whom it asks, how it ends where it cannot, and what
// it leaves after a kill and a restored backup.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/e2e/site.h"
#include "tests/e2e/verifying.h"

namespace dl::e2e {
namespace {

using ::testing::HasSubstr;

TEST(Verify, AsksNobodyWithoutALookup) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain().exit_code, 0);
  const auto asked = site.ledger().size();
  const Finish hold = verify(site, {"--unknown-outcome", "hold"});
  EXPECT_EQ(hold.exit_code, 0) << hold.err;
  EXPECT_THAT(hold.out, HasSubstr("the DSP was NOT asked, so nothing is known of what it has: it "
                                  "offers no lookup, for unknown_outcome is hold"));
  EXPECT_THAT(verify(site, joined(kLooksUp, {"--offline"})).out,
              HasSubstr("the DSP was NOT asked, so nothing is known of what it has: --offline"));
  const Finish late = verify(site);  // the account looks up now, but what was sent carries no keys
  EXPECT_EQ(late.exit_code, 0) << late.err;
  EXPECT_THAT(late.out, HasSubstr("0 attempts looked up: 0 missing, 0 duplicate, 0 not answered; "
                                  "NOT asked for 3 that were sent without their key"));
  EXPECT_EQ(site.ledger().size(), asked);
}

TEST(Verify, EndsWith78WhereTheDspLooksNothingUpAfterAll) {
  const Site site({"--lookup", "off"});
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const Finish finish = verify(site);
  EXPECT_EQ(finish.exit_code, 78) << finish.out;
  EXPECT_THAT(finish.err,
              HasSubstr("unknown_outcome is lookup, but the DSP offers none (HTTP 405)"));
}

TEST(Verify, EndsWith75BesideADaemonUnlessItIsOffline) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  Process daemon(site.daemon(kLooksUp));
  eventually("all is done", [&] { return site.unfinished() == 0; });
  const Finish busy = verify(site);
  EXPECT_EQ(busy.exit_code, 75) << busy.out;
  EXPECT_THAT(busy.err, HasSubstr("another dl-daemon sends for"));
  EXPECT_THAT(busy.err, HasSubstr("--verify --offline"));
  const Finish offline = verify(site, joined(kLooksUp, {"--offline"}));
  EXPECT_EQ(offline.exit_code, 0) << offline.out << offline.err;
}

TEST(Verify, EndsWith66WithoutADatabaseAnd69WithoutADsp) {
  Site site(kMock);
  EXPECT_EQ(verify(site).exit_code, 66);
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  site.stop_mock();
  const Finish finish = verify(site);
  EXPECT_EQ(finish.exit_code, 69) << finish.out;
  EXPECT_THAT(finish.err, HasSubstr("out of reach"));
}

TEST(Verify, AsksAgainWhatWasRefusedOrLostAndNamesWhatWasNeverAnswered) {
  const Site site(kMock);
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const Site moody(joined(kMock, {"--faults", "get.429:@1:5s,get.lost_answer:@2,get.500:@3"}));
  const Finish asked = verify(site, joined(kLooksUp, {"--endpoint", moody.endpoint()}));
  EXPECT_EQ(asked.exit_code, 1) << asked.err;
  EXPECT_THAT(asked.out, HasSubstr("3 attempts looked up: 3 missing, 0 duplicate, 0 not answered"))
      << asked.err;
  EXPECT_EQ(site.text("SELECT group_concat(outcome) FROM (SELECT outcome FROM request WHERE worker "
                      "= -1 ORDER BY id)"),
            "throttled,look_failed,look_failed,not_found,not_found,not_found,not_found,not_found,"
            "not_found,not_found,"
            "not_found,not_found")
      << "what should be there is looked for three times";
  const Site dumb(joined(kMock, {"--faults", "get.500:1"}));
  const Finish unanswered = verify(site, joined(kLooksUp, {"--endpoint", dumb.endpoint()}));
  EXPECT_EQ(unanswered.exit_code, 1) << unanswered.err;
  EXPECT_THAT(unanswered.out, HasSubstr("not answered: job 1 "));
  EXPECT_THAT(unanswered.out, HasSubstr("external_id " + key_of(site, 1) + ": HTTP 500"));
  EXPECT_THAT(unanswered.out,
              HasSubstr("0 attempts looked up: 0 missing, 0 duplicate, 3 not answered"));
}

// The second look of the second job is refused: what was absent until then is named all the same.
TEST(Verify, NamesWhatWasAbsentSoFarWhereItEndsEarly) {
  const Site site(kMock);
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const Site strict(joined(kMock, {"--faults", "get.401:@5"}));
  const Finish finish = verify(site, joined(kLooksUp, {"--endpoint", strict.endpoint()}));
  EXPECT_EQ(finish.exit_code, 77) << finish.err;
  const char* so_far[] = {"2 of 3", "1 of 3", "1 of 3"};
  for (int job = 1; job <= 3; ++job) {
    EXPECT_THAT(finish.out,
                HasSubstr("external_id " + key_of(site, job) + ": the DSP did not know it at " +
                          so_far[job - 1] + " looks"));
  }
  EXPECT_THAT(finish.out, HasSubstr("the DSP could not be asked for all"));
}

// Killed again and again it breaks no limit, leaves nothing open for good, and the next one goes
// on.
TEST(Verify, KeepsToTheLimitThoughItIsKilled) {
  const Site site(kMock);
  site.load_sheet(shape(4, 2, 3));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  for (int i = 1; i <= 6; ++i) {
    const std::int64_t sent = site.number("SELECT max(id) FROM request");
    Process asking(site.daemon(joined({"--verify"}, kLooksUp)));
    eventually("it asks",
               [&] { return site.number("SELECT max(id) FROM request") >= sent + 2 * i; });
    asking.signal(SIGKILL);
    asking.wait();
    const Finish alone = verify(site, {"--offline"});
    EXPECT_EQ(alone.exit_code, 0) << alone.out;
  }
  const Finish finish = verify(site);
  EXPECT_EQ(finish.exit_code, 0) << finish.out << finish.err;
  EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE finished_at IS NULL"), 0);
  site.let_mock_catch_up();
  expect_within_the_limit(site);
  site.expect_promises_kept("40/60s", entities(4, 2, 3));
}

// What a backup forgot, the DSP remembers.
TEST(Verify, FindsWhatARestoredBackupForgot) {
  const Site site(kMock);
  site.load_sheet(shape(2, 1, 1));
  site.operate("VACUUM INTO '" + site.file("backup.db") + "'");
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(site.db() + suffix);
  std::filesystem::copy_file(site.file("backup.db"), site.db());
  const Finish finish = verify(site, joined(kLooksUp, {"--max-retries", "0"}));
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.out, HasSubstr("0 missing, 6 duplicate")) << finish.out;
  EXPECT_THAT(finish.err, HasSubstr("the database is an older copy of what was sent from"));
  EXPECT_EQ(site.text("SELECT paused_by FROM account"), "generation check");
}

}  // namespace
}  // namespace dl::e2e
