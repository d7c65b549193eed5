#include "tests/mock/plain_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "storage/model/check.h"
#include "tests/mock_dsp/json_object.h"

namespace dl::mock {

std::string RawAnswer::header(std::string_view name) const {
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const std::size_t found = bytes.find(wanted);
  if (found == std::string::npos) return {};
  const std::size_t begin = found + wanted.size();
  return bytes.substr(begin, bytes.find("\r\n", begin) - begin);
}

PlainClient::PlainClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval patience{.tv_sec = 60, .tv_usec = 0};  // a hung mock fails the test, not the run
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  DL_CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
           "the mock accepts connections");
}

PlainClient::~PlainClient() { close(socket_); }

void PlainClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server hung up; receive() will tell
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

RawAnswer PlainClient::receive() {
  RawAnswer answer;
  std::array<char, 4096> chunk;
  for (;;) {
    answer.bytes = unread_;
    const std::size_t head = unread_.find("\r\n\r\n");
    if (head != std::string::npos) {
      const auto length = std::strtoul(answer.header("Content-Length").c_str(), nullptr, 10);
      answer.whole = unread_.starts_with("HTTP/1.1 ") && unread_.size() >= head + 4 + length;
      if (answer.whole) answer.bytes.resize(head + 4 + length);
      answer.body = answer.bytes.substr(head + 4);
    }
    if (answer.whole) break;
    const ssize_t got = recv(socket_, chunk.data(), chunk.size(), 0);
    DL_CHECK(got >= 0 || errno == ECONNRESET, "the mock answers or hangs up in time");
    if (got <= 0) answer.end = got == 0 ? End::closed : End::reset;
    if (got <= 0) break;
    unread_.append(chunk.data(), static_cast<std::size_t>(got));
  }
  unread_.erase(0, answer.bytes.size());
  if (answer.bytes.starts_with("HTTP/1.1 ")) answer.status = std::atoi(answer.bytes.c_str() + 9);
  return answer;
}

RawAnswer PlainClient::post(std::string_view target, std::string_view body,
                            std::string_view headers) {
  send(http_post(target, body, headers));
  return receive();
}

RawAnswer PlainClient::post_with_key(std::string_view target, std::string_view body,
                                     std::string_view key) {
  return post(target, body, "Idempotency-Key: " + std::string(key) + "\r\n");
}

RawAnswer PlainClient::get(std::string_view target) {
  send("GET " + std::string(target) + " HTTP/1.1\r\nHost: mock\r\n\r\n");
  return receive();
}

std::string http_post(std::string_view target, std::string_view body, std::string_view headers) {
  return "POST " + std::string(target) +
         " HTTP/1.1\r\nHost: mock\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

std::string json_text(const std::string& object, std::string_view name) {
  std::string text;
  read_json_object(object, [&](const JsonField& field) {
    if (field.name == name) text = field.text;
  });
  return text;
}

}  // namespace dl::mock
