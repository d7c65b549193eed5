#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "tests/mock_dsp/server.h"

namespace dl::mock {
namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

bool parse_port(std::string_view text, std::uint16_t& port) {
  const char* const end = text.data() + text.size();
  const auto [rest, trouble] = std::from_chars(text.data(), end, port);
  return trouble == std::errc{} && rest == end && !text.empty();
}

bool parse_address(const std::string& text, Address& address) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string::npos || !parse_port(std::string_view(text).substr(colon + 1), port)) {
    return false;
  }
  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    std::memcpy(&address.storage, &v4, address.size = sizeof v4);
    return true;
  }
  if (host.size() < 2 || host.front() != '[' || host.back() != ']') return false;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6.sin6_addr) != 1) {
    return false;
  }
  std::memcpy(&address.storage, &v6, address.size = sizeof v6);
  return true;
}

int port_of(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size);
  // The port is at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

}  // namespace

Result<Listener> listen_on(const std::string& text) {
  Address address;
  if (!parse_address(text, address)) {
    return Error{Errc::usage, "--listen: \"" + text + "\" is not ADDR:PORT such as 127.0.0.1:8080"};
  }
  Listener listener;
  listener.socket = Descriptor(
      ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int socket = listener.socket.get();
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address.storage), address.size) != 0 ||
      ::listen(socket, 1024) != 0) {
    return Error{Errc::unavailable, "--listen " + text + ": " + std::strerror(errno)};
  }
  listener.port = port_of(socket);
  listener.url = "http://" + text.substr(0, text.rfind(':')) + ":" + std::to_string(listener.port);
  return listener;
}

}  // namespace dl::mock
