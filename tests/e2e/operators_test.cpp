// People beside a running daemon: sheets that are loaded while it works, and acts typed into the
// sqlite3 shell. Nobody tells the daemon; it notices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

std::string act(const std::string& what, const std::string& jobs) {
  return "INSERT INTO operator_act (job_id, act, who, why) SELECT id, '" + what +
         "', 'maria', 'a test' FROM job WHERE " + jobs;
}

const std::string kPause =
    "INSERT INTO operator_act (act, who, why) VALUES ('pause', 'maria', 'a test')";
const std::string kResume =
    "INSERT INTO operator_act (act, who, why) VALUES ('resume', 'maria', 'a test')";

void await_log(Process& daemon, const std::string& words) {
  eventually("it says: " + words, [&] { return daemon.err().find(words) != std::string::npos; });
}

std::vector<std::string> posted(const Site& site, const std::string& kind) {
  std::vector<std::string> entities;
  for (const Row& line : site.ledger()) {
    if (line.at("method") == "POST" && line.at("kind") == kind) {
      entities.push_back(line.at("entity"));
    }
  }
  return entities;
}

TEST(Operators, LoadSheetsWhileTheDaemonWorks) {
  const Site site;
  Process daemon(site.daemon({"--rate-limit", "none"}));
  await_log(daemon, "limit");
  std::int64_t done = 0;
  for (int campaigns = 1; campaigns <= 4; ++campaigns) {  // each holds the ones before, unchanged
    site.load_sheet(shape(campaigns, 2, 3));
    done = entities(campaigns, 2, 3);
    if (campaigns % 2 == 1) continue;  // once in a while the next comes before this one is done
    eventually("the new ones are done", [&] {
      return site.number("SELECT count(*) FROM job WHERE state = 'succeeded'") == done;
    });
  }
  EXPECT_FALSE(daemon.ends_within(std::chrono::milliseconds{0})) << daemon.err();
  EXPECT_EQ(site.ingest({"results"}).exit_code, 0);
  site.expect_promises_kept("none", done);
}

TEST(Operators, PauseCancelAndReorderWhatIsNotSentYet) {
  const Site site;
  Process daemon(site.daemon({"--rate-limit", "none", "--in-flight", "1"}));
  await_log(daemon, "limit");
  // A daemon that finds the pause when it takes over does not say so, and that line is older.
  eventually("it has taken over",
             [&] { return site.number("SELECT count(*) FROM instance") == 1; });
  site.operate(kPause);
  await_log(daemon, "paused by maria");
  site.load_sheet(shape(3, 1, 2));
  site.operate(act("cancel", "key = 'cmp_1/ag_1_1/ad_1_1_2'"));
  site.operate(
      "INSERT INTO operator_act (job_id, act, priority, who, why) "
      "SELECT id, 'priority', -1, 'maria', 'first' FROM job WHERE key = 'cmp_3'");
  EXPECT_TRUE(site.ledger().empty()) << "it is paused";
  site.operate(kResume);
  eventually("the rest is done", [&] { return site.unfinished() == 1; });
  EXPECT_EQ(site.text("SELECT state FROM job WHERE state <> 'succeeded'"), "cancelled");
  const std::vector<std::string> ads = posted(site, "ad");
  EXPECT_EQ(std::count(ads.begin(), ads.end(), "ad_1_1_2"), 0);
  EXPECT_EQ(posted(site, "campaign").front(), "cmp_3");
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  site.expect_promises_kept("none", entities(3, 1, 2) - 1);
}

// The permit transaction looks at the schema, so the request that was the last when the guard was
// dropped stays the last.
TEST(Operators, WhoDropAGuardStopTheDaemonBeforeItSendsAnything) {
  const Site site;
  site.load_sheet(shape(3, 2, 4));
  const Flags flags = {"--unknown-outcome", "resubmit"};
  const std::string guard =
      site.text("SELECT sql FROM sqlite_schema WHERE name = 'guard_job_update'");
  Process daemon(site.daemon(flags));
  eventually("it works", [&] { return site.ledger().size() >= 5; });
  const std::string last = site.operate(
      "BEGIN IMMEDIATE; SELECT max(id) FROM request; DROP TRIGGER guard_job_update; COMMIT;");
  EXPECT_EQ(daemon.wait(), 78) << daemon.err();
  EXPECT_NE(daemon.err().find("trigger guard_job_update is missing"), std::string::npos)
      << daemon.err();
  EXPECT_EQ(site.text("SELECT max(id) FROM request") + "\n", last);
  site.let_mock_catch_up();
  EXPECT_LE(static_cast<std::int64_t>(site.ledger().size()), std::stoll(last))
      << "a request without a permit";
  EXPECT_GT(site.unfinished(), 0) << "it stopped in the middle";
  EXPECT_EQ(site.drain(flags).exit_code, 78) << "as long as it is missing";
  site.operate(guard);
  const Finish rest = site.drain(flags);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  site.expect_promises_kept("40/60s", entities(3, 2, 4));
}

// The sheet of the second load holds the first three campaigns too; they are known, and keep
// theirs.
TEST(Operators, LoadAnUrgentSheetThatGoesBeforeAnOlderOne) {
  const Site site;
  site.load_sheet(shape(3, 1, 2));
  site.load_sheet(shape(6, 1, 2), {"--priority", "-1"});
  EXPECT_EQ(site.number("SELECT count(*) FROM job WHERE priority = -1"), entities(3, 1, 2));
  const Finish drain = site.drain({"--rate-limit", "none", "--in-flight", "1"});
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  EXPECT_THAT(posted(site, "campaign"),
              testing::ElementsAre("cmp_4", "cmp_5", "cmp_6", "cmp_1", "cmp_2", "cmp_3"));
  site.expect_promises_kept("none", entities(6, 1, 2));
}

// Whoever looks later must not read a time, or "done", of a daemon that is gone.
TEST(Operators, ReadInTheTablesWhyADaemonThatHasEndedLeftThingsUndone) {
  const auto says = [](const Site& site) { return site.text("SELECT says FROM v_eta"); };
  const Site doubtful({"--faults", "post.lost_request:@1"});
  doubtful.load_sheet(shape(1, 1, 1));
  EXPECT_EQ(doubtful.drain().exit_code, 1);
  EXPECT_EQ(says(doubtful), "stalled: 1 in doubt wait for a decision (v_in_doubt)");
  EXPECT_NE(doubtful.ingest({"status"})
                .out.find("nothing moves any more: 1 in doubt wait for a decision (v_in_doubt), "
                          "2 wait behind others (v_blocked)"),
            std::string::npos);
  doubtful.load_sheet(shape(2, 1, 1));
  EXPECT_EQ(says(doubtful), "stalled: dl-daemon was stopped")
      << "what is new waits for no decision";

  const Site stopped;
  stopped.load_sheet(shape(2, 2, 2));
  Process daemon(stopped.daemon({"--rate-limit", "2/1d"}));
  eventually("a time is given", [&] { return says(stopped).starts_with("clears in "); });
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_EQ(says(stopped), "stalled: dl-daemon was stopped");
  EXPECT_EQ(stopped.text("SELECT coalesce(eta_utc, '') FROM v_eta"), "");
}

TEST(Operators, RetryWhatHasFailed) {
  const Site site({"--faults", "post.422:@2"});  // the ad group
  site.load_sheet(shape(1, 1, 2));
  Process daemon(site.daemon({"--rate-limit", "none"}));
  eventually("the ad group has failed",
             [&] { return site.number("SELECT count(*) FROM v_failed") == 1; });
  EXPECT_EQ(site.number("SELECT count(*) FROM v_blocked WHERE stuck = 1"), 2);
  site.operate(act("retry", "state = 'failed'"));
  eventually("all is done", [&] { return site.unfinished() == 0; });
  site.expect_promises_kept("none", entities(1, 1, 2));
}

TEST(Operators, AreToldWhatIsNotLegal) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  EXPECT_EQ(site.drain().exit_code, 0);
  const auto refusal = [&](const std::string& sql) {
    const Finish shell = run(Launch{.program = "sqlite3",
                                    .arguments = {site.db(), sql},
                                    .environment = {},
                                    .errors_to = ErrorsTo::file});
    EXPECT_NE(shell.exit_code, 0) << sql;
    return shell.err;
  };
  EXPECT_NE(refusal(act("cancel", "kind = 'ad'")).find("succeeded"), std::string::npos);
  EXPECT_NE(refusal("UPDATE job SET state = 'ready'").find("operator_act"), std::string::npos);
  EXPECT_NE(refusal("DELETE FROM request").find("ledger"), std::string::npos);
  site.expect_promises_kept("40/60s", entities(1, 1, 1));
}

// A doubt that was decided wrongly by "exists" shows: an id that the DSP does not know is no
// success.
TEST(Operators, CannotMakeASuccessOfAnIdTheDspDoesNotKnow) {
  const Site site({"--faults", "post.lost_request:@1"});
  site.load_sheet(shape(1, 1, 1));
  const Flags flags = {"--rate-limit", "none"};
  EXPECT_EQ(site.drain(flags).exit_code, 1);
  site.operate(
      "INSERT INTO operator_act (job_id, act, dsp_id, who, why) "
      "SELECT id, 'exists', 'no-such-id', 'maria', 'a typo' FROM job "
      "WHERE state = 'in_doubt'");
  EXPECT_EQ(site.drain(flags).exit_code, 1);
  EXPECT_EQ(site.number("SELECT count(*) FROM job WHERE state = 'in_doubt'"), 1);
  site.operate(act("absent", "state = 'in_doubt'"));
  const Finish rest = site.drain(flags);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  site.expect_promises_kept("none", entities(1, 1, 1));
}

}  // namespace
}  // namespace dl::e2e
