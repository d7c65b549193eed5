#include "tests/storage/sql_fixture.h"

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "storage/digest.h"

namespace dl {
namespace {

constexpr const char* kLoaded = R"sql(
  INSERT INTO batch (id, state, source, size_bytes, sha256, format, loaded_by, started_at, loaded_at, row_count)
  VALUES (1, 'loaded', 'spring.csv', 100, 'ab', 'csv', 'maria', 1000, 2000, 3),
         (2, 'loading', 'summer.csv', 100, 'cd', 'csv', 'maria', 3000, NULL, 1);
  INSERT INTO job (id, batch_id, kind, key, root_id, level, state, open_parents, updated_at)
  VALUES (1, 1, 'campaign', 'c1', 1, 0, 'ready', 0, 2000),
         (2, 1, 'ad_group', 'c1/g1', 1, 1, 'blocked', 1, 2000),
         (3, 1, 'ad', 'c1/g1/a1', 1, 2, 'blocked', 1, 2000),
         (4, 1, 'ad', 'c1/g1/a2', 1, 2, 'blocked', 1, 2000),
         (5, 1, 'campaign', 'c2', 5, 0, 'ready', 0, 2000),
         (6, 2, 'campaign', 'c3', 6, 0, 'blocked', 0, 3000);
  INSERT INTO job_edge (parent_id, child_id) VALUES (1, 2), (2, 3), (2, 4);
  INSERT INTO job_payload (job_id, body, sha256)
  VALUES (1, '{"id":"c1","name":"Spring","budget":1500.50}', zeroblob(32)),
         (2, '{"id":"g1","name":"Group"}', zeroblob(32)),
         (3, '{"id":"a1","type":"banner"}', zeroblob(32)),
         (4, '{"id":"a2","type":"video"}', zeroblob(32)),
         (5, '{"id":"c2","name":"Autumn"}', zeroblob(32)),
         (6, '{"id":"c3","name":"Summer"}', zeroblob(32));
  INSERT INTO batch_row (batch_id, row, line, job_id) VALUES (1, 1, 2, 3), (1, 2, 3, 4), (1, 3, 4, 5), (2, 1, 2, 6);
  INSERT INTO job_count (batch_id, kind, state, n) SELECT batch_id, kind, state, count(*) FROM job GROUP BY 1, 2, 3;
  INSERT INTO instance (id, uuid, pid, host, version, boot_key, machine_id, lock_device, lock_inode,
                        started_at, started_boot_ms)
  VALUES (1, 'u', 7, 'host', '0.1', 'boot', 'machine', 1, 1, 1000, 1000);
)sql";

std::string joined(const SQLite::Statement& row) {
  std::string line;
  for (int i = 0; i < row.getColumnCount(); ++i) {
    if (i > 0) line += '|';
    const SQLite::Column field = row.getColumn(i);
    line += field.isNull() ? "NULL" : field.getString();
  }
  return line;
}

std::string quoted(const std::string& argument) {
  std::string text = "'";
  for (const char c : argument) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  EXPECT_TRUE(in) << file;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

SqlTest::SqlTest() {
  std::string name = (std::filesystem::temp_directory_path() / "dl-sql-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) std::abort();
  folder_ = name;
  auto opened = Database::open(path(), OpenMode::create);
  if (!opened) {
    ADD_FAILURE() << opened.error().message;
    std::abort();
  }
  database_ = std::move(*opened);
  as_daemon(kLoaded);
  stranger_ = std::make_unique<SQLite::Database>(path(), SQLite::OPEN_READWRITE);
}

SqlTest::~SqlTest() {
  stranger_.reset();
  database_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string SqlTest::as_daemon_error(const std::string& sql) {
  const Status done = database_->transaction(Writer::daemon, [&]() -> Status {
    database_->handle().exec(sql);
    return Done{};
  });
  return done ? "" : done.error().message;
}

void SqlTest::as_daemon(const std::string& sql) { EXPECT_EQ("", as_daemon_error(sql)) << sql; }

std::string SqlTest::as_stranger(const std::string& sql) {
  try {
    stranger_->exec(sql);
    return "";
  } catch (const SQLite::Exception& e) {
    return e.what();
  }
}

std::vector<std::string> SqlTest::rows(const std::string& sql) {
  std::vector<std::string> lines;
  SQLite::Statement query(*stranger_, sql);
  while (query.executeStep()) lines.push_back(joined(query));
  return lines;
}

std::string SqlTest::value(const std::string& sql) {
  const std::vector<std::string> lines = rows(sql);
  EXPECT_EQ(lines.size(), 1U) << sql;
  return lines.empty() ? "" : lines.front();
}

ShellResult SqlTest::shell(const std::string& script, const std::vector<std::string>& arguments) {
  std::ofstream(folder_ / "script") << script;
  std::string command = "HOME=" + quoted(folder_.string()) + " sqlite3 -batch";
  for (const std::string& argument : arguments) command += " " + quoted(argument);
  const auto file = [&](const char* name) { return quoted((folder_ / name).string()); };
  command +=
      " " + quoted(path()) + " < " + file("script") + " > " + file("out") + " 2> " + file("err");
  const int status =
      std::system(command.c_str());  // NOLINT(cert-env33-c): the real shell is the point
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text_of(folder_ / "out"),
          text_of(folder_ / "err")};
}

void SqlTest::put(int job, JobState state, const std::string& more) {
  const std::string id = std::to_string(job);
  const bool has_id = state == JobState::confirming || state == JobState::succeeded;
  as_daemon("UPDATE job SET hold = NULL, lease_token = " +
            std::string(state == JobState::submitting ? "99" : "NULL") +
            ", dsp_id = " + (has_id ? "'dsp-1'" : "NULL") + ", state = '" +
            std::string(name_of(state)) + "' WHERE id = " + id);
  if (!more.empty()) as_daemon("UPDATE job SET " + more + " WHERE id = " + id);
  as_daemon(
      "DELETE FROM job_count; INSERT INTO job_count (batch_id, kind, state, n) "
      "SELECT batch_id, kind, state, count(*) FROM job GROUP BY 1, 2, 3");
}

std::int64_t SqlTest::request(int job, const std::string& purpose, const std::string& values) {
  const std::string id = std::to_string(job);
  as_daemon(
      "INSERT INTO request (job_id, attempt, purpose, method, path, idempotency_key, instance_id, "
      "worker,"
      " sent_at, sent_boot_ms) SELECT id, attempt, '" +
      purpose +
      "', 'POST', '/ads', 'key-' || id, 1, 0,"
      " 5000, 5000 FROM job WHERE id = " +
      id +
      ";"
      "INSERT INTO request_body (request_id, body, digest) SELECT max(id), '{\"sent\":1}', " +
      std::to_string(short_digest("{\"sent\":1}")) + " FROM request");
  const std::string request = value("SELECT max(id) FROM request");
  if (!values.empty()) as_daemon("UPDATE request SET " + values + " WHERE id = " + request);
  return std::stoll(request);
}

void SqlTest::fill_every_table() {
  put(fixture::kOther, JobState::failed, "error = 'HTTP 422: bad creative 17'");
  request(fixture::kOther, "create",
          "finished_at = 6000, slot = 'answered', http_status = 422, resolution = 'refused'");
  as_daemon("INSERT INTO job_history (job_id, at, rule_id, attempt) VALUES (5, 6000, 9, 1)");
  as_daemon("INSERT INTO processing_time VALUES ('ad', 7, 90, 1.5, 0.5, 0.1)");
  EXPECT_EQ("", as_stranger(
                    "INSERT INTO operator_act (act, who, why) VALUES ('pause', 'maria', 'lunch')"));
}

void SqlTest::expect_consistent() {
  EXPECT_EQ(
      rows("SELECT batch_id, kind, state, n FROM job_count WHERE n <> 0 ORDER BY 1, 2, 3"),
      rows("SELECT batch_id, kind, state, count(*) FROM job GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"));
  EXPECT_EQ("0", value("SELECT count(*) FROM operator_act WHERE applied_at IS NULL"));
  EXPECT_EQ("NULL", value("SELECT actor FROM writer"));
}

}  // namespace dl
