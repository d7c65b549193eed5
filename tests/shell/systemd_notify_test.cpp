#include "daemon/systemd_notify.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/shell/scratch.h"

namespace dl {
namespace {

// A service manager's ear: a datagram socket named by NOTIFY_SOCKET.
class SystemdNotify : public testing::Test {
 protected:
  void SetUp() override {
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    const std::string path = scratch_.path("notify");
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ASSERT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  void TearDown() override {
    ::close(fd_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
  }

  // A datagram is in the socket once sd_notify has returned; "" where none is.
  std::string heard() {
    char datagram[4096];
    const ssize_t length = ::recv(fd_, datagram, sizeof datagram, 0);
    return length < 0 ? "" : std::string(datagram, static_cast<std::size_t>(length));
  }

  const Scratch scratch_;
  int fd_ = -1;
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

}  // namespace
}  // namespace dl
