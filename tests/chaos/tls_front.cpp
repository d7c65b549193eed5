#include "tests/chaos/tls_front.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/model/check.h"

namespace dl::chaos {
namespace {

// Nobody waits for it but a world that has come to a standstill.
constexpr timeval kStandstill{.tv_sec = 120, .tv_usec = 0};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kStandstill, sizeof kStandstill);
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_; }
  void end_with_reset() const {
    const linger drop{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
  }

 private:
  int fd_;
};

sockaddr_in on_this_machine(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// True: there may be more. False: the client has gone, or the mock does not take it.
bool pass_request(SSL* client, int mock) {
  char bytes[16 * 1024];
  const int got = SSL_read(client, bytes, sizeof bytes);
  return got > 0 && send_all(mock, {bytes, static_cast<std::size_t>(got)});
}

enum class MockSide { goes_on, ended, reset };

MockSide pass_answer(int mock, SSL* client) {
  char bytes[16 * 1024];
  const ssize_t got = ::recv(mock, bytes, sizeof bytes, 0);
  if (got < 0) return MockSide::reset;
  if (got == 0) return MockSide::ended;
  return SSL_write(client, bytes, static_cast<int>(got)) > 0 ? MockSide::goes_on : MockSide::reset;
}

void relay(SSL* client, const Socket& from, const Socket& to) {
  for (;;) {
    pollfd sides[] = {{.fd = from.fd(), .events = POLLIN, .revents = 0},
                      {.fd = to.fd(), .events = POLLIN, .revents = 0}};
    if (SSL_pending(client) == 0 &&
        ::poll(sides, 2, static_cast<int>(kStandstill.tv_sec) * 1'000) <= 0)
      return;
    // What the client has sent arrives before its end does.
    if ((SSL_pending(client) > 0 || sides[0].revents != 0) && !pass_request(client, to.fd()))
      return to.end_with_reset();
    if (sides[1].revents == 0) continue;
    switch (pass_answer(to.fd(), client)) {
      case MockSide::goes_on: break;
      case MockSide::ended: SSL_shutdown(client); return;
      case MockSide::reset: from.end_with_reset(); return;
    }
  }
}

void serve_one(SSL_CTX* context, int accepted, int mock_port) {
  const Socket from(accepted);
  const std::unique_ptr<SSL, FreeSsl> client(SSL_new(context));
  SSL_set_fd(client.get(), accepted);
  if (SSL_accept(client.get()) != 1) return;
  const Socket to(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = on_this_machine(mock_port);
  if (::connect(to.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return from.end_with_reset();
  relay(client.get(), from, to);
}

// OpenSSL writes without MSG_NOSIGNAL.
void block_sigpipe() {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
}

}  // namespace

TlsFront::TlsFront(SSL_CTX* context, int port)
    : context_(context),
      mock_port_(port),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address = on_this_machine(0);
  socklen_t size = sizeof address;
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  DL_CHECK(::bind(listener_, plain, size) == 0 && ::listen(listener_, SOMAXCONN) == 0 &&
               ::getsockname(listener_, plain, &size) == 0,
           "there is a free port");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

TlsFront::~TlsFront() {
  ::shutdown(listener_, SHUT_RDWR);  // ends accept
  thread_.join();
  ::close(listener_);
}

void TlsFront::serve() const {
  block_sigpipe();
  std::vector<std::thread> connections;
  for (int accepted = 0; (accepted = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    connections.emplace_back(
        [context = context_, accepted, port = mock_port_] { serve_one(context, accepted, port); });
  }
  for (std::thread& connection : connections) connection.join();
}

}  // namespace dl::chaos
