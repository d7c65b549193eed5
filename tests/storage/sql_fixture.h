// A small database for tests of the SQL side: two campaigns that are loaded, one that is still
// loading, written as our programs write; and the two ways a stranger reaches it: a plain
// connection without our function, and the real `sqlite3` shell. Thread rule: one test, one thread.
// Owns its folder.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/model/job_state.h"

namespace dl {

// Jobs of the fixture. c1 > g1 > a1, a2 and c2 belong to the loaded batch 1; hidden to the loading
// batch 2.
namespace fixture {
inline constexpr int kCampaign = 1;
inline constexpr int kGroup = 2;
inline constexpr int kAd = 3;
inline constexpr int kAd2 = 4;
inline constexpr int kOther = 5;
inline constexpr int kHidden = 6;
}  // namespace fixture

struct ShellResult {
  int exit_code = 0;
  std::string out;
  std::string err;
};

class SqlTest : public ::testing::Test {
 protected:
  SqlTest();
  ~SqlTest() override;

  // Runs `sql` in a transaction of the daemon and expects it to pass; as_daemon_error: the message
  // of one that is refused, "" when it was not.
  void as_daemon(const std::string& sql);
  std::string as_daemon_error(const std::string& sql);

  // Runs `sql` on the stranger's connection: "" or the error.
  std::string as_stranger(const std::string& sql);

  // The rows of a query, fields joined by '|', NULL as "NULL".
  std::vector<std::string> rows(const std::string& sql);
  std::string value(const std::string& sql);  // the one row there must be

  // The real shell: `arguments` go before the database's path, `script` to its stdin.
  ShellResult shell(const std::string& script, const std::vector<std::string>& arguments = {});

  // Puts a job into a state, as the daemon would, with what the CHECKs ask for; counts are made
  // anew. `more`: further assignments, e.g. "dsp_id = 'x'".
  void put(int job, JobState state, const std::string& more = "");
  // A request of a job. Returns its id. `values`: assignments of the outcome; "": it is open.
  std::int64_t request(int job, const std::string& purpose, const std::string& values = "");
  // One row in every table that the fixture leaves empty.
  void fill_every_table();

  // Counters equal the jobs, and no act is open.
  void expect_consistent();

  std::string path() const { return (folder_ / "jobs.db").string(); }
  const std::filesystem::path& folder() const { return folder_; }

  std::filesystem::path folder_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<SQLite::Database> stranger_;
};

// What a file holds.
std::string text_of(const std::filesystem::path& file);

}  // namespace dl
