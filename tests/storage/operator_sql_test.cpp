// The files an operator runs, each through the real `sqlite3` shell while the database is open
// elsewhere.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "tests/storage/sql_fixture.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path kFolder = in_tree("storage/operator_sql");

using Parameters = std::map<std::string, std::string>;

class OperatorSql : public SqlTest {
 protected:
  OperatorSql() {
    put(1, JobState::succeeded);
    put(2, JobState::failed, "error = 'HTTP 422: bad bid', open_parents = 0, tries = 1");
    put(5, JobState::in_doubt, "hold = 'no proof either way'");
    as_daemon("UPDATE job SET open_parents = 0 WHERE id = 2");
    request(2, "create",
            "finished_at = 6000, slot = 'answered', http_status = 422, resolution = 'refused'");
    request(5, "create", "finished_at = 7000, slot = 'unsure', error = 'connection reset'");
  }

  // As the header of each file says: sqlite3 jobs.db -cmd ".parameter set :key \"'…'\"" < file
  ShellResult run(const std::string& file, const Parameters& parameters = {}) {
    std::vector<std::string> arguments;
    for (const auto& [name, text] : parameters) {
      arguments.insert(arguments.end(), {"-cmd", ".parameter set " + name + " \"'" + text + "'\""});
    }
    return shell(text_of(kFolder / file), arguments);
  }
  std::string out_of(const std::string& file, const Parameters& parameters = {}) {
    const ShellResult result = run(file, parameters);
    EXPECT_EQ(0, result.exit_code) << file << ": " << result.err;
    EXPECT_EQ("", result.err) << file;
    return result.out;
  }
  std::string state(int job) {
    return value("SELECT state FROM job WHERE id = " + std::to_string(job));
  }
  std::string last_act() {
    return value("SELECT act, who, why FROM operator_act ORDER BY id DESC LIMIT 1");
  }
};

TEST_F(OperatorSql, EveryFileRunsAndTheReadmeNamesIt) {
  const std::string readme = text_of(kFolder / "README.md");
  // Those that ask for something say what is missing; the rest have defaults for everything.
  const Parameters needs = {{"decide_exists.sql", "dsp_id is missing"},
                            {"decide_absent.sql", "there is no such job"},
                            {"cancel_job.sql", "there is no such job"},
                            {"cancel_campaign.sql", "there is no such job"},
                            {"retry_subtree.sql", "there is no such job"},
                            {"set_priority.sql", "priority is missing"},
                            {"retry_failed.sql", ":like is not set"}};
  out_of("pause.sql");  // so that there is something to resume, whatever the order
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".sql") continue;
    ++files;
    EXPECT_THAT(readme, HasSubstr("`" + name + "`"));
    EXPECT_THAT(text_of(entry.path()),
                AllOf(HasSubstr("< " + name), HasSubstr(".bail on\n.timeout 5000\n"),
                      HasSubstr("PRAGMA wal_autocheckpoint = 0;")));
    const ShellResult result = run(name);
    const auto missing = needs.find(name);
    EXPECT_EQ(missing == needs.end(), result.exit_code == 0) << name << ": " << result.err;
    if (missing != needs.end()) {
      EXPECT_THAT(result.err, HasSubstr(missing->second)) << name;
    }
  }
  EXPECT_GE(files, 20);
  expect_consistent();
}

TEST_F(OperatorSql, ReadingFilesChangeNothing) {
  const std::string before = shell(".sha3sum\n").out;
  for (const char* name : {"progress.sql", "campaigns.sql", "tree.sql", "failed.sql",
                           "why_blocked.sql", "in_doubt.sql", "history_of_job.sql", "rate.sql",
                           "audit_requests.sql", "acts.sql", "slowest.sql", "check_promises.sql"}) {
    out_of(name, {{":key", "c1/g1"}, {":campaign", "c1"}, {":since", "1970-01-01"}});
  }
  EXPECT_EQ(before, shell(".sha3sum\n").out);
}

TEST_F(OperatorSql, AnswerTheirQuestions) {
  EXPECT_THAT(out_of("progress.sql"), AllOf(HasSubstr("spring.csv"), HasSubstr("20.0")));
  EXPECT_THAT(out_of("campaigns.sql"), HasSubstr("c1/g1: HTTP 422: bad bid"));
  EXPECT_THAT(out_of("tree.sql", {{":campaign", "c1"}}),
              AllOf(HasSubstr("    c1/g1/a1"), Not(HasSubstr("c2"))));
  EXPECT_THAT(out_of("tree.sql"), HasSubstr("c2"));
  EXPECT_THAT(out_of("failed.sql"),
              AllOf(HasSubstr("HTTP #: bad bid"), HasSubstr("HTTP 422: bad bid")));
  EXPECT_THAT(out_of("why_blocked.sql", {{":key", "c1/g1/a2"}}),
              AllOf(HasSubstr("c1/g1/a2"), HasSubstr("HTTP 422: bad bid")));
  EXPECT_THAT(out_of("in_doubt.sql"), AllOf(HasSubstr("connection reset"),
                                            HasSubstr("{\"sent\":1}"), HasSubstr("(5, 'absent'")));
  EXPECT_THAT(out_of("history_of_job.sql", {{":key", "c2"}}),
              AllOf(HasSubstr("no proof either way"), HasSubstr("create")));
  EXPECT_THAT(out_of("rate.sql"), HasSubstr("rate_limit = none"));
  EXPECT_THAT(out_of("audit_requests.sql", {{":since", "1970-01-01"}}),
              HasSubstr("connection reset"));
  EXPECT_THAT(out_of("audit_requests.sql"), Not(HasSubstr("connection reset")));
  EXPECT_THAT(out_of("slowest.sql"), HasSubstr("c2"));
}

TEST_F(OperatorSql, ProgressListsParentsBeforeChildren) {
  const std::string out = out_of("progress.sql");
  EXPECT_LT(out.find("│ campaign │"), out.find("│ ad_group │"));
  EXPECT_LT(out.find("│ ad_group │"), out.find("│ ad       │"));
  EXPECT_NE(out.find("│ ad       │"), std::string::npos);
}

// A key with a typo is not a parameter that was forgotten.
TEST_F(OperatorSql, AKeyThatNoJobHasIsSaidToBeOne) {
  for (const char* file :
       {"cancel_job.sql", "decide_absent.sql", "retry_subtree.sql", "cancel_campaign.sql"}) {
    const ShellResult result = run(file, {{":key", "c1/g9"}, {":campaign", "c9"}});
    EXPECT_NE(0, result.exit_code) << file;
    EXPECT_THAT(result.err, HasSubstr("there is no such job")) << file;
  }
}

TEST_F(OperatorSql, AQuestionAboutNothingIsAnswered) {
  EXPECT_THAT(out_of("history_of_job.sql", {{":key", "c1/g9"}}),
              HasSubstr("no job has the key c1/g9"));
  EXPECT_THAT(out_of("history_of_job.sql"), HasSubstr(":key is not set"));
  EXPECT_THAT(out_of("history_of_job.sql", {{":key", "c2"}}), Not(HasSubstr("nothing_found")));
  EXPECT_THAT(out_of("tree.sql", {{":campaign", "c9"}}), HasSubstr("no campaign has the key c9"));
  EXPECT_THAT(out_of("tree.sql", {{":campaign", "c1"}}), Not(HasSubstr("nothing_found")));
  EXPECT_THAT(out_of("tree.sql"), Not(HasSubstr("nothing_found")));
  EXPECT_THAT(out_of("why_blocked.sql", {{":key", "c9"}}), HasSubstr("no job has the key c9"));
  EXPECT_THAT(out_of("why_blocked.sql", {{":key", "c1"}}),
              HasSubstr("c1 is not blocked, it is succeeded"));
  EXPECT_THAT(out_of("why_blocked.sql", {{":key", "c1/g1/a2"}}), Not(HasSubstr("nothing_found")));
  EXPECT_THAT(out_of("why_blocked.sql"), Not(HasSubstr("nothing_found")));
}

// A moment that is none would be a ledger without requests.
TEST_F(OperatorSql, AnAuditSinceNoMomentIsRefused) {
  for (const char* moment : {"yesterday morning", "01.05.2026", "1777000000000"}) {
    const ShellResult result = run("audit_requests.sql", {{":since", moment}});
    EXPECT_NE(0, result.exit_code) << moment;
    EXPECT_THAT(result.err, HasSubstr(":since is no time such as 2026-05-01 08:00")) << moment;
  }
}

// A pasted id that is another campaign's would put this one's ad groups there.
TEST_F(OperatorSql, AnIdThatAnotherJobHasDecidesNothing) {
  as_daemon("UPDATE job SET dsp_id = '8123' WHERE id = 1");
  EXPECT_THAT(out_of("decide_exists.sql", {{":key", "c2"}, {":dsp_id", "8123"}}),
              AllOf(HasSubstr("has_this_id_already"), HasSubstr("│ c1 "), HasSubstr("in_doubt")));
  EXPECT_EQ("0", value("SELECT count(*) FROM operator_act"));
  EXPECT_THAT(as_stranger("INSERT INTO operator_act (job_id, act, dsp_id, who, why) VALUES (5, "
                          "'exists', '8123', 'maria', 'x')"),
              HasSubstr("another job below the same parents has this dsp_id already"));
  as_daemon("UPDATE job SET dsp_id = '8124' WHERE id = 2");  // an ad group's
  EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, dsp_id, who, why) VALUES (5, "
                            "'exists', '8124', 'maria', 'x')"))
      << "of another kind it may be the same";
}

// Of what has no quotes the shell makes a number: 00123 is 123.
TEST_F(OperatorSql, AnIdWithoutItsQuotesDecidesNothing) {
  for (const std::string typed : {"00123", "17-3", "8e3"}) {
    const ShellResult result =
        shell(text_of(kFolder / "decide_exists.sql"),
              {"-cmd", ".parameter set :key \"'c2'\"", "-cmd", ".parameter set :dsp_id " + typed});
    EXPECT_THAT(result.out,
                AllOf(HasSubstr("nothing_was_decided"), HasSubstr("put :dsp_id into quotes")))
        << typed;
  }
  EXPECT_EQ("0", value("SELECT count(*) FROM operator_act"));
}

TEST_F(OperatorSql, RetryFailedTakesThoseThatAreLikeTheError) {
  EXPECT_THAT(out_of("retry_failed.sql", {{":like", "%creative%"}}), HasSubstr("│ 0       │ 1 "));
  EXPECT_EQ("failed", state(2));
  out_of("retry_failed.sql", {{":like", "%bid%"}, {":who", "maria"}, {":why", "bid fixed"}});
  EXPECT_EQ("ready", state(2));
  EXPECT_EQ("retry|maria|bid fixed", last_act());
  expect_consistent();
}

// ".parameter set :liek" would else retry all that ever failed.
TEST_F(OperatorSql, RetryFailedTakesAllOnlyWhereThatIsSaid) {
  const ShellResult result = run("retry_failed.sql", {{":liek", "%creative%"}});
  EXPECT_NE(0, result.exit_code);
  EXPECT_THAT(result.err, HasSubstr("'%' takes every failed job"));
  EXPECT_EQ("failed", state(2));
  EXPECT_THAT(out_of("retry_failed.sql", {{":like", "%"}}), HasSubstr("│ 1       │ 0 "));
  EXPECT_EQ("ready", state(2));
}

TEST_F(OperatorSql, RetrySubtreeTakesWhatFailedOrWasCancelledBelow) {
  put(4, JobState::cancelled);
  out_of("retry_subtree.sql", {{":key", "c1"}});
  EXPECT_EQ("ready", state(2));
  EXPECT_EQ("blocked", state(3));
  EXPECT_EQ("blocked", state(4));
  EXPECT_EQ("retry|operator|retry_subtree.sql", last_act());
  expect_consistent();
}

// Its state is final: one archived job would make an act on many be refused as a whole.
TEST_F(OperatorSql, WhatIsArchivedIsInNobodysWay) {
  put(3, JobState::failed, "error = 'HTTP 422: bad url'");
  as_daemon("UPDATE job SET archived_at = 9000 WHERE id = 3");
  EXPECT_EQ("c1/g1", value("SELECT group_concat(key) FROM v_failed"));
  EXPECT_EQ("c1/g1/a1", value("SELECT group_concat(key) FROM v_jobs WHERE archived"));
  EXPECT_THAT(out_of("retry_failed.sql", {{":like", "%"}}), HasSubstr("│ 1       │ 0 "));
  EXPECT_EQ("ready", state(2));
  put(2, JobState::failed, "error = 'HTTP 422: bad bid'");
  out_of("retry_subtree.sql", {{":key", "c1"}});
  EXPECT_EQ("ready", state(2));
  out_of("cancel_campaign.sql", {{":campaign", "c1"}});
  EXPECT_EQ("cancelled", state(2));
  EXPECT_EQ("failed", state(3));
  expect_consistent();
}

TEST_F(OperatorSql, CancelCampaignNamesWhatIsOnTheWire) {
  put(3, JobState::submitting);
  EXPECT_THAT(out_of("cancel_campaign.sql", {{":campaign", "c1"}}), HasSubstr("c1/g1/a1"));
  EXPECT_EQ("succeeded", state(1));
  EXPECT_EQ("cancelled", state(2));
  EXPECT_EQ("submitting", state(3));
  EXPECT_EQ("cancelled", state(4));
  EXPECT_EQ("in_doubt", state(5));
  expect_consistent();
}

TEST_F(OperatorSql, DecideCancelAndPrioritise) {
  EXPECT_THAT(out_of("decide_exists.sql", {{":key", "c2"}, {":dsp_id", "8123"}, {":who", "maria"}}),
              HasSubstr("confirming"));
  EXPECT_EQ("8123", value("SELECT dsp_id FROM job WHERE id = 5"));
  put(5, JobState::in_doubt, "hold = 'no proof'");
  EXPECT_THAT(out_of("decide_absent.sql", {{":key", "c2"}}), HasSubstr("waiting"));
  EXPECT_THAT(out_of("cancel_job.sql", {{":key", "c2"}}), HasSubstr("cancelled"));
  EXPECT_THAT(out_of("set_priority.sql", {{":key", "c1"}, {":priority", "-10"}}), HasSubstr("-10"));
  EXPECT_EQ("4", value("SELECT count(*) FROM job WHERE priority = -10"));
  expect_consistent();
}

TEST_F(OperatorSql, PauseAndResume) {
  EXPECT_THAT(out_of("pause.sql", {{":who", "maria"}, {":why", "DSP maintenance"}}),
              AllOf(HasSubstr("maria"), HasSubstr("DSP maintenance")));
  EXPECT_THAT(out_of("resume.sql"), AllOf(HasSubstr("DSP maintenance"), HasSubstr("nobody")))
      << "what it ends, and what is left of it";
}

TEST_F(OperatorSql, SayNoWhereTheActIsNotLegalAndChangeNothing) {
  const ShellResult result = run("decide_absent.sql", {{":key", "c1"}});
  EXPECT_NE(0, result.exit_code);
  EXPECT_THAT(result.err, HasSubstr("absent: legal while the job is in_doubt"));
  EXPECT_EQ("succeeded", state(1));
}

TEST_F(OperatorSql, CheckPromisesPrintsWhatBreaksThem) {
  as_daemon(
      "UPDATE job SET open_parents = (SELECT count(*) FROM job_edge JOIN job AS parent ON "
      "parent.id = parent_id"
      " WHERE child_id = job.id AND parent.state <> 'succeeded')");
  EXPECT_THAT(out_of("check_promises.sql"), Not(HasSubstr("open_parents is")));
  as_daemon("UPDATE job SET open_parents = 9 WHERE id = 3");
  EXPECT_THAT(out_of("check_promises.sql"), HasSubstr("open_parents is 9, by the edges it is 1"));
}

}  // namespace
}  // namespace dl
