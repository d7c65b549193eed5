// How a connection comes to be: name, address, socket, TLS.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/experimental/as_tuple.hpp>
#include <limits>
#include <tuple>
#include <vector>

#include "daemon/dsp/connect_trouble.h"
#include "daemon/dsp/connection.h"
#include "daemon/dsp/tls.h"
#include "storage/fault/fault_point.h"

namespace dl {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Steady = std::chrono::steady_clock;

constexpr auto kAwait = asio::experimental::as_tuple(asio::use_awaitable);

// The resolver tells a lack of descriptors by codes that mean other things, too, so we try.
ConnectTrouble trouble_of_resolving(const error_code& error) {
  const int file = ::dup(STDERR_FILENO);
  if (file < 0) return connect_trouble_of(errno);
  ::close(file);
  return error == asio::error::no_memory ? ConnectTrouble::memory : ConnectTrouble::dsp;
}

// The kernel counts in an int of milliseconds: 24.8 days are the longest that it can be told.
error_code set_options(tcp::socket& socket, std::chrono::milliseconds user_timeout) {
  using UserTimeout = asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  const auto longest = std::chrono::milliseconds(std::numeric_limits<int>::max());
  error_code error;
  socket.set_option(tcp::no_delay(true), error);
  if (!error) socket.set_option(asio::socket_base::linger(true, 0), error);
  if (!error)
    socket.set_option(UserTimeout(static_cast<int>(std::min(user_timeout, longest).count())),
                      error);
  if (!error) socket.non_blocking(true, error);
  return error;
}

}  // namespace

void Hand::make_tls() {
  auto context = make_tls_context(policy.ca_file);
  if (context) {
    tls.emplace(context->release());
  } else {
    tls_trouble = context.error().message;
  }
}

void Connection::start() {
  const WirePolicy& policy = hand_.policy;
  if (!policy.token_file.empty()) {
    auto token = read_secret(policy.token_file);
    if (!token) {
      const bool is_of_the_token = token.error().code == Errc::no_permission;
      return fail(token.error().message,
                  is_of_the_token ? ConnectTrouble::credentials : ConnectTrouble::open_files);
    }
    token_ = std::move(*token);
  }
  if (policy.endpoint.tls && !hand_.tls) hand_.make_tls();  // the file may be there by now
  if (policy.endpoint.tls && !hand_.tls) return fail(hand_.tls_trouble, ConnectTrouble::dsp);
  set_deadline(policy.connect_timeout);
  asio::co_spawn(
      hand_.io, [self = shared_from_this()] { return self->live(); },
      [self = shared_from_this()](std::exception_ptr bug) {
        if (bug) std::rethrow_exception(bug);  // out of memory or a bug: the process ends
      });
}

asio::awaitable<std::string> Connection::open() {
  const Endpoint& endpoint = hand_.policy.endpoint;
  error_code error;
  tcp::resolver::results_type addresses;
  const auto literal = asio::ip::make_address(endpoint.host, error);
  if (!error) {
    const auto port = static_cast<asio::ip::port_type>(std::stoi(endpoint.port));
    addresses = tcp::resolver::results_type::create(tcp::endpoint(literal, port), endpoint.host,
                                                    endpoint.port);
  } else {
    try {
      ++hand_.names_awaited;
      std::tie(error, addresses) =
          co_await resolver_.async_resolve(endpoint.host, endpoint.port, kAwait);
      --hand_.names_awaited;
    } catch (const boost::system::system_error& lack) {
      // each io_context resolves on a thread of its own
      --hand_.names_awaited;
      connect_trouble_ = ConnectTrouble::memory;
      co_return "resolve " + endpoint.host + ": no thread for it, " + lack.what() +
          "; raise TasksMax= of the unit, or lower --workers";
    }
    if (error) {
      connect_trouble_ = trouble_of_resolving(error);
      co_return "resolve " + endpoint.host + ": " + error.message();
    }
  }
  if (stage_ == Stage::gone) co_return "";
  DL_FAULT_POINT("net.resolved");
  error = co_await connect_to(addresses);
  if (stage_ == Stage::gone) co_return "";
  DL_FAULT_POINT_IF("net.connected", !error);
  if (!error) error = set_options(socket_, hand_.policy.http_timeout);
  if (error) {
    connect_trouble_ = connect_trouble_of(error.value());
    co_return "connect to " + endpoint.host_and_port() + ": " + error.message();
  }
  if (!endpoint.tls) co_return "";
  co_return co_await shake_hands();
}

// One address after the other, the one that was reached last first. Each gets its share of the
// time, for one may swallow all that is sent to it (IPv6 behind a firewall, say) while another
// answers. Asio's own way of doing so says "Operation canceled" where there is no descriptor for a
// socket.
asio::awaitable<Connection::Error> Connection::connect_to(
    const tcp::resolver::results_type& addresses) {
  std::vector<tcp::endpoint> all;
  for (const auto& address : addresses) all.push_back(address.endpoint());
  std::stable_partition(all.begin(), all.end(),
                        [this](const tcp::endpoint& address) { return address == hand_.reached; });
  error_code error = asio::error::not_found;
  for (std::size_t i = 0; i < all.size(); ++i) {
    error_code ignored;
    socket_.close(ignored);
    socket_.open(all[i].protocol(), error);
    const auto left = static_cast<int>(all.size() - i);
    if (!error && left > 1) {
      error = co_await connect_within((deadline_ - Steady::now()) / left, all[i]);
    } else if (!error) {
      // all that is left: the deadline ends it
      std::tie(error) = co_await socket_.async_connect(all[i], kAwait);
    }
    if (!error) hand_.reached = all[i];
    if (!error || stage_ == Stage::gone) break;
  }
  co_return error;
}

asio::awaitable<Connection::Error> Connection::connect_within(Steady::duration share,
                                                              const tcp::endpoint& address) {
  asio::steady_timer patience(hand_.io, share);
  patience.async_wait([self = shared_from_this(), tried = ++address_tried_](error_code cancelled) {
    error_code ignored;
    if (!cancelled && self->address_tried_ == tried && self->stage_ == Stage::connecting)
      self->socket_.cancel(ignored);
  });
  const auto [error] = co_await socket_.async_connect(address, kAwait);
  ++address_tried_;  // a timer that has ended already finds nothing to end
  co_return error == asio::error::operation_aborted ? asio::error::timed_out : error;
}

asio::awaitable<std::string> Connection::shake_hands() {
  const std::string what = "TLS with " + hand_.policy.endpoint.host_and_port() + ": ";
  tls_.emplace(socket_, *hand_.tls);
  if (!expect_host(tls_->native_handle(), hand_.policy.endpoint.host)) {
    co_return what + "out of memory";
  }
  const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, kAwait);
  DL_FAULT_POINT_IF("net.tls_done", !error);
  if (!error) co_return "";
  const std::string certificate = certificate_trouble(tls_->native_handle());
  co_return what + (certificate.empty() ? error.message() : certificate);
}

}  // namespace dl
