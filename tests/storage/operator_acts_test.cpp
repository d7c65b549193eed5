// Operators' acts, each from every state and with every kind of evidence, held against kRules.
#include <gmock/gmock.h>

#include "storage/store.h"
#include "tests/storage/sql_fixture.h"

namespace dl {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int kJob = fixture::kAd;
constexpr JobState kStates[] = {JobState::blocked,    JobState::ready,    JobState::waiting,
                                JobState::submitting, JobState::in_doubt, JobState::confirming,
                                JobState::succeeded,  JobState::failed,   JobState::cancelled};
static_assert(std::size(kStates) == kJobStateCount);

struct Evidence {
  bool has_id = false;
  bool unresolved = false;
  bool open_parents = false;
};

// What design and kRules say an act does: the event, without regard to whether it is legal there.
JobEvent event_of(const std::string& act, const Evidence& evidence) {
  if (act == "cancel") return JobEvent::cancel;
  if (act == "exists") return JobEvent::declared_existing;
  if (act == "absent") return JobEvent::declared_absent;
  if (evidence.has_id) return JobEvent::retry_confirming;
  if (evidence.unresolved) return JobEvent::retry_in_doubt;
  return evidence.open_parents ? JobEvent::retry_blocked : JobEvent::retry_ready;
}

class OperatorActs : public SqlTest {
 protected:
  // "" or the error. `more`: further columns, e.g. {"dsp_id", "'x'"}.
  std::string act(const std::string& name, int job = kJob, const std::string& columns = "",
                  const std::string& values = "", const std::string& verb = "INSERT") {
    return as_stranger(verb + " INTO operator_act (job_id, act, who, why, at" + columns +
                       ") VALUES (" + std::to_string(job) + ", '" + name +
                       "', 'maria', 'because', 70000" + values + ")");
  }
  std::string state(int job = kJob) {
    return value("SELECT state FROM job WHERE id = " + std::to_string(job));
  }
  std::string column(const std::string& name, int job = kJob) {
    return value("SELECT " + name + " FROM job WHERE id = " + std::to_string(job));
  }
  void settle_posts() {
    as_daemon("UPDATE request SET resolution = 'refused' WHERE resolution IS NULL");
  }
  void arrange(JobState from, const Evidence& evidence) {
    settle_posts();
    const bool needs_id = from == JobState::confirming || from == JobState::succeeded;
    put(kJob, from,
        "dsp_id = " + std::string(evidence.has_id || needs_id ? "'dsp-1'" : "NULL") +
            ", open_parents = " + (evidence.open_parents ? "1" : "0"));
    if (evidence.unresolved) request(kJob, "create", "finished_at = 6000, slot = 'unsure'");
  }
};

TEST_F(OperatorActs, FollowTheStateMachineFromEveryStateWithAllEvidence) {
  for (const char* verb : {"INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"}) {
    for (const std::string name : {"retry", "cancel", "exists", "absent"}) {
      for (const JobState from : kStates) {
        for (int bits = 0; bits < 8; ++bits) {
          const Evidence evidence{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0};
          SCOPED_TRACE(std::string(verb) + " " + name + " from " + std::string(name_of(from)) +
                       " " + std::to_string(bits));
          arrange(from, evidence);
          const std::string lines = value("SELECT count(*) FROM job_history");
          const bool exists = name == "exists";
          const std::string error =
              act(name, kJob, exists ? ", dsp_id" : "", exists ? ", 'dsp-9'" : "", verb);
          const auto rule = rule_for(from, event_of(name, evidence));
          if (!rule) {
            EXPECT_THAT(error, StartsWith(name + ": "));
            EXPECT_EQ(name_of(from), state());
            EXPECT_EQ(lines, value("SELECT count(*) FROM job_history"));
          } else {
            EXPECT_EQ(Actor::operator_, rule->actor);
            EXPECT_EQ("", error);
            EXPECT_EQ(name_of(rule->to), state());
            EXPECT_EQ(std::to_string(rule->id) + "|maria|because|70000|1",
                      value("SELECT h.rule_id, a.who, h.reason, h.at, a.applied_at IS NOT NULL"
                            " FROM job_history h JOIN operator_act a ON a.id = h.act_id ORDER BY "
                            "h.id DESC LIMIT 1"));
            EXPECT_EQ("70000", column("updated_at"));
          }
          expect_consistent();
          if (HasFailure()) return;
        }
      }
    }
  }
}

TEST_F(OperatorActs, NameTheStatesInWhichTheyAreLegal) {
  const auto legal = [](auto matches) {
    std::vector<std::string> states;
    for (const JobState state : kStates) {
      for (const Rule& rule : kRules) {
        if (rule.from == state && rule.actor == Actor::operator_ && matches(rule.event)) {
          states.emplace_back(name_of(state));
          break;
        }
      }
    }
    return states;
  };
  put(kJob, JobState::succeeded);
  const std::string retry = act("retry");
  for (const std::string& state :
       legal([](JobEvent e) { return name_of(e).starts_with("retry_"); }))
    EXPECT_THAT(retry, HasSubstr(state));
  const std::string exists = act("exists", kJob, ", dsp_id", ", 'x'");
  for (const std::string& state :
       legal([](JobEvent e) { return e == JobEvent::declared_existing; }))
    EXPECT_THAT(exists, HasSubstr(state));
  const std::string absent = act("absent");
  for (const std::string& state : legal([](JobEvent e) { return e == JobEvent::declared_absent; }))
    EXPECT_THAT(absent, HasSubstr(state));
  EXPECT_THAT(act("cancel"), HasSubstr("has succeeded"));
  put(kJob, JobState::submitting);
  EXPECT_THAT(act("cancel"), HasSubstr("lasts at most an HTTP timeout; try again"));
  put(kJob, JobState::cancelled);
  EXPECT_THAT(act("cancel"), HasSubstr("cancelled already"));
}

TEST_F(OperatorActs, AreRefusedWithTheReasonWhereTheirFormIsWrong) {
  struct Case {
    const char* columns;
    const char* values;
    const char* says;
  };
  const Case cases[] = {
      {"act, who, why", "'retry', 'maria', 'x'", "job_id is missing"},
      {"job_id, act, who, why", "999, 'retry', 'maria', 'x'", "no such job"},
      {"job_id, act, who, why", "6, 'cancel', 'maria', 'x'", "still being loaded"},
      {"job_id, act, who, why", "1, 'restart', 'maria', 'x'", "act is one of"},
      {"job_id, act, who, why", "1, NULL, 'maria', 'x'", "act is one of"},
      {"job_id, act, why", "1, 'cancel', 'x'", "who is missing"},
      {"job_id, act, who, why", "1, 'cancel', '  ', 'x'", "who is missing"},
      {"job_id, act, who, why", "1, 'cancel', 'daemon', 'x'", "who is a person"},
      {"job_id, act, who", "1, 'cancel', 'maria'", "why is missing"},
      {"job_id, act, who, why", "1, 'cancel', 'maria', ''", "why is missing"},
      {"job_id, act, who, why", "1, 'pause', 'maria', 'x'", "leave job_id out"},
      {"act, who, why", "'resume', 'maria', 'x'", "not paused"},
      {"job_id, act, who, why", "1, 'exists', 'maria', 'x'", "dsp_id is missing"},
      {"job_id, act, who, why, dsp_id", "1, 'exists', 'maria', 'x', ''", "1 to 128 characters"},
      {"job_id, act, who, why, dsp_id", "1, 'exists', 'maria', 'x', 'a b'", "1 to 128 characters"},
      {"job_id, act, who, why, dsp_id", "1, 'exists', 'maria', 'x', 'a?b'", "1 to 128 characters"},
      {"job_id, act, who, why, dsp_id", "1, 'exists', 'maria', 'x', '..'", "1 to 128 characters"},
      {"job_id, act, who, why, dsp_id", "1, 'exists', 'maria', 'x', 'a' || char(10)",
       "1 to 128 characters"},
      {"job_id, act, who, why, dsp_id", "1, 'exists', 'maria', 'x', 'a' || char(0) || 'b c'",
       "1 to 128 characters"},
      {"job_id, act, who, why, dsp_id", "1, 'exists', 'maria', 'x', 'a\xc3\xa9'",
       "1 to 128 characters"},
      {"job_id, act, who, why, dsp_id", "1, 'exists', 'maria', 'x', printf('%0129d', 1)",
       "1 to 128 characters"},
      {"job_id, act, who, why, dsp_id", "1, 'cancel', 'maria', 'x', 'y'",
       "belongs to act 'exists'"},
      {"job_id, act, who, why", "1, 'priority', 'maria', 'x'", "priority is missing"},
      {"job_id, act, who, why, priority", "1, 'cancel', 'maria', 'x', 3",
       "belongs to act 'priority'"},
      {"job_id, act, who, why, applied_at", "1, 'cancel', 'maria', 'x', 3", "leave applied_at out"},
      {"job_id, act, who, why, at", "1, 'cancel', 'maria', 'x', -1", "leave at out"},
      {"job_id, act, who, why, at", "1, 'cancel', 'maria', 'x', 9223372036854775807",
       "leave at out"},
  };
  for (const Case& c : cases) {
    for (const char* mood :
         {"PRAGMA ignore_check_constraints = OFF", "PRAGMA ignore_check_constraints = ON"}) {
      as_stranger(mood);
      for (const char* verb : {"INSERT", "INSERT OR IGNORE", "REPLACE"}) {
        EXPECT_THAT(as_stranger(std::string(verb) + " INTO operator_act (" + c.columns +
                                ") VALUES (" + c.values + ")"),
                    HasSubstr(c.says))
            << c.values;
      }
    }
  }
  EXPECT_EQ("0", value("SELECT count(*) FROM operator_act"));
}

TEST_F(OperatorActs, RetryGivesTheAttemptsAnew) {
  put(kJob, JobState::failed,
      "tries = 4, setbacks = 2, looks = 3, overdue = 1, error = 'HTTP 422', due_at = 5, "
      "open_parents = 0, attempt = 5");
  EXPECT_EQ("", act("retry"));
  EXPECT_EQ("ready|0|0|0|0|NULL|NULL|5",
            column("state, tries, setbacks, looks, overdue, error, due_at, attempt"));
}

TEST_F(OperatorActs, RetryOfAKnownIdAsksForItAtOnce) {
  put(kJob, JobState::cancelled, "dsp_id = 'dsp-1', due_at = NULL");
  EXPECT_EQ("", act("retry"));
  EXPECT_EQ("confirming|dsp-1|70000", column("state, dsp_id, due_at"));
}

TEST_F(OperatorActs, RetryWithAnUnresolvedPostWaitsAsTheAccountSays) {
  struct Case {
    const char* policy;
    const char* hold;
    const char* due;
  };
  for (const Case& c : {Case{"hold", kHeldByPolicy, "NULL"}, Case{"resubmit", "NULL", "70000"},
                        Case{"lookup", "NULL", "186000"}}) {
    as_daemon(std::string("UPDATE account SET settle_ms = 180000, unknown_outcome = '") + c.policy +
              "'");
    arrange(JobState::failed, {.unresolved = true});
    EXPECT_EQ("", act("retry"));
    EXPECT_EQ(std::string("in_doubt|") + c.hold + "|" + c.due, column("state, hold, due_at"));
  }
}

TEST_F(OperatorActs, RetryOfACancelledJobWhoseRequestIsOpenWaitsForIt) {
  put(kJob, JobState::cancelled, "lease_token = 7, open_parents = 0");
  EXPECT_THAT(act("retry"), HasSubstr("a request of it is still open"));
  put(kJob, JobState::cancelled, "lease_token = 7, dsp_id = 'dsp-1'");
  EXPECT_EQ("", act("retry"));
  EXPECT_EQ("confirming|7", column("state, lease_token"));
}

TEST_F(OperatorActs, CancelKeepsTheEvidenceAndTheOpenRequest) {
  put(kJob, JobState::confirming, "dsp_id = 'dsp-1', lease_token = 7, error = 'slow', due_at = 9");
  EXPECT_EQ("", act("cancel"));
  EXPECT_EQ("cancelled|dsp-1|7|slow|NULL", column("state, dsp_id, lease_token, error, due_at"));
  put(kJob, JobState::in_doubt, "hold = 'why'");
  EXPECT_EQ("", act("cancel"));
  EXPECT_EQ("cancelled|NULL", column("state, hold"));
}

TEST_F(OperatorActs, AbsentWaitsUntilThePostsHaveSettled) {
  as_daemon("UPDATE account SET settle_ms = 180000");
  arrange(JobState::in_doubt, {.unresolved = true});
  as_daemon("UPDATE job SET hold = 'why', looks = 2 WHERE id = 3");
  EXPECT_EQ("", act("absent"));
  EXPECT_EQ("waiting|186000|NULL|0", column("state, due_at, hold, looks"));
  EXPECT_EQ("NULL", value("SELECT resolution FROM request ORDER BY id DESC LIMIT 1"));
  // Long ago: at once. A retry meanwhile is a doubt again, for nothing is resolved yet.
  EXPECT_EQ("", act("retry"));
  EXPECT_EQ("in_doubt", state());
  as_daemon("UPDATE account SET settle_ms = 10");
  EXPECT_EQ("", act("absent"));
  EXPECT_EQ("70000", column("due_at"));
}

TEST_F(OperatorActs, AbsentIsRefusedWhileALookupIsOnTheWire) {
  put(kJob, JobState::in_doubt, "lease_token = 7");
  EXPECT_THAT(act("absent"), HasSubstr("a lookup of it is on the wire"));
}

TEST_F(OperatorActs, ExistsResolvesThePostsAndAsksForTheId) {
  arrange(JobState::in_doubt, {.unresolved = true});
  as_daemon("UPDATE job SET hold = 'why', looks = 2, error = 'reset' WHERE id = 3");
  const std::int64_t other = request(fixture::kOther, "create");
  EXPECT_EQ("", act("exists", kJob, ", dsp_id", ", 12345"));
  EXPECT_EQ("confirming|12345|5000|70000|NULL|0|NULL",
            column("state, dsp_id, posted_at, due_at, hold, looks, error"));
  EXPECT_EQ("exists", value("SELECT resolution FROM request WHERE job_id = 3"));
  EXPECT_EQ("NULL", value("SELECT resolution FROM request WHERE id = " + std::to_string(other)));
}

// Or a word that is withdrawn would lead to a creation beyond 1 + max_retries.
TEST_F(OperatorActs, ExistsGivesAFailedJobItsAttemptsAnew) {
  arrange(JobState::failed, {});
  as_daemon("UPDATE job SET tries = 4 WHERE id = 3");

  EXPECT_EQ("", act("exists", kJob, ", dsp_id", ", 'dsp-9'"));

  EXPECT_EQ("0", column("tries"));
}

TEST_F(OperatorActs, ExistsKeepsWhatADoubtHasSpent) {
  arrange(JobState::in_doubt, {.unresolved = true});
  as_daemon("UPDATE job SET tries = 2 WHERE id = 3");

  EXPECT_EQ("", act("exists", kJob, ", dsp_id", ", 'dsp-9'"));

  EXPECT_EQ("2", column("tries"));
}

TEST_F(OperatorActs, PriorityOfACampaignIsItsWholeTrees) {
  EXPECT_EQ("", act("priority", 1, ", priority", ", -5"));
  EXPECT_EQ((std::vector<std::string>{"1|-5", "2|-5", "3|-5", "4|-5", "5|0", "6|0"}),
            rows("SELECT id, priority FROM job ORDER BY id"));
  put(kJob, JobState::submitting);
  EXPECT_EQ("", act("priority", kJob, ", priority", ", 7"));
  EXPECT_EQ("7|99", column("priority, lease_token"));
  EXPECT_EQ("-5", column("priority", 2));
}

TEST_F(OperatorActs, PauseAndResumeTheAccount) {
  const auto account = [&] {
    return value("SELECT paused_by, paused_reason, paused_at FROM account");
  };
  EXPECT_EQ("", as_stranger("INSERT INTO operator_act (act, who, why, at) VALUES ('pause', "
                            "'maria', 'lunch', 70000)"));
  EXPECT_EQ("maria|lunch|70000", account());
  EXPECT_EQ(
      "", as_stranger("INSERT INTO operator_act (act, who, why) VALUES ('resume', 'jo', 'back')"));
  EXPECT_EQ("NULL|NULL|NULL", account());
  as_daemon("UPDATE account SET paused_by = 'daemon', paused_reason = 'HTTP 401'");
  EXPECT_EQ(
      "",
      as_stranger("INSERT INTO operator_act (act, who, why) VALUES ('resume', 'jo', 'new token')"));
  EXPECT_EQ("NULL|NULL|NULL", account());
  expect_consistent();
}

TEST_F(OperatorActs, AreNotSaidInTheNameOfACheck) {
  for (const char* who : {"generation check", " Endpoint Check", "--hold"}) {
    EXPECT_THAT(as_stranger("INSERT INTO operator_act (act, who, why) VALUES ('pause', '" +
                            std::string(who) + "', 'y')"),
                HasSubstr("who is a person"));
  }
}

TEST_F(OperatorActs, ActOnManyJobsInOneStatementOrOnNone) {
  put(3, JobState::failed, "error = 'HTTP 422: bad creative', open_parents = 0");
  put(4, JobState::failed, "error = 'HTTP 422: bad creative too', open_parents = 0");
  put(5, JobState::failed, "error = 'HTTP 500'");
  const std::string retry =
      "INSERT INTO operator_act(job_id, act, who, why) SELECT job_id, 'retry', 'maria', 'creative "
      "fixed'";
  EXPECT_EQ("", as_stranger(retry + " FROM v_failed WHERE error LIKE '%creative%'"));
  EXPECT_EQ((std::vector<std::string>{"3|ready", "4|ready", "5|failed"}),
            rows("SELECT id, state FROM job WHERE id IN (3, 4, 5) ORDER BY id"));
  expect_consistent();
  EXPECT_THAT(as_stranger(retry + " FROM v_jobs ORDER BY state"), HasSubstr("retry: legal while"));
  EXPECT_EQ("failed", state(5));
  EXPECT_EQ("2", value("SELECT count(*) FROM operator_act"));
}

TEST_F(OperatorActs, MakeTheCountOfAStateThatHadNone) {
  put(kJob, JobState::ready);
  as_daemon("DELETE FROM job_count WHERE state = 'cancelled'");
  EXPECT_EQ("", act("cancel"));
  EXPECT_EQ(
      "1",
      value("SELECT n FROM job_count WHERE batch_id = 1 AND kind = 'ad' AND state = 'cancelled'"));
  expect_consistent();
}

TEST_F(OperatorActs, TakeTheTimeFromTheClockWhereNoneIsGiven) {
  EXPECT_EQ(
      "",
      as_stranger(
          "INSERT INTO operator_act (job_id, act, who, why) VALUES (3, 'cancel', 'maria', 'x')"));
  EXPECT_EQ("1", value("SELECT abs(at - unixepoch() * 1000) < 60000 AND abs(applied_at - at) < "
                       "60000 FROM operator_act"));
}

TEST_F(OperatorActs, WorkInTheShellWhileTheDaemonHasTheDatabaseOpen) {
  const ShellResult result = shell(
      "INSERT INTO operator_act (job_id, act, who, why) VALUES (3, 'cancel', 'maria', 'not "
      "wanted');\n");
  EXPECT_EQ(0, result.exit_code) << result.err;
  EXPECT_EQ("cancelled", state());
  EXPECT_EQ("0",
            value("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"));
}

}  // namespace
}  // namespace dl
