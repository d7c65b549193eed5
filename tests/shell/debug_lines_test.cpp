#include "daemon/debug_lines.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "tests/shell/scratch.h"

namespace dl {
namespace {

using testing::HasSubstr;
using testing::Not;

class DebugLinesTest : public testing::Test {
 protected:
  DebugLinesTest()
      : fd_(::open(scratch_.path("log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600)) {}
  ~DebugLinesTest() override { ::close(fd_); }

  std::string logged() const {
    std::ostringstream text;
    text << std::ifstream(scratch_.path("log")).rdbuf();
    return text.str();
  }

  static command::CommitWork paused_until(std::int64_t boot_ms) {
    AccountState account;
    account.refusals = 1;
    account.cap = 20;
    account.gate_boot_ms = boot_ms;
    command::CommitWork commit;
    commit.batch.account = account;
    return commit;
  }

  // All that has a line.
  static void note_everything(DebugLines& lines) {
    WorkResult result;
    result.refused.push_back({1, JobId{7}, "the job is leased"});
    lines.note(Input{input::TablesChanged{}});
    lines.note(Input{input::Loaded{}});
    lines.note(Input{input::Committed{std::move(result)}});
    lines.note(Input{input::Connected{{0, 3}}});
    lines.note(Input{input::ConnectFailed{{1, 4}, "cannot connect: refused", ConnectTrouble::dsp}});
    lines.note(Input{input::Closed{{0, 3}}});
    DspReply reply;
    reply.wire = Wire::answered;
    reply.http_status = 201;
    reply.excerpt = "a body";
    lines.note(Input{input::Replied{{0, 3}, RequestId{70}, reply, true}});
    DspRequest request;
    request.id = RequestId{70};
    request.purpose = Purpose::create;
    request.target = "/ads";
    request.body = "a body";
    lines.note(AnyCommand{command::Send{{0, 3}, request}});
    lines.note(AnyCommand{command::Connect{{0, 3}}});
    lines.note(AnyCommand{command::Close{{0, 3}}});
    lines.note(AnyCommand{command::LoadWork{}});
    lines.note(AnyCommand{paused_until(9'000)});
    Standing waits;
    waits.next_send_boot_ms = 9'000;
    lines.note(waits, {5'000, 0});
  }

  const Scratch scratch_;
  const int fd_;
};

TEST_F(DebugLinesTest, SayWhatHappensBetweenTheBrainAndTheRest) {
  Log log(fd_, LogFormat::journal, LogLevel::debug, ProgressStyle::none);
  DebugLines lines(log);
  note_everything(lines);
  for (const char* const line :
       {"<7>somebody else has committed\n",
        "<7>work loaded ready=0 ready_all=yes timed=0 timed_all=yes\n",
        "<7>permit refused by the tables job=7 why=\"the job is leased\"\n",
        "<7>connection opened worker=0 connection=3\n",
        "<7>connection failed worker=1 connection=4 error=\"cannot connect: refused\"\n",
        "<7>connection closed worker=0 connection=3\n",
        "<7>request ended request=70 wire=answered status=201 connection=3 connection_stays=yes\n",
        "<7>sending request=70 purpose=create target=/ads bytes=6 connection=3\n",
        "<7>connecting worker=0 connection=3\n", "<7>closing connection worker=0 connection=3\n",
        "<7>loading work ready_max=1000 timed_max=50000\n",
        "<7>nothing is sent for_ms=4000 on_the_wire=0"}) {
    EXPECT_THAT(logged(), HasSubstr(line));
  }
  EXPECT_THAT(logged(), HasSubstr("<7>limit refusals=1 cap=20"));
  EXPECT_THAT(logged(), Not(HasSubstr("a body")));
}

TEST_F(DebugLinesTest, AreNotSaidAboveDebug) {
  Log log(fd_, LogFormat::journal, LogLevel::info, ProgressStyle::none);
  DebugLines lines(log);
  note_everything(lines);
  lines.note(Standing{}, {9'000, 0});
  EXPECT_EQ(logged(), "");
}

TEST_F(DebugLinesTest, SayOnceThatAPauseIsOver) {
  Log log(fd_, LogFormat::journal, LogLevel::debug, ProgressStyle::none);
  DebugLines lines(log);
  lines.note(AnyCommand{paused_until(9'000)});
  lines.note(Standing{}, {8'999, 0});
  EXPECT_THAT(logged(), Not(HasSubstr("is over")));
  lines.note(Standing{}, {9'000, 0});
  const std::string once = logged();
  EXPECT_THAT(once, HasSubstr("<7>the pause that the DSP asked for is over"));
  lines.note(Standing{}, {9'250, 0});
  EXPECT_EQ(logged(), once);
}

TEST_F(DebugLinesTest, SayWhenTheNextRequestGoesOnlyWhereThatHasChanged) {
  Log log(fd_, LogFormat::journal, LogLevel::debug, ProgressStyle::none);
  DebugLines lines(log);
  Standing waits;
  waits.next_send_boot_ms = 5'999;
  lines.note(waits, {5'000, 0});
  EXPECT_EQ(logged(), "") << "soon";
  waits.next_send_boot_ms = 60'000;
  lines.note(waits, {5'000, 0});
  const std::string once = logged();
  EXPECT_THAT(once, HasSubstr("for_ms=55000"));
  waits.next_send_boot_ms = 60'001;
  lines.note(waits, {5'250, 0});
  EXPECT_EQ(logged(), once);
}

}  // namespace
}  // namespace dl
