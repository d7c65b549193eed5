// A port at which nobody answers a SYN any more: the queue of those who wait to be accepted is
// full. Thread rule: one owner. Ownership: owns its sockets.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

namespace dl {

class FullPort {
 public:
  // Of ::1. `port` 0: a free one. is_there() is false where this machine has no IPv6, or the port
  // is taken.
  static FullPort of_v6(int port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    return FullPort(AF_INET6, &address, sizeof address);
  }
  static FullPort of_v4() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return FullPort(AF_INET, &address, sizeof address);
  }
  ~FullPort() {
    for (const int waiting : queue_) ::close(waiting);
    ::close(listener_);
  }
  FullPort(const FullPort&) = delete;
  FullPort& operator=(const FullPort&) = delete;

  bool is_there() const { return is_there_; }
  int port() const {  // at the same place in both families
    sockaddr_in address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }

 private:
  FullPort(int family, const void* address, socklen_t size)
      : listener_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    is_there_ = ::bind(listener_, static_cast<const sockaddr*>(address), size) == 0 &&
                ::listen(listener_, 0) == 0;
    sockaddr_storage bound{};
    socklen_t bound_size = sizeof bound;
    is_there_ = is_there_ &&
                ::getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &bound_size) == 0;
    while (is_there_ && queue_.size() < 16 && joins(bound, bound_size)) {
    }
    EXPECT_LT(queue_.size(), 16U) << "the queue never fills";
  }

  // On the loopback the kernel has answered by the time connect() returns.
  bool joins(const sockaddr_storage& address, socklen_t size) {
    const int client = queue_.emplace_back(
        ::socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(client, reinterpret_cast<const sockaddr*>(&address), size));
    pollfd connected{client, POLLOUT, 0};
    return ::poll(&connected, 1, 0) == 1;
  }

  int listener_;
  bool is_there_ = false;
  std::vector<int> queue_;
};

}  // namespace dl
