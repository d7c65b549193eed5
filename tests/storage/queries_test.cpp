// Every query of storage/sql against the newest schema, and how SQLite means to run the ones whose
// cost must not grow with the table.
#include <gmock/gmock.h>
#include <sqlite3.h>

#include "queries_sql.h"
#include "tests/storage/sql_fixture.h"

namespace dl {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class Queries : public SqlTest {
 protected:
  // The steps of a query's plan, as EXPLAIN QUERY PLAN words them.
  std::vector<std::string> plan(std::string_view text) {
    std::vector<std::string> steps;
    SQLite::Statement explain(database_->handle(), "EXPLAIN QUERY PLAN " + std::string(text));
    while (explain.executeStep()) steps.push_back(explain.getColumn(3).getString());
    return steps;
  }

  // Years of finished work: what a plan must not touch.
  void add_history() {
    as_daemon(
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 100) "
        "INSERT INTO instance SELECT i, i, 1, 'host', '0.1', 'boot', 'machine', 1, 1, i, i, i, "
        "NULL FROM "
        "n");
    as_daemon(
        "WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 2100) "
        "INSERT INTO job (id, batch_id, kind, key, root_id, level, state, dsp_id, updated_at) "
        "SELECT i, 1, 'ad', 'old/' || i, 1, 2, 'succeeded', 'x', 1 FROM n");
    as_daemon(
        "INSERT INTO job_edge (parent_id, child_id) SELECT 2, id FROM job WHERE id >= 100;"
        "INSERT INTO request (job_id, attempt, purpose, method, path, instance_id, worker, "
        "sent_at, sent_boot_ms,"
        " finished_at, slot, resolution) SELECT id, 1, 'create', 'POST', '/ads', 1, 0, 1, 1, 2, "
        "'answered', 'accepted'"
        " FROM job WHERE id >= 100");
  }
};

TEST_F(Queries, AllFitTheNewestSchemaOneStatementEachWithNamedParameters) {
  database_->handle().exec(
      std::string(sql::k_ingest_make_changes));  // a temporary table some others name
  int count = 0;
  for (const sql::Entry& query : sql::kAll) {
    if (query.text == sql::k_ingest_make_changes) continue;
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    sqlite3* raw = database_->handle().getHandle();
    ASSERT_EQ(SQLITE_OK, sqlite3_prepare_v2(raw, query.text.data(),
                                            static_cast<int>(query.text.size()), &statement, &rest))
        << query.name << ": " << sqlite3_errmsg(raw);
    ASSERT_NE(statement, nullptr) << query.name << " is empty";
    EXPECT_EQ(std::string_view(rest).find_first_not_of(" \n"), std::string_view::npos)
        << query.name << " goes on: " << rest;
    for (int i = 1; i <= sqlite3_bind_parameter_count(statement); ++i) {
      const char* name = sqlite3_bind_parameter_name(statement, i);
      EXPECT_TRUE(name != nullptr && name[0] == ':') << query.name << ", parameter " << i;
    }
    EXPECT_THAT(std::string(query.text), ::testing::Not(HasSubstr("SELECT *"))) << query.name;
    sqlite3_finalize(statement);
    ++count;
  }
  EXPECT_GT(count, 50);
}

TEST_F(Queries, OfTheHotPathUseTheirPartialIndexAndSortNothing) {
  struct Expected {
    std::string_view text;
    const char* step;  // how the table that could be long is reached
  };
  const char* by_id = "USING INTEGER PRIMARY KEY (rowid=?)";
  const char* by_job = "(job_id=?)";
  const Expected queries[] = {
      {sql::k_load_ready, "SCAN j USING INDEX job_ready"},
      {sql::k_load_waiting, "SEARCH j USING INDEX job_due (state=?)"},
      {sql::k_load_confirming, "SEARCH j USING INDEX job_due (state=?)"},
      {sql::k_load_in_doubt, "SEARCH j USING INDEX job_halted (state=?)"},
      {sql::k_open_requests, "SCAN r USING INDEX request_open"},
      {sql::k_unresolved_creation, by_job},
      {sql::k_post_obstacles, by_job},
      {sql::k_resolve_posts, by_job},
      {sql::k_id_was_declared, by_job},
      {sql::k_children_of, "SEARCH job_edge USING PRIMARY KEY (parent_id=?)"},
      {sql::k_promote_child, by_id},
      {sql::k_leased_job, by_id},
      {sql::k_permit_facts, by_id},
      {sql::k_move_job, by_id},
      {sql::k_lease_job, by_id},
      {sql::k_release_lease, by_id},
      {sql::k_make_due, by_id},
      {sql::k_finish_request, by_id},
  };
  add_history();
  for (const char* statistics :
       {"SELECT 1", "ANALYZE"}) {  // an operator may run ANALYZE: the plans stay
    database_->handle().exec(statistics);
    for (const Expected& query : queries) {
      const std::vector<std::string> steps = plan(query.text);
      const std::string all = ::testing::PrintToString(steps) + " after " + statistics;
      EXPECT_THAT(steps, Contains(HasSubstr(query.step))) << all;
      for (const std::string& step : steps) {
        EXPECT_THAT(step, ::testing::Not(HasSubstr("USE TEMP B-TREE"))) << query.text << all;
        const bool is_scan = step.rfind("SCAN", 0) == 0 && step != "SCAN CONSTANT ROW";
        EXPECT_TRUE(!is_scan || step == query.step) << query.text << all;
      }
    }
  }
}

// The archive goes through the jobs once, from id to id, and for each by its keys: nothing else may
// walk a long table.
TEST_F(Queries, OfTheArchiveWalkNothingButWhatTheyMove) {
  const std::string_view queries[] = {
      sql::k_archive_candidates,      sql::k_archive_live_trees,     sql::k_archive_last_job,
      sql::k_archive_family,          sql::k_archive_mark_job,       sql::k_archive_delete_bodies,
      sql::k_archive_delete_requests, sql::k_archive_delete_history, sql::k_archive_rows,
      sql::k_archive_delete_rows,     sql::k_archive_empty_payload,  sql::k_archive_open_trees,
      sql::k_archive_is_of,           sql::k_archive_begin_batch,    sql::k_archive_end_batch,
      sql::k_archive_batch_is_here,   sql::k_archive_acts_since,     sql::k_archive_newest_act,
  };
  add_history();
  for (const char* statistics : {"SELECT 1", "ANALYZE"}) {
    database_->handle().exec(statistics);
    for (const std::string_view query : queries) {
      for (const std::string& step : plan(query)) {
        const bool is_scan = step.rfind("SCAN", 0) == 0;
        const bool is_short = step == "SCAN CONSTANT ROW" ||
                              step == "SCAN f" /* the ancestors of one job */ ||
                              step == "SCAN r USING INDEX request_open" /* what is on the wire */;
        EXPECT_TRUE(!is_scan || is_short) << query << step << " after " << statistics;
      }
    }
    EXPECT_EQ(plan(sql::k_archive_newest_trees)[1], "SCAN request") << "from its end, as far as :n";
  }
}

TEST_F(Queries, ReadTheLimitersMemoryNewestFirstWithoutSorting) {
  add_history();
  for (const char* statistics : {"SELECT 1", "ANALYZE"}) {
    database_->handle().exec(statistics);
    EXPECT_EQ(plan(sql::k_recent_requests),
              (std::vector<std::string>{"SCAN r", "SEARCH i USING INTEGER PRIMARY KEY (rowid=?)"}))
        << "the reader stops it after a few rows";
  }
}

}  // namespace
}  // namespace dl
