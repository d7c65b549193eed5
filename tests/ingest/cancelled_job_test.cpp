// New values for a job that was cancelled: they are taken as long as no POST of it may have reached
// the DSP.
#include <gtest/gtest.h>

#include "program.h"

namespace dl {
namespace {

const std::string kFromTheSheet =
    "SELECT body LIKE '%\"budget\":16000,%' FROM job_payload WHERE job_id = 1";

std::string corrected() { return sheet_of({row_with(1, "campaign_budget", "16000")}); }

void act(const Program& program, const std::string& what) {
  program.as_daemon("INSERT INTO operator_act (job_id, act, who, why) VALUES (1, '" + what +
                    "', 'maria', 'wrong budget')");
}

// Campaign 1 after one POST: how it was resolved, and where the rule with that id led.
struct Post {
  std::string resolution;
  int rule;
  std::string state;
  std::string dsp_id;
};
const Post kRefused{"'refused'", 8, "waiting", "NULL"};
const Post kUnknown{"NULL", 11, "in_doubt", "NULL"};
const Post kAccepted{"'accepted'", 4, "confirming", "'d1'"};

void post_once(const Program& program, const Post& post) {
  program.as_daemon(
      "INSERT INTO instance (uuid, pid, host, version, boot_key, machine_id, lock_device, "
      "lock_inode, started_at, "
      "started_boot_ms, stopped_at) VALUES ('u', 1, 'h', 'v', 'b', 'm', 1, 1, 1, 1, 1);"
      "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, sent_at, "
      "sent_boot_ms, finished_at, "
      "slot, resolution, dsp_id) VALUES (1, 1, 'create', 'POST', '/campaigns', 1, 0, 1, 1, 1, "
      "'answered', " +
      post.resolution + ", " + post.dsp_id +
      ");"
      "INSERT INTO job_history (job_id, at, rule_id, attempt) VALUES (1, 1, 2, 1), (1, 1, " +
      std::to_string(post.rule) +
      ", 1);"
      "UPDATE job SET state = '" +
      post.state + "', dsp_id = " + post.dsp_id +
      " WHERE id = 1;"
      "UPDATE job_count SET n = n - 1 WHERE kind = 'campaign' AND state = 'ready';"
      "INSERT INTO job_count VALUES (1, 'campaign', '" +
      post.state + "', 1)");
}

TEST(CancelledJob, ThatWasNeverSentTakesNewValuesAndSendsThemAfterARetry) {
  Program program;
  program.run({"-"}, sheet_of({sample_lines()[1]}));
  act(program, "cancel");
  const Ran planned = program.run({"plan", "-"}, corrected());
  EXPECT_EQ(planned.exit_code, 1) << "as the load will: " << planned.out << planned.err;
  const Ran ran = program.run({"-"}, corrected());
  EXPECT_EQ(ran.exit_code, 1) << "it stays cancelled: " << ran.err;
  EXPECT_EQ(ran.out, "stdin: batch 2: 0 new, 2 unchanged, 1 changed (1 row)\n");
  EXPECT_EQ(program.ask("SELECT state || attempt FROM job WHERE id = 1"), "cancelled1")
      << "loading is no retry";
  act(program, "retry");
  EXPECT_EQ(program.ask("SELECT state || attempt FROM job WHERE id = 1"), "ready1");
  EXPECT_EQ(program.ask(kFromTheSheet), "1");
}

const std::string kWhatToDo =
    "; dl-ingest results 2 says which and why; loading is no retry: INSERT INTO operator_act "
    "(job_id, act, who, why) SELECT "
    "job_id, 'retry', ... FROM v_jobs WHERE state IN ('failed', 'cancelled') AND NOT archived AND "
    "campaign = ...\n";

TEST(CancelledJob, IsToldToWhoeverLoadsItOrSomethingBelowIt) {
  const std::string more = sheet_of({sample_lines()[1], row_with(1, "ad_id", "new_ad")});
  Program program;
  program.run({"-"}, sheet_of({sample_lines()[1]}));
  EXPECT_EQ(program.run({"plan", "-"}, more).out.find("would not be sent"), std::string::npos);
  act(program, "cancel");
  const Ran planned = program.run({"plan", "-"}, more);
  EXPECT_NE(planned.out.find("  at least 0 requests, "), std::string::npos) << planned.out;
  EXPECT_NE(planned.out.find("  2 of 2 rows would not be sent as things stand: 2 behind what has "
                             "failed, was cancelled or "
                             "is in doubt; "),
            std::string::npos)
      << planned.out;
  EXPECT_EQ(planned.exit_code, 1);
  const Ran below = program.run({"-"}, more);
  EXPECT_EQ(below.exit_code, 1);
  EXPECT_EQ(below.out, "stdin: batch 2: 1 new, 3 unchanged (2 rows)\n");
  EXPECT_EQ(below.err,
            "stdin: 2 of 2 rows will not be sent as things stand: 2 behind what has failed, was "
            "cancelled or is "
            "in doubt" +
                kWhatToDo);
  program.as_daemon(
      "INSERT INTO operator_act (job_id, act, who, why) SELECT job_id, 'retry', 'maria', 'x' FROM "
      "v_jobs "
      "WHERE state IN ('failed', 'cancelled') AND campaign = 'cmp_2025_001'");
  EXPECT_EQ(program.run({"-"}, more).exit_code, 0) << "after the act that was named";
  program.as_daemon(
      "INSERT INTO operator_act (job_id, act, who, why) SELECT job_id, 'cancel', 'maria', 'x' FROM "
      "v_jobs "
      "WHERE key LIKE '%/new_ad'");
  const Ran itself = program.run({"-"}, more);
  EXPECT_EQ(itself.exit_code, 1);
  EXPECT_NE(itself.err.find("stdin: 1 of 2 rows will not be sent as things stand: 1 cancelled; "),
            std::string::npos)
      << itself.err;
  EXPECT_EQ(program.run({"-"}, sheet_of({row_with(1, "campaign_id", "another")})).exit_code, 0)
      << "has nothing to do with it";
}

TEST(CancelledJob, WhosePostWasRefusedSendsNewValuesUnderANewKey) {
  Program program;
  program.run({"-"}, sheet_of({sample_lines()[1]}));
  post_once(program, kRefused);
  act(program, "cancel");
  EXPECT_EQ(program.run({"-"}, corrected()).out,
            "stdin: batch 2: 0 new, 2 unchanged, 1 changed (1 row)\n");
  act(program, "retry");
  EXPECT_EQ(program.ask("SELECT state || attempt FROM job WHERE id = 1"), "ready2");
  EXPECT_EQ(program.ask(kFromTheSheet), "1");
  EXPECT_EQ(program.ask("SELECT what FROM v_broken_promises"), "");
}

TEST(CancelledJob, WhosePostMayHaveBeenAppliedKeepsItsValues) {
  for (const Post& post : {kUnknown, kAccepted}) {
    Program program;
    program.run({"-"}, sheet_of({sample_lines()[1]}));
    post_once(program, post);
    act(program, "cancel");
    const Ran ran = program.run({"-"}, corrected());
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_EQ(ran.err.substr(0, ran.err.find('\n') + 1),
              "stdin:2: campaign_id: conflict: this campaign is cancelled already, with other "
              "values; the new ones "
              "were not taken over: \"cmp_2025_001\" (warning)\n");
    EXPECT_EQ(program.ask(kFromTheSheet), "0");
    EXPECT_EQ(program.ask("SELECT state || attempt FROM job WHERE id = 1"), "cancelled1");
    act(program, "retry");
    EXPECT_EQ(program.ask("SELECT state FROM job WHERE id = 1"), post.state);
    EXPECT_EQ(program.ask("SELECT what FROM v_broken_promises"), "");
  }
}

}  // namespace
}  // namespace dl
