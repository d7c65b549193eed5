#include "daemon/systemd_notify.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/service_manager.h"

namespace dl {
namespace {

class SystemdNotify : public testing::Test {
 protected:
  void SetUp() override { ::setenv("NOTIFY_SOCKET", manager_.path().c_str(), 1); }
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }
  std::string heard() { return manager_.heard(); }

  ServiceManager manager_;
};

TEST_F(SystemdNotify, HearsEveryStepOfALife) {
  notify_ready("ready 23");
  EXPECT_EQ(heard(), "READY=1\nSTATUS=ready 23");
  notify_status("sending 2");
  EXPECT_EQ(heard(), "STATUS=sending 2");
  notify_watchdog();
  EXPECT_EQ(heard(), "WATCHDOG=1");
  notify_stopping(std::chrono::seconds(2));
  EXPECT_EQ(heard(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=2000000");
}

TEST_F(SystemdNotify, CannotBeToldMoreByAStatus) {
  notify_status("last error: x\nMAINPID=1");
  EXPECT_EQ(heard(), "STATUS=last error: x\\nMAINPID=1");
}

TEST_F(SystemdNotify, DoesNothingWhereNobodyListens) {
  ::unsetenv("NOTIFY_SOCKET");
  notify_ready("x");
  notify_watchdog();
  EXPECT_EQ(heard(), "");
}

TEST_F(SystemdNotify, PetsTheWatchdogTwiceAsOftenAsItMust) {
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "60000000", 1);
  EXPECT_EQ(watchdog_interval(), std::chrono::seconds(30));
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(watchdog_interval(), std::chrono::seconds(30));
  ::setenv("WATCHDOG_PID", std::to_string(::getppid()).c_str(), 1);
  EXPECT_EQ(watchdog_interval(), std::nullopt);
}

TEST_F(SystemdNotify, AsksForTimeWhereAStandbyTakesOver) {
  notify_taking_over(std::chrono::minutes(10));
  notify_taken_over();
  EXPECT_EQ(heard(), "") << "there is no watchdog";
  ::setenv("WATCHDOG_USEC", "60000000", 1);
  notify_taking_over(std::chrono::minutes(10));
  EXPECT_EQ(heard(), "WATCHDOG_USEC=600000000");
  notify_taken_over();
  EXPECT_EQ(heard(), "WATCHDOG_USEC=60000000");
}

}  // namespace
}  // namespace dl
