// The fixture's jobs, all of them done long ago, and an archive beside them.
#pragma once

#include <string>
#include <vector>

#include "storage/archive.h"
#include "tests/storage/sql_fixture.h"

namespace dl {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kNow = 1'000 * kDay;  // the fixture is of the first seconds of 1970
constexpr Millis kAge = 180 * kDay;

class Archive : public SqlTest {
 protected:
  Archive() {
    for (const int job : {1, 2, 3, 4, 5}) put(job, JobState::succeeded);
    for (const int job : {1, 2, 3, 4, 5}) finish(job);
    // c2 has a batch of its own and the newest request of all, so it stays whole.
    as_daemon(
        "INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at, "
        "loaded_at) "
        "VALUES (8, 'loaded', 'c2.csv', 1, '', 'csv', 'maria', 1, 1);"
        "UPDATE batch_row SET batch_id = 8 WHERE job_id = 5");
    request(fixture::kOther, "status", "finished_at = 9, slot = 'answered'");
  }
  void finish(int job) {
    request(job, "create", "finished_at = 6000, slot = 'answered', resolution = 'accepted'");
    as_daemon("INSERT INTO job_history (job_id, at, rule_id, attempt) VALUES (" +
              std::to_string(job) + ", 1, 16, 1)");
  }
  ArchivePlan plan() {
    Result<ArchivePlan> found = plan_archive(*database_, kAge, kNow);
    EXPECT_TRUE(found) << found.error().message;
    return found ? std::move(*found) : ArchivePlan{};
  }
  std::string file() const { return (folder() / "old.db").string(); }
  Result<ArchiveCounts> try_archive() { return carry_out(plan(), *database_, file(), kNow); }
  ArchiveCounts archive() {
    Result<ArchiveCounts> moved = try_archive();
    EXPECT_TRUE(moved) << moved.error().message;
    return moved ? *moved : ArchiveCounts{};
  }
  std::string archived(const std::string& sql) const {
    return SQLite::Database(file()).execAndGet(sql).getString();
  }
  std::string free_jobs() {  // that the plan would thin out
    const ArchivePlan found = plan();
    std::string keys;
    for (const std::string& line : rows("SELECT id || ' ' || root_id FROM job ORDER BY id")) {
      if (found.is_free(std::stoll(line.substr(line.find(' ')))))
        keys += line.substr(0, line.find(' ')) + " ";
    }
    return keys;
  }
  std::string evidence() {
    return value("SELECT count(*) FROM request") + " " + value("SELECT count(*) FROM job_history") +
           " " + value("SELECT count(*) FROM batch_row") + " " +
           value("SELECT count(*) FROM job_payload WHERE body <> ''");
  }
  std::string retry_the_ad() {
    return as_stranger(
        "INSERT INTO operator_act (job_id, act, who, why) VALUES (3, 'retry', 'maria', 'once "
        "more')");
  }
  // Long ago.
  void finish_the_ad_again() {
    put(fixture::kAd, JobState::succeeded);
    as_daemon("UPDATE job SET updated_at = 1 WHERE root_id = 1");
  }
  void add_old_campaign(int id, const std::string& key) {
    const std::string n = std::to_string(id);
    as_daemon(
        "INSERT INTO job (id, batch_id, kind, key, root_id, level, state, dsp_id, updated_at) "
        "VALUES (" +
        n + ", 1, 'campaign', '" + key + "', " + n +
        ", 0, 'succeeded', 'd', 1);"
        "INSERT INTO job_payload (job_id, body, sha256) VALUES (" +
        n + ", '{}', zeroblob(32))");
  }
  void add_old_batch(int id, const std::vector<int>& jobs) {
    const std::string n = std::to_string(id);
    as_daemon(
        "INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at, "
        "loaded_at) "
        "VALUES (" +
        n + ", 'loaded', 'old.csv', 1, '', 'csv', 'maria', 1, 1)");
    for (const int job : jobs) {
      as_daemon("INSERT INTO batch_row (batch_id, row, line, job_id) SELECT " + n +
                ", count(*) + 1, count(*) + 2, " + std::to_string(job) +
                " FROM batch_row WHERE batch_id = " + n);
    }
  }
  // A second batch, loaded a day ago, whose only row is the ad a1.
  void show_a1_in_a_new_batch() {
    as_daemon(
        "INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at, "
        "loaded_at) "
        "VALUES (9, 'loaded', 'new.csv', 1, '', 'csv', 'maria', 1, " +
        std::to_string(kNow - kDay) +
        ");"
        "INSERT INTO batch_row (batch_id, row, line, job_id) VALUES (9, 1, 2, 3)");
  }
};

}  // namespace dl
