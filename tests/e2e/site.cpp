#include "tests/e2e/site.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "tests/mock_dsp/json_object.h"
#include "tests/support/tree.h"

namespace dl::e2e {
namespace {

// Connects, says this and waits for the end. What came back.
std::string tell(int port, const std::string& bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  DL_CHECK(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
               ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                   static_cast<ssize_t>(bytes.size()) &&
               ::shutdown(fd, SHUT_WR) == 0,
           "the mock takes connections");
  std::string answer;
  char room[4096];
  ssize_t got = 0;
  while ((got = ::read(fd, room, sizeof room)) > 0)
    answer.append(room, static_cast<std::size_t>(got));
  DL_CHECK(got == 0, "the mock ends connections");
  ::close(fd);
  return answer;
}

// A mock that has seen it has seen what came before.
void knock(int port) { DL_CHECK(tell(port, "").empty(), "nothing is asked, nothing is said"); }

}  // namespace

Flags joined(Flags first, const Flags& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Site::Site(const Flags& mock_flags) {
  const Flags own = {"--time-scale", std::to_string(kScale), "--ledger",
                     ledger_path(),  "--port-file",          file("port")};
  mock_ = std::make_unique<Process>(Launch{.program = "dl-mock-dsp",
                                           .arguments = joined(mock_flags, own),
                                           .environment = {},
                                           .errors_to = ErrorsTo::file});
  eventually("the mock listens", [&] {
    return !text_of(file("port")).empty() || mock_->ends_within(std::chrono::milliseconds{0});
  });
  EXPECT_FALSE(mock_->ends_within(std::chrono::milliseconds{0})) << mock_->err();
  std::string port = text_of(file("port"));
  if (!port.empty()) port.pop_back();
  endpoint_ = "http://127.0.0.1:" + port;
}

void Site::stop_mock() {
  mock_->signal(SIGTERM);
  EXPECT_EQ(mock_->wait(), 0) << mock_->err();
}

Launch Site::daemon(Flags flags) const {
  Launch launch;
  launch.program = "dl-daemon";
  launch.arguments = std::move(flags);
  launch.environment = {{"DL_DB", db()},
                        {"DL_ENDPOINT", endpoint_},
                        {"DL_TIME_SCALE", std::to_string(kScale)},
                        {"DL_CONNECT_TIMEOUT", "10m"},
                        {"DL_HTTP_TIMEOUT", "20m"},
                        {"DL_UNREACHABLE_TIMEOUT", "2h"}};
  return launch;
}

Finish Site::drain(Flags flags) const {
  flags.insert(flags.begin(), "--drain");
  return run(daemon(std::move(flags)));
}

Finish Site::ingest(const Flags& arguments) const {
  return run(Launch{.program = "dl-ingest",
                    .arguments = arguments,
                    .environment = {{"DL_DB", db()}},
                    .errors_to = ErrorsTo::file});
}

void Site::load_sheet(const Flags& shape, const Flags& flags) const {
  const std::string sheet = file("sheet.csv");
  const Finish made = run(Launch{.program = "dl-make-sheet",
                                 .arguments = joined({"-o", sheet}, shape),
                                 .environment = {},
                                 .errors_to = ErrorsTo::file});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Finish loaded = ingest(joined(flags, {sheet}));
  const bool all_go = loaded.err.find("will not be sent as things stand") == std::string::npos;
  ASSERT_EQ(loaded.exit_code, all_go ? 0 : 1) << loaded.err;
}

std::vector<Row> Site::rows(const std::string& query) const {
  SQLite::Database database(db(), SQLite::OPEN_READONLY, 60'000);
  SQLite::Statement statement(database, query);
  std::vector<Row> rows;
  while (statement.executeStep()) {
    Row& row = rows.emplace_back();
    for (int i = 0; i < statement.getColumnCount(); ++i) {
      row[statement.getColumnName(i)] = statement.getColumn(i).getString();
    }
  }
  return rows;
}

std::string Site::text(const std::string& query) const {
  SQLite::Database database(db(), SQLite::OPEN_READONLY, 60'000);
  SQLite::Statement statement(database, query);
  DL_CHECK(statement.executeStep(), "the query of a test has a row");
  return statement.getColumn(0).getString();
}

std::int64_t Site::number(const std::string& query) const { return std::stoll(text(query)); }

std::string Site::operate(const std::string& typed) const {
  const Finish shell = run(Launch{.program = "sqlite3",
                                  .arguments = {"-cmd", ".timeout 60000", db(), typed},
                                  .environment = {},
                                  .errors_to = ErrorsTo::file});
  EXPECT_EQ(shell.exit_code, 0) << typed << "\n" << shell.err;
  return shell.out;
}

std::string Site::post(const std::string& target, const std::string& body) const {
  return tell(
      std::stoi(text_of(file("port"))),
      "POST " + target +
          " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
          "Content-Length: " +
          std::to_string(body.size()) + "\r\n\r\n" + body);
}

std::int64_t Site::unfinished() const {
  return number("SELECT count(*) FROM job WHERE state <> 'succeeded'");
}

void Site::expect_created_once(std::int64_t entities) const {
  expect_by_ledger({"--expect", std::to_string(entities)});
}

void Site::expect_by_ledger(const Flags& expectations) const {
  const Finish judge = run(Launch{.program = "dl-mock-dsp",
                                  .arguments = joined({"judge", ledger_path()}, expectations),
                                  .environment = {},
                                  .errors_to = ErrorsTo::file});
  EXPECT_EQ(judge.exit_code, 0) << judge.out << judge.err;
}

void Site::expect_promises_kept(const std::string& limit, std::int64_t entities) const {
  expect_by_ledger({"--limit", limit, "--expect", std::to_string(entities)});
  const std::string path = in_tree("storage/operator_sql/check_promises.sql");
  std::istringstream said(operate(".read " + path));
  int promises = 0;
  for (std::string line; std::getline(said, line); ++promises) {
    EXPECT_TRUE(line.starts_with("-- ")) << "a broken promise: " << line;
  }
  EXPECT_GT(promises, 0);
}

void Site::let_mock_catch_up() const {
  const int port = std::stoi(text_of(file("port")));
  knock(port);
  knock(port);  // what was read in the turn of the first is written before the turn of the second
}

std::vector<Row> Site::ledger() const {
  std::vector<Row> requests;
  std::ifstream file(ledger_path());
  for (std::string text; std::getline(file, text);) {
    Row line;
    const bool whole = mock::read_json_object(text, [&](const mock::JsonField& field) {
      line[std::string(field.name)] = std::string(field.text);
    });
    if (whole && line["event"] != "started") requests.push_back(std::move(line));
  }
  return requests;
}

}  // namespace dl::e2e
