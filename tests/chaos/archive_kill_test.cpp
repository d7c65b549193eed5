// dl-ingest archive, killed between its two commits and after them: the next run loses nothing and
// doubles nothing.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/support/process.h"

namespace dl::chaos {
namespace {

Launch archive_of(const std::string& db, const std::string& fault = "") {
  Launch launch{.program = "dl-ingest",
                .arguments = {"--db", db, "archive", "--older-than", "180d"},
                .environment = {},
                .errors_to = ErrorsTo::file};
  if (!fault.empty()) launch.environment["DL_FAULT"] = fault;
  return launch;
}

// What a table holds, as a SELECT. Left out: when and where something was archived.
std::string all_of(SQLite::Database& db, const std::string& schema, const std::string& table) {
  std::string columns;
  SQLite::Statement info(
      db,
      "SELECT name FROM pragma_table_info(?1) WHERE name NOT IN ('archived_at', 'archived_to')");
  info.bind(1, table);
  while (info.executeStep())
    columns += (columns.empty() ? "" : ", ") + info.getColumn(0).getString();
  return "SELECT " + columns + " FROM " + schema + "." + table;
}

// The tables whose rows are not the same in both files, with how many more the first one has.
std::string differences(const std::string& file, const std::string& as_in) {
  SQLite::Database db(file);
  SQLite::Statement attach(db, "ATTACH ?1 AS other");
  attach.bind(1, as_in);
  attach.exec();
  std::string found;
  for (const std::string table :
       {"batch", "batch_row", "job", "job_payload", "job_edge", "request", "request_body",
        "job_history", "operator_act", "instance", "job_count"}) {
    const std::string here = all_of(db, "main", table);
    const std::string there = all_of(db, "other", table);
    const int more = db.execAndGet("SELECT (SELECT count(*) FROM main." + table +
                                   ") - (SELECT count(*) FROM other." + table + ")")
                         .getInt();
    const int alien =
        db.execAndGet("SELECT (SELECT count(*) FROM (" + here + " EXCEPT " + there +
                      ")) + (SELECT count(*) FROM (" + there + " EXCEPT " + here + "))")
            .getInt();
    if (more != 0 || alien != 0)
      found += table + " " + std::to_string(more) + " " + std::to_string(alien) + "; ";
  }
  return found;
}

std::int64_t number(const std::string& file, const std::string& query) {
  return SQLite::Database(file).execAndGet(query).getInt64();
}

TEST(Archiving, KilledBetweenItsCommitsLosesAndDoublesNothing) {
  const TemporaryFolder folder;
  const std::string years = folder.file("years.db");
  ASSERT_EQ(run(Launch{.program = "dl-make-table",
                       .arguments = {"--db", years, "--jobs", "2220", "--batch-jobs", "555",
                                     "--live", "555"},
                       .environment = {},
                       .errors_to = ErrorsTo::file})
                .exit_code,
            0);
  const std::string model = folder.file("model.db");  // what becomes of it when nobody dies
  std::filesystem::copy_file(years, model);
  const Finish undisturbed = run(archive_of(model));
  ASSERT_EQ(undisturbed.exit_code, 0) << undisturbed.err;
  ASSERT_EQ(number(years, "SELECT count(*) FROM request"),
            number(model, "SELECT count(*) FROM request") +
                number(model + ".archive", "SELECT count(*) FROM request"));
  ASSERT_GT(number(model + ".archive", "SELECT count(*) FROM batch_row"), 0);
  // The first steps move rows of batches, from about the twentieth on jobs.
  for (const char* moment : {"archive.copied:1", "archive.copied:6", "archive.copied:20",
                             "archive.moved:1", "archive.moved:6", "archive.moved:20"}) {
    const std::string db = folder.file(std::string("killed ") + moment + ".db");
    std::filesystem::copy_file(years, db);
    ASSERT_EQ(run(archive_of(db, std::string(moment) + ":kill")).exit_code, 128 + SIGKILL)
        << moment;
    EXPECT_NE(differences(db + ".archive", model + ".archive"), "")
        << moment << ": it died at its end";
    const Finish again = run(archive_of(db));
    EXPECT_EQ(again.exit_code, 0) << moment << again.err;
    EXPECT_EQ(differences(db, model), "") << moment;
    EXPECT_EQ(differences(db + ".archive", model + ".archive"), "") << moment;
  }
}

}  // namespace
}  // namespace dl::chaos
