// A service manager's ear: the datagram socket that NOTIFY_SOCKET names. What a program says with
// sd_notify waits in it until it is heard. Thread rule: one owner. Ownership: owns the socket and
// its folder.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "storage/model/check.h"
#include "tests/support/temporary_folder.h"

namespace dl {

class ServiceManager {
 public:
  ServiceManager() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    DL_CHECK(path().size() < sizeof address.sun_path, "a socket's name is short");
    std::memcpy(address.sun_path, path().c_str(), path().size() + 1);
    DL_CHECK(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
             "the socket is ours");
  }
  ~ServiceManager() { ::close(fd_); }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  std::string path() const { return folder_.file("notify"); }  // NOTIFY_SOCKET

  // The next that was said; "" where nothing is left. It is there once the other's sd_notify has
  // returned.
  std::string heard() {
    char datagram[4096];
    const ssize_t length = ::recv(fd_, datagram, sizeof datagram, 0);
    return length < 0 ? "" : std::string(datagram, static_cast<std::size_t>(length));
  }

  // Of all that was said and not yet heard, how many were just this.
  int count(const std::string& what) {
    int count = 0;
    for (std::string said = heard(); !said.empty(); said = heard()) count += said == what ? 1 : 0;
    return count;
  }

 private:
  const TemporaryFolder folder_;
  int fd_;
};

}  // namespace dl
