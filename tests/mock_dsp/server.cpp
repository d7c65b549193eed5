#include "tests/mock_dsp/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "storage/model/check.h"

namespace dl::mock {
namespace {

constexpr std::int64_t kListenerSerial = 0;
constexpr std::int64_t kSignalSerial = 1;
constexpr std::int64_t kFirstConnectionSerial = 2;
constexpr std::size_t kMaxBuffered = kMaxHeaderBytes + kMaxBodyBytes + 64 * 1024;

sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

int signal_descriptor() {
  const sigset_t signals = ending_signals();
  return ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

void add_to(int epoll, int fd, std::int64_t serial) {
  epoll_event event{.events = EPOLLIN, .data = {.u64 = static_cast<std::uint64_t>(serial)}};
  DL_CHECK(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll takes every open socket");
}

// The bytes that a reply puts on the wire.
std::string bytes_of(const Reply& reply, bool keep_alive) {
  switch (reply.way) {
    case Way::answer: return http_answer(reply.status, reply.headers, reply.body, keep_alive);
    case Way::cut_body: {
      std::string whole = http_answer(reply.status, reply.headers, reply.body, keep_alive);
      whole.resize(whole.size() - (reply.body.size() + 1) / 2);
      return whole;
    }
    case Way::garbage: return std::string("\x16\x03\x01\0 not HTTP at all \xff\xfe\r\n\r\n", 27);
    case Way::nothing:
    case Way::reset: return {};
  }
  return {};
}

}  // namespace

struct Server::Connection {
  Descriptor socket;
  Serial serial = 0;
  std::int64_t requests = 0;
  bool busy = false;  // a request was handled and its reply has not fully left
  std::string in;
  std::string out;
  std::size_t sent = 0;
  bool blocked = false;  // waits until the socket takes more
  bool close_after = false;
  Way way = Way::answer;
};

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Server::Server(Dsp& dsp, Ledger& ledger, const Clock& clock, const Listener& listener)
    : dsp_(dsp),
      ledger_(ledger),
      clock_(clock),
      listener_(listener),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      signals_(signal_descriptor()),
      next_serial_(kFirstConnectionSerial) {
  add_to(epoll_.get(), listener.socket.get(), kListenerSerial);
  add_to(epoll_.get(), signals_.get(), kSignalSerial);
}

Server::~Server() = default;

Status Server::run() {
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   wait_ms(clock_.now()));
    if (count < 0 && errno != EINTR) return Error{Errc::io, "epoll_wait failed"};
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      const auto serial = static_cast<Serial>(event.data.u64);
      if (serial == kSignalSerial) return ledger_.flush();
      if (serial == kListenerSerial) {
        accept_all();
        continue;
      }
      const auto found = connections_.find(serial);  // gone: closed earlier in this turn
      if (found != connections_.end()) on_socket(*found->second, event.events);
    }
    const Status sent = send_all_due();
    if (!sent) return sent;
  }
}

int Server::wait_ms(Instant now) const {
  Micros due_us = delayed_.empty() ? INT64_MAX : delayed_.begin()->first;
  if (const auto late_us = dsp_.next_due_us()) due_us = std::min(due_us, clock_.real(*late_us));
  if (due_us == INT64_MAX) return -1;
  constexpr Micros kLongest_us = 60'000'000;
  return static_cast<int>((std::clamp(due_us - now.real_us, Micros{0}, kLongest_us) + 999) / 1'000);
}

void Server::accept_all() {
  for (;;) {
    const int fd =
        ::accept4(listener_.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
      ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.socket.get(), nullptr);
      accepting_ = false;  // until a connection ends
    }
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>();
    connection->socket = Descriptor(fd);
    connection->serial = next_serial_++;
    add_to(epoll_.get(), fd, connection->serial);
    connections_.emplace(connection->serial, std::move(connection));
  }
}

void Server::on_socket(Connection& connection, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !continue_sending(connection)) return;
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) == 0) return;
  if (!receive(connection)) return drop(connection, Way::nothing);
  if (!connection.busy) handle_next(connection);
}

// False: the client is gone, or sends more than any request may hold.
bool Server::receive(Connection& connection) {
  static thread_local std::array<char, 64 * 1024> chunk;
  for (;;) {
    const ssize_t got = ::recv(connection.socket.get(), chunk.data(), chunk.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN;
    if (got == 0) return false;
    connection.in.append(chunk.data(), static_cast<std::size_t>(got));
    if (connection.in.size() > kMaxBuffered) return false;
    if (static_cast<std::size_t>(got) < chunk.size()) return true;
  }
}

void Server::handle_next(Connection& connection) {
  const ParsedHttp parsed = parse_http(connection.in);
  const Instant now = clock_.now();
  switch (parsed.state) {
    case ParsedHttp::State::incomplete: return;
    case ParsedHttp::State::bad:
      record(connection, dsp_.refuse_bytes(parsed.refusal, parsed.trouble, now), false, now);
      connection.in.clear();
      return;
    case ParsedHttp::State::complete:
      record(connection, dsp_.handle(parsed.request, now), parsed.request.keep_alive, now);
      connection.in.erase(0, parsed.size);
      return;
  }
}

void Server::record(Connection& connection, Reply&& reply, bool keep_alive, Instant now) {
  connection.busy = true;
  const Micros due_us = now.real_us + clock_.real(reply.delay_us);
  const bool stays = keep_alive && reply.way == Way::answer;
  Outgoing outgoing{connection.serial, reply.way, stays, {}};
  reply.headers += "X-Request-Id: " + std::to_string(reply.entry.seq) + "\r\n";
  outgoing.bytes = bytes_of(reply, stays);
  reply.entry.connection = connection.serial - kFirstConnectionSerial + 1;
  reply.entry.request_on_connection = ++connection.requests;
  if (!outgoing.bytes.empty()) reply.entry.answered_real_us = due_us;
  ledger_.request(reply.entry);
  if (reply.delay_us > 0) {
    delayed_.emplace(due_us, std::move(outgoing));
  } else {
    outbox_.push_back(std::move(outgoing));
  }
}

Status Server::send_all_due() {
  const Instant now = clock_.now();
  for (const LedgerEntry& entry : dsp_.apply_due(now)) ledger_.applied_late(entry);
  while (!delayed_.empty() && delayed_.begin()->first <= now.real_us) {
    outbox_.push_back(std::move(delayed_.extract(delayed_.begin()).mapped()));
  }
  Status flushed = ledger_.flush();
  while (flushed && !outbox_.empty()) {  // sending may let a pipelined request in
    for (Outgoing& outgoing : std::exchange(outbox_, {})) begin_sending(std::move(outgoing));
    flushed = ledger_.flush();
  }
  return flushed;
}

void Server::begin_sending(Outgoing&& outgoing) {
  const auto found = connections_.find(outgoing.connection);
  if (found == connections_.end()) return;  // its client did not wait
  Connection& connection = *found->second;
  connection.out = std::move(outgoing.bytes);
  connection.sent = 0;
  connection.way = outgoing.way;
  connection.close_after = !outgoing.keep_alive;
  continue_sending(connection);
}

// False: the connection has ended.
bool Server::continue_sending(Connection& connection) {
  while (connection.sent < connection.out.size()) {
    const ssize_t sent = ::send(connection.socket.get(), connection.out.data() + connection.sent,
                                connection.out.size() - connection.sent, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      if (!connection.blocked) watch(connection, EPOLLIN | EPOLLOUT);
      connection.blocked = true;
      return true;
    }
    if (sent < 0) {
      drop(connection, Way::nothing);
      return false;
    }
    connection.sent += static_cast<std::size_t>(sent);
  }
  if (connection.close_after) {
    drop(connection, connection.way);
    return false;
  }
  if (connection.blocked) watch(connection, EPOLLIN);
  connection.blocked = false;
  connection.busy = false;
  if (!connection.in.empty()) handle_next(connection);
  return true;
}

void Server::watch(const Connection& connection, std::uint32_t events) {
  epoll_event event{.events = events,
                    .data = {.u64 = static_cast<std::uint64_t>(connection.serial)}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.socket.get(), &event);
}

void Server::drop(Connection& connection, Way way) {
  if (way == Way::reset) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(connection.socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  connections_.erase(connection.serial);
  if (!accepting_) {
    add_to(epoll_.get(), listener_.socket.get(), kListenerSerial);
    accepting_ = true;
  }
}

}  // namespace dl::mock
