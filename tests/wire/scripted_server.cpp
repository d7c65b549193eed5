#include "tests/wire/scripted_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "storage/model/check.h"

namespace dl::wire_test {

Peer::~Peer() {
  close();
  SSL_free(ssl_);
}

bool Peer::read_more() {
  char bytes[65536];
  const auto got = ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes)
                                   : ::recv(socket_, bytes, sizeof bytes, 0);
  ended_by_reset_ = ssl_ == nullptr && got < 0 && errno == ECONNRESET;
  if (got <= 0) return false;
  unread_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string Peer::read_head() {
  std::size_t end = 0;
  while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return "";
  }
  std::string head = unread_.substr(0, end + 4);
  unread_.erase(0, end + 4);
  return head;
}

std::string Peer::read_request() {
  std::string request = read_head();
  constexpr std::string_view kLength = "Content-Length: ";
  const auto at = request.find(kLength);
  if (at == std::string::npos) return request;
  const std::size_t length = std::strtoul(request.c_str() + at + kLength.size(), nullptr, 10);
  while (unread_.size() < length) {
    if (!read_more()) return "";
  }
  request += unread_.substr(0, length);
  unread_.erase(0, length);
  return request;
}

std::string Peer::read_to_end() {
  while (read_more()) {
  }
  return std::exchange(unread_, {});
}

void Peer::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ssl_ != nullptr
                          ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                          : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the client has gone
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string Peer::read_some() {
  if (!unread_.empty()) return std::exchange(unread_, {});
  return read_more() ? std::exchange(unread_, {}) : "";
}

void Peer::write_raw(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool Peer::wait_for_hangup(int at_most_ms) {
  pollfd wait{socket_, POLLRDHUP, 0};
  return ::poll(&wait, 1, at_most_ms) > 0;
}

void Peer::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Peer::reset() {
  const linger drop{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &drop, sizeof drop);
  close();
}

void Transcript::add(std::string text) {
  const std::lock_guard lock(mutex_);
  texts_.push_back(std::move(text));
  added_.notify_one();
}

std::string Transcript::next() {
  std::unique_lock lock(mutex_);
  added_.wait(lock, [&] { return !texts_.empty(); });
  std::string text = std::move(texts_.front());
  texts_.pop_front();
  return text;
}

ScriptedServer::ScriptedServer(Script script, SSL_CTX* tls)
    : script_(std::move(script)), tls_(tls) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  DL_CHECK(::bind(listener_, generic, size) == 0, "a port of 127.0.0.1 is free");
  DL_CHECK(::listen(listener_, 16) == 0, "the socket listens");
  DL_CHECK(::getsockname(listener_, generic, &size) == 0, "the socket has a name");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  ::shutdown(listener_, SHUT_RDWR);  // wakes accept()
  thread_.join();
  ::close(listener_);
}

void ScriptedServer::serve() {
  // OpenSSL writes without MSG_NOSIGNAL. Only this thread is deaf: the client's must do without.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    ++connections_;
    SSL* ssl = tls_ != nullptr ? SSL_new(tls_) : nullptr;
    Peer peer(socket, ssl);
    if (ssl != nullptr) {
      SSL_set_fd(ssl, socket);
      if (SSL_accept(ssl) != 1) continue;
    }
    script_(peer);
  }
}

std::string json_answer(std::string_view status, std::string_view body, std::string_view headers) {
  std::string text = "HTTP/1.1 ";
  text.append(status).append("\r\nContent-Type: application/json\r\nContent-Length: ");
  text.append(std::to_string(body.size())).append("\r\n").append(headers).append("\r\n");
  return text.append(body);
}

}  // namespace dl::wire_test
