#include "daemon/log.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <sstream>
#include <thread>

#include "daemon/escape.h"
#include "tests/shell/scratch.h"

namespace dl {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNoon = 1'751'371'200'123;  // 2025-07-01T12:00:00.123Z

std::string render(LogFormat format, std::string_view message, std::vector<LogField> fields = {}) {
  return render_line(format, kNoon, LogLevel::warning, message, fields);
}

// SQLite's JSON functions are strict (RFC 8259) and not ours: a fair judge.
std::string json_value(const std::string& line, const std::string& path) {
  SQLite::Database memory(":memory:");
  SQLite::Statement valid(memory, "SELECT json_valid(?1)");
  valid.bind(1, line);
  valid.executeStep();
  if (valid.getColumn(0).getInt() != 1) return "not JSON: " + line;
  SQLite::Statement value(memory, "SELECT json_extract(?1, ?2)");
  value.bind(1, line);
  value.bind(2, path);
  value.executeStep();
  return value.getColumn(0).getString();
}

TEST(LogLine, IsForPeopleOrJournaldOrMachines) {
  const std::vector<LogField> fields = {{"job", 7}, {"key", "cmp_1"}, {"error", "no such ad"}};
  EXPECT_EQ(render(LogFormat::text, "request", fields),
            "2025-07-01T12:00:00.123Z warning request job=7 key=cmp_1 error=\"no such ad\"\n");
  EXPECT_EQ(render(LogFormat::journal, "request", fields),
            "<4>request job=7 key=cmp_1 error=\"no such ad\"\n");
  EXPECT_EQ(render(LogFormat::json, "request", fields),
            "{\"time\":\"2025-07-01T12:00:00.123Z\",\"level\":\"warning\",\"message\":\"request\","
            "\"job\":7,\"key\":\"cmp_1\",\"error\":\"no such ad\"}\n");
}

TEST(LogLine, StaysOneLineWhateverTheDspSaid) {
  std::string hostile = "a\nb\r\t\x1b[31m\x7f\xC2\x85\xE2\x80\xA8\xE2\x80\xAE";
  hostile += std::string(1, '\0') + "\"}\\";
  for (const LogFormat format : {LogFormat::text, LogFormat::json, LogFormat::journal}) {
    const std::string line = render(format, hostile, {{"error", hostile}});
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    for (const char letter : line.substr(0, line.size() - 1)) {
      EXPECT_FALSE(static_cast<unsigned char>(letter) < 0x20 || letter == '\x7f') << line;
    }
    for (const std::string_view mark : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xAE"}) {
      EXPECT_EQ(line.find(mark), std::string::npos) << line;
    }
  }
}

TEST(LogLine, IsValidJsonForEveryByteAndGivesItBack) {
  for (int byte = 1; byte < 256; ++byte) {
    const std::string text = "x" + std::string(1, static_cast<char>(byte)) + "y";
    const std::string expected = byte < 0x80 ? text : "x\xEF\xBF\xBDy";
    EXPECT_EQ(json_value(render(LogFormat::json, text), "$.message"), expected) << byte;
  }
}

TEST(LogLine, CannotBeForgedFromWithin) {
  const std::string line = render(LogFormat::text, "request", {{"key", "a job=9"}, {"error", ""}});
  EXPECT_THAT(line, HasSubstr("key=\"a job=9\" error=\"\""));
  const std::string json = render(LogFormat::json, "m", {{"key", "\",\"level\":\"error"}});
  EXPECT_EQ(json_value(json, "$.level"), "warning");
}

TEST(Escaped, ReplacesWhatIsNotUtf8AndKeepsWhatIs) {
  EXPECT_EQ(escaped("grüße 日本 🚀"), "grüße 日本 🚀");
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(escaped("\xC0\xAF"), r + r);                  // overlong
  EXPECT_EQ(escaped("\xED\xA0\x80"), r + r + r);          // a surrogate
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), r + r + r + r);  // past U+10FFFF
  EXPECT_EQ(escaped("\xE2\x82"), r + r);                  // cut
}

TEST(OutcomeLine, HasWhatTheLedgerHas) {
  OutcomeLine line;
  line.job = JobId{7};
  line.key = "cmp_1/ag_2";
  line.attempt = 2;
  line.purpose = "create";
  line.http_status = 201;
  line.outcome = "accepted";
  line.latency_us = 35'900;
  line.next_state = "confirming";
  EXPECT_THAT(render(LogFormat::text, "request", fields_of(line)),
              HasSubstr("request job=7 key=cmp_1/ag_2 attempt=2 purpose=create status=201 "
                        "outcome=accepted latency_ms=35 state=confirming\n"));
  line.http_status = 0;
  line.error = "connection reset";
  const std::string json = render(LogFormat::json, "request", fields_of(line));
  EXPECT_EQ(json.find("\"status\""), std::string::npos);
  EXPECT_EQ(json_value(json, "$.error"), "connection reset");
}

// A file to log into, and what was logged.
class LogTest : public testing::Test {
 protected:
  LogTest() : fd_(::open(scratch_.path("log").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)) {}
  ~LogTest() override { ::close(fd_); }

  std::string logged() const {
    std::ostringstream text;
    text << std::ifstream(scratch_.path("log")).rdbuf();
    return text.str();
  }

  const Scratch scratch_;
  const int fd_;
};

TEST_F(LogTest, WritesALineBeforeTheCallReturns) {
  Log log(fd_, LogFormat::journal, LogLevel::info, ProgressStyle::none);
  log.info("one", {{"n", 1}});
  EXPECT_EQ(logged(), "<6>one n=1\n");
  log.error("two {} %s");
  EXPECT_EQ(logged(), "<6>one n=1\n<3>two {} %s\n");
}

TEST_F(LogTest, LeavesOutWhatIsBelowItsLevel) {
  Log log(fd_, LogFormat::journal, LogLevel::warning, ProgressStyle::none);
  log.debug("a");
  log.info("b");
  log.warning("c");
  log.outcome(LogLevel::info, {});
  EXPECT_EQ(logged(), "<4>c\n");
}

TEST_F(LogTest, KeepsTheLinesOfManyThreadsWhole) {
  Log log(fd_, LogFormat::json, LogLevel::debug, ProgressStyle::none);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&log, i] {
      for (int n = 0; n < 100; ++n) log.info("hello", {{"thread", i}, {"n", n}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(logged());
  std::array<int, 4> next = {};
  for (std::string line; std::getline(lines, line);) {
    const auto thread = static_cast<std::size_t>(std::stoi(json_value(line, "$.thread")));
    EXPECT_EQ(json_value(line, "$.n"), std::to_string(next.at(thread)++));
  }
  EXPECT_EQ(next, (std::array<int, 4>{100, 100, 100, 100}));
}

TEST_F(LogTest, GathersWhatBelongsTogether) {
  Log log(fd_, LogFormat::journal, LogLevel::info, ProgressStyle::plain);
  log.show_progress("1 of 3");
  {
    const Log::Together together(log);
    log.info("x");
    log.info("y");
    EXPECT_EQ(logged(), "1 of 3") << "written at its end";
  }
  EXPECT_EQ(logged(), "1 of 3\r\x1b[K<6>x\n<6>y\n1 of 3");
  log.info("z");
  EXPECT_THAT(logged(), HasSubstr("<6>z\n")) << "at once again";
}

TEST_F(LogTest, DrawsProgressBelowTheLines) {
  Log log(fd_, LogFormat::journal, LogLevel::info, ProgressStyle::plain);
  log.show_progress("1 of 3");
  log.show_progress("1 of 3");
  log.info("x");
  log.show_progress("");
  log.info("y");
  EXPECT_EQ(logged(), "1 of 3\r\x1b[K<6>x\n1 of 3\r\x1b[K<6>y\n");
}

TEST_F(LogTest, TakesItsProgressAlong) {
  { Log(fd_, LogFormat::journal, LogLevel::info, ProgressStyle::plain).show_progress("1 of 3"); }
  EXPECT_EQ(logged(), "1 of 3\r\x1b[K");
}

TEST_F(LogTest, CutsProgressThatWouldWrap) {
  Log log(fd_, LogFormat::journal, LogLevel::info, ProgressStyle::plain);
  std::string long_line;
  for (int i = 0; i < 200; ++i) long_line += "ü";
  log.show_progress(long_line);
  EXPECT_EQ(logged(), long_line.substr(0, 79 * 2));
}

TEST_F(LogTest, ShowsNoProgressWhereNoneIsWanted) {
  Log log(fd_, LogFormat::journal, LogLevel::info, ProgressStyle::none);
  log.show_progress("1 of 3");
  EXPECT_EQ(logged(), "");
}

TEST_F(LogTest, SpeaksToJournaldWhereItListens) {
  struct stat info = {};
  ASSERT_EQ(::fstat(fd_, &info), 0);
  const std::string stream = std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino);
  const Environment journald = {{"JOURNAL_STREAM", stream}};
  const Environment other = {{"JOURNAL_STREAM", stream + "1"}};
  EXPECT_EQ(resolve_log_format(LogFormat::automatic, journald, fd_), LogFormat::journal);
  EXPECT_EQ(resolve_log_format(LogFormat::automatic, other, fd_), LogFormat::text);
  EXPECT_EQ(resolve_log_format(LogFormat::automatic, {}, fd_), LogFormat::text);
  EXPECT_EQ(resolve_log_format(LogFormat::json, journald, fd_), LogFormat::json);
  EXPECT_EQ(resolve_progress(ProgressStyle::automatic, fd_), ProgressStyle::none);
  EXPECT_EQ(resolve_progress(ProgressStyle::plain, fd_), ProgressStyle::plain);
}

}  // namespace
}  // namespace dl
