// Every view prepares, hides what is still loading, and answers its question on a small sheet.
#include <gmock/gmock.h>

#include "tests/storage/sql_fixture.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Lines = std::vector<std::string>;

class Views : public SqlTest {
 protected:
  Lines views() {
    return rows(
        "SELECT name FROM sqlite_schema WHERE type = 'view' AND name LIKE 'v!_%' ESCAPE '!'");
  }
  std::string plan(const std::string& sql) {
    std::string text;
    for (const std::string& line : rows("EXPLAIN QUERY PLAN " + sql)) text += line + "\n";
    return text;
  }
};

TEST_F(Views, AllPrepareAlsoForOurReadOnlyPrograms) {
  auto reader = Database::open(path(), OpenMode::read_only);
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_GE(views().size(), 14U);
  for (const std::string& view : views()) {
    EXPECT_NO_THROW((*reader)->handle().execAndGet("SELECT count(*) FROM " + view)) << view;
  }
}

TEST_F(Views, ShowNothingOfABatchThatIsLoading) {
  put(fixture::kHidden, JobState::failed, "error = 'x'");
  for (const char* view :
       {"v_jobs", "v_campaigns", "v_tree", "v_failed", "v_in_doubt", "v_blocked", "v_results"}) {
    EXPECT_EQ("0", value("SELECT count(*) FROM " + std::string(view) + " WHERE key = 'c3'"))
        << view;
  }
  EXPECT_EQ("0", value("SELECT count(*) FROM v_progress WHERE source = 'summer.csv'"));
  EXPECT_EQ("0", value("SELECT count(*) FROM v_failed_groups"));
}

// Nor of its jobs that come below a campaign which was there before.
TEST_F(Views, CountNoChildrenOfABatchThatIsLoading) {
  put(fixture::kGroup, JobState::failed, "error = 'x'");
  as_daemon(
      "INSERT INTO job (id, batch_id, kind, key, root_id, level, state, open_parents, updated_at) "
      "VALUES (7, 2, 'ad', 'c1/g1/new', 1, 2, 'blocked', 1, 3000);"
      "INSERT INTO job_edge (parent_id, child_id) VALUES (2, 7);");
  EXPECT_EQ("4", value("SELECT total FROM v_campaigns WHERE key = 'c1'"));
  EXPECT_EQ("2", value("SELECT children FROM v_failed WHERE key = 'c1/g1'"));
}

TEST_F(Views, ProgressCountsSucceededOfNotCancelled) {
  put(3, JobState::succeeded);
  put(4, JobState::cancelled);
  EXPECT_THAT(rows("SELECT kind, total, succeeded, blocked, ready, cancelled, percent, loaded_utc "
                   "FROM v_progress ORDER BY kind"),
              ElementsAre("ad|2|1|0|0|1|100.0|1970-01-01 00:00:02.000Z",
                          "ad_group|1|0|1|0|0|0.0|1970-01-01 00:00:02.000Z",
                          "campaign|2|0|0|2|0|0.0|1970-01-01 00:00:02.000Z"));
}

TEST_F(Views, CampaignsRollTheirTreesUpAndNameTheWorstError) {
  put(1, JobState::succeeded);
  put(2, JobState::waiting, "error = 'HTTP 500'");
  put(3, JobState::failed, "error = 'HTTP 422: bad creative'");
  EXPECT_THAT(
      rows("SELECT key, name, state, dsp_id, total, succeeded, under_way, failed, blocked, "
           "percent, error FROM v_campaigns ORDER BY job_id"),
      ElementsAre("c1|Spring|succeeded|dsp-1|4|1|1|1|1|25.0|c1/g1/a1: HTTP 422: bad creative",
                  "c2|Autumn|ready|NULL|1|0|1|0|0|0.0|NULL"));
}

TEST_F(Views, CampaignsHaveTheNameOfThePayloadWhateverIsInIt) {
  const auto name = [&](const std::string& body) {
    as_daemon("UPDATE job_payload SET body = '" + body + "' WHERE job_id = 1");
    return value("SELECT name FROM v_campaigns WHERE key = 'c1'");
  };
  EXPECT_EQ("Spring", name(R"({"id":"\"name\":\"x","name":"Spring","objective":"y"})"));
  EXPECT_EQ(R"(a "quoted" \ one\)", name(R"({"id":"c1","name":"a \"quoted\" \\ one\\"})"));
  EXPECT_EQ("", name(R"({"id":"c1","name":""})"));
  EXPECT_EQ("NULL", name(R"({"id":"c1"})"));
}

TEST_F(Views, ResultsGiveTheIdsBackAsTheSheetHadThem) {
  as_daemon(
      "INSERT INTO job (id, batch_id, kind, key, root_id, level, state, updated_at) VALUES (7, 1, "
      "'campaign', 'a%2Fb', 7, 0, 'ready', 1),"
      " (8, 1, 'ad_group', 'a%2Fb/%252F', 7, 1, 'blocked', 1), (9, 1, 'ad', 'a%2Fb/%252F/50%25', "
      "7, 2, 'blocked', 1);"
      "INSERT INTO job_edge (parent_id, child_id) VALUES (7, 8), (8, 9); INSERT INTO batch_row "
      "(batch_id, row, line, job_id) VALUES (1, 4, 5, 9)");
  EXPECT_EQ("a/b|%2F|50%",
            value("SELECT campaign_id, ad_group_id, ad_id FROM v_results WHERE row = 4"));
}

TEST_F(Views, TreeIsPrintedInTheOrderOfTheSheet) {
  as_daemon(
      "INSERT INTO job (id, batch_id, kind, key, root_id, level, state, open_parents, updated_at)"
      " VALUES (7, 1, 'ad_group', 'c1/g2', 1, 1, 'blocked', 1, 2000), (8, 1, 'ad', 'c1/g2/a3', 1, "
      "2, 'blocked', 1, 2000);"
      "INSERT INTO job_edge (parent_id, child_id) VALUES (1, 7), (7, 8)");
  EXPECT_THAT(rows("SELECT tree FROM v_tree"),
              ElementsAre("c1", "  c1/g1", "    c1/g1/a1", "    c1/g1/a2", "  c1/g2",
                          "    c1/g2/a3", "c2"));
  EXPECT_THAT(rows("SELECT tree FROM v_tree WHERE campaign = 'c2'"), ElementsAre("c2"));
}

TEST_F(Views, FailedJobsAreGroupedByTheirErrorWithoutItsNumbers) {
  put(3, JobState::failed, "error = 'HTTP 422: creative 1234567 too large', tries = 1");
  put(4, JobState::failed, "error = 'HTTP 422: creative 89 too large'");
  request(3, "create", "finished_at = 6000, slot = 'answered', http_status = 500");
  request(3, "create",
          "finished_at = 7000, slot = 'answered', http_status = 422, outcome = 'refused_for_good'");
  EXPECT_THAT(rows("SELECT job_id, key, error_group, tries, http_status, outcome FROM v_failed "
                   "ORDER BY job_id"),
              ElementsAre("3|c1/g1/a1|HTTP #: creative # too large|1|422|refused_for_good",
                          "4|c1/g1/a2|HTTP #: creative # too large|0|NULL|NULL"));
  EXPECT_THAT(rows("SELECT error_group, jobs, example_key FROM v_failed_groups"),
              ElementsAre("HTTP #: creative # too large|2|c1/g1/a1"));
}

// The first look is permitted together with its POST, and not sent where that is refused.
TEST_F(Views, FailedJobsShowWhatTheDspSaidAndNotALookThatWasNeverSent) {
  put(3, JobState::failed, "error = 'HTTP 422: no bid', tries = 1");
  request(3, "create",
          "finished_at = 7000, slot = 'answered', http_status = 422, outcome = 'refused_for_good'");
  request(3, "status", "finished_at = 7000, slot = 'not_sent', outcome = 'not_sent'");
  EXPECT_THAT(rows("SELECT http_status, outcome FROM v_failed"),
              ElementsAre("422|refused_for_good"));
}

TEST_F(Views, InDoubtHoldsAllTheEvidenceInOneRow) {
  put(3, JobState::in_doubt, "hold = 'no proof', error = 'reset'");
  const auto first = request(
      3, "create",
      "finished_at = 65000, slot = 'unsure', latency_us = 60000000, error = 'connection reset'");
  EXPECT_EQ(
      "c1/g1/a1|no proof|reset|1|1|POST|/ads|key-3|{\"sent\":1}|sent, no complete "
      "answer|1970-01-01 00:00:05.000Z|"
      "1970-01-01 00:01:05.000Z|60000|NULL|connection reset",
      value("SELECT key, hold, job_error, attempt, unresolved_posts, method, path, "
            "idempotency_key, sent_body, phase, sent_utc, finished_utc,"
            " latency_ms, http_status, answer FROM v_in_doubt"));
  // A resubmission shows the bytes of the first, which it copied.
  as_daemon(
      "INSERT INTO request (job_id, attempt, purpose, method, path, body_request_id, instance_id, "
      "worker, sent_at, sent_boot_ms, finished_at, slot)"
      " VALUES (3, 1, 'resubmit', 'POST', '/ads', " +
      std::to_string(first) + ", 1, 0, 70000, 70000, 71000, 'answered')");
  EXPECT_EQ("resubmit|{\"sent\":1}|2",
            value("SELECT purpose, sent_body, unresolved_posts FROM v_in_doubt"));
}

TEST_F(Views, WhatInDoubtSaysToInsertWorks) {
  for (const char* column : {"if_the_dsp_has_it", "if_it_has_not"}) {
    put(3, JobState::in_doubt, "hold = 'no proof'");
    std::string insert = value("SELECT replace(" + std::string(column) +
                               ", '<id at the DSP>', 'x1') FROM v_in_doubt");
    EXPECT_EQ("", as_stranger(insert));
  }
  EXPECT_THAT(rows("SELECT act FROM v_acts ORDER BY act_id"), ElementsAre("exists", "absent"));
}

TEST_F(Views, BlockedNamesTheCulpritThatAnOperatorMustSeeTo) {
  const auto blocked = [&] {
    return rows(
        "SELECT key, stuck, culprit_key, culprit_state, culprit_error FROM v_blocked ORDER BY "
        "job_id");
  };
  EXPECT_THAT(blocked(), ElementsAre("c1/g1|0|c1|ready|NULL", "c1/g1/a1|0|c1|ready|NULL",
                                     "c1/g1/a2|0|c1|ready|NULL"));
  put(1, JobState::failed, "error = 'HTTP 422'");
  EXPECT_THAT(blocked(), Contains("c1/g1/a2|1|c1|failed|HTTP 422"));
  put(1, JobState::succeeded);
  put(2, JobState::in_doubt);
  EXPECT_THAT(blocked(),
              ElementsAre("c1/g1/a1|0|c1/g1|in_doubt|NULL", "c1/g1/a2|0|c1/g1|in_doubt|NULL"));
  put(2, JobState::in_doubt, "hold = 'no proof'");
  EXPECT_THAT(blocked(), ElementsAre("c1/g1/a1|1|c1/g1|in_doubt|no proof",
                                     "c1/g1/a2|1|c1/g1|in_doubt|no proof"));
  put(2, JobState::cancelled);
  EXPECT_THAT(rows("SELECT key FROM v_blocked WHERE stuck AND culprit_key = 'c1/g1'"),
              ElementsAre("c1/g1/a1", "c1/g1/a2"));
}

TEST_F(Views, BlockedPrefersTheAncestorInTroubleOverANearerOneUnderWay) {
  as_daemon(
      "INSERT INTO job (id, batch_id, kind, key, root_id, level, state, updated_at) VALUES (7, 1, "
      "'ad_group', 'c1/g2', 1, 1, 'ready', 2000);"
      "INSERT INTO job_edge (parent_id, child_id) VALUES (7, 3)");
  put(1, JobState::cancelled);
  EXPECT_EQ("c1|1", value("SELECT culprit_key, stuck FROM v_blocked WHERE key = 'c1/g1/a1'"));
}

TEST_F(Views, HistoryReadsAsASentence) {
  put(3, JobState::ready, "open_parents = 0");
  const auto post =
      request(3, "create",
              "finished_at = 6000, slot = 'answered', http_status = 422, resolution = 'refused'");
  as_daemon(
      "INSERT INTO job_history (job_id, at, rule_id, attempt, request_id) VALUES (3, 5000, 2, 1, " +
      std::to_string(post) +
      "),"
      " (3, 6000, 9, 1, " +
      std::to_string(post) + ")");
  put(3, JobState::failed, "open_parents = 0");
  EXPECT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, who, why, at) VALUES (3, "
                            "'retry', 'maria', 'fixed', 7000)"));
  EXPECT_THAT(
      rows("SELECT utc, from_state, event, to_state, by_whom, reason, http_status FROM v_history "
           "WHERE key = 'c1/g1/a1' ORDER BY id"),
      ElementsAre("1970-01-01 00:00:05.000Z|ready|leased|submitting|daemon|NULL|422",
                  "1970-01-01 00:00:06.000Z|submitting|refused_for_good|failed|daemon|NULL|422",
                  "1970-01-01 00:00:07.000Z|failed|retry_ready|ready|maria|fixed|NULL"));
}

TEST_F(Views, RateCountsTheLastWindowAgainstTheLimit) {
  EXPECT_EQ(
      "0|NULL|60000|none|0|0",
      value("SELECT sent, limit_count, window_ms, rate_limit, refused, on_the_wire FROM v_rate"));
  as_daemon(
      "UPDATE account SET rate_limit = '40/60s', limit_count = 40, limit_window_ms = 60000, cap = "
      "30,"
      " paused_by = 'daemon', paused_reason = 'HTTP 401', paused_at = 1000, gate_at = (unixepoch() "
      "+ 100) * 1000;"
      "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, sent_at, "
      "sent_boot_ms, finished_at, slot, http_status)"
      " SELECT 1, 1, 'status', 'GET', '/', 1, 0, unixepoch() * 1000 - age, 0, nullif(age, 1), "
      "iif(age = 1, NULL, slot), http_status FROM ("
      "  SELECT 200000 AS age, 'answered' AS slot, 429 AS http_status UNION ALL SELECT 70000, "
      "'answered', 200"
      "  UNION ALL SELECT 30000, 'answered', 429 UNION ALL SELECT 20000, 'not_sent', NULL UNION "
      "ALL SELECT 10000, 'unsure', NULL"
      "  UNION ALL SELECT 1, NULL, NULL)");
  EXPECT_EQ("3|40|30|1|1|1|daemon|HTTP 401",
            value("SELECT sent, limit_count, cap, refused, on_the_wire, closed_until_utc IS NOT "
                  "NULL, paused_by, paused_reason FROM v_rate"));
}

TEST_F(Views, EtaSaysWhatTheDaemonSaidOrWhyItIsStalled) {
  const auto says = [&] { return value("SELECT says FROM v_eta"); };
  EXPECT_EQ("5|0|5|0.0", value("SELECT total, succeeded, remaining, percent FROM v_eta"));
  EXPECT_THAT(says(), HasSubstr("no daemon has said yet"));
  as_daemon("UPDATE account SET eta_note = 'clears', eta_at = 60000");
  EXPECT_EQ("clears|1970-01-01 00:01:00Z", value("SELECT says, eta_utc FROM v_eta"));
  EXPECT_EQ("", as_stranger(
                    "INSERT INTO operator_act (act, who, why) VALUES ('pause', 'maria', 'lunch')"));
  EXPECT_EQ("stalled: paused by maria: lunch", says());
  EXPECT_EQ("", as_stranger(
                    "INSERT INTO operator_act (act, who, why) VALUES ('resume', 'maria', 'back')"));
  // of what was there before these were loaded
  as_daemon("UPDATE account SET eta_note = 'done', eta_at = NULL");
  EXPECT_THAT(says(), HasSubstr("no daemon has said yet"));
  for (const int job : {1, 2, 3, 4}) put(job, JobState::succeeded);
  put(5, JobState::failed);
  EXPECT_EQ("done", says());
  for (const int job : {1, 2, 3, 4}) put(job, JobState::succeeded);
  put(5, JobState::cancelled);
  EXPECT_EQ("done", says());
}

TEST_F(Views, ResultsAreTheUsersRowsInTheirOrder) {
  put(1, JobState::succeeded);
  put(2, JobState::failed, "error = 'HTTP 422: no bid'");
  put(5, JobState::in_doubt, "hold = 'no proof'");
  request(5, "create", "finished_at = 6000, slot = 'not_sent', resolution = 'not_sent'");
  request(5, "create", "finished_at = 7000, slot = 'unsure'");
  EXPECT_THAT(
      rows("SELECT row, line, campaign_id, ad_group_id, ad_id, state, campaign_dsp_id, "
           "ad_group_dsp_id, ad_dsp_id, error, attempts"
           " FROM v_results ORDER BY batch_id, row"),
      ElementsAre("1|2|c1|g1|a1|blocked|dsp-1|NULL|NULL|its ad group is failed: HTTP 422: no bid|0",
                  "2|3|c1|g1|a2|blocked|dsp-1|NULL|NULL|its ad group is failed: HTTP 422: no bid|0",
                  "3|4|c2|NULL|NULL|in_doubt|NULL|NULL|NULL|no proof|1"));
  put(2, JobState::blocked);
  put(1, JobState::cancelled);
  EXPECT_EQ("its campaign is cancelled", value("SELECT error FROM v_results WHERE row = 1"));
}

TEST_F(Views, GoByAnIndexWhereTheySaySo) {
  EXPECT_THAT(plan("SELECT * FROM v_failed"), HasSubstr("USING INDEX job_halted"));
  EXPECT_THAT(plan("SELECT * FROM v_in_doubt"), HasSubstr("USING INDEX job_halted"));
  EXPECT_THAT(plan("SELECT * FROM v_progress"), Not(HasSubstr("SCAN job\n")));
  for (const char* view :
       {"v_jobs", "v_tree", "v_blocked", "v_campaigns", "v_history", "v_requests"}) {
    for (const char* where : {"key = 'c1'", "job_id = 1"}) {
      const std::string text = plan("SELECT * FROM " + std::string(view) + " WHERE " + where);
      for (const char* scan : {"SCAN job", "SCAN request", "SCAN blocked", "SCAN campaign"}) {
        EXPECT_THAT(text, Not(HasSubstr(scan))) << view << " " << where;
      }
    }
  }
  EXPECT_THAT(plan("SELECT * FROM v_results WHERE batch_id = 1"),
              HasSubstr("SEARCH batch_row USING PRIMARY KEY (batch_id=?)"));
}

TEST_F(Views, AndTablesAreDocumentedColumnByColumn) {
  const std::string text = text_of(in_tree("docs/SCHEMA.md"));
  for (const std::string& table :
       rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")) {
    const auto begin = text.find("### " + table + "\n");
    ASSERT_NE(std::string::npos, begin) << table;
    const std::string section = text.substr(begin, text.find("\n### ", begin) - begin);
    for (const std::string& column : rows("SELECT name FROM pragma_table_info('" + table + "')")) {
      EXPECT_THAT(section, HasSubstr("\n| `" + column + "` |")) << table;
    }
  }
  for (const std::string& view : views()) {
    const auto begin = text.find("**" + view + "**");
    ASSERT_NE(std::string::npos, begin) << view;
    const std::string section = text.substr(begin, text.find("\n\n", begin) - begin);
    for (const std::string& column : rows("SELECT name FROM pragma_table_info('" + view + "')")) {
      EXPECT_THAT(section, HasSubstr("`" + column + "`")) << view;
    }
  }
}

}  // namespace
}  // namespace dl
