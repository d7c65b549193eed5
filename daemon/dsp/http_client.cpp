#include "daemon/dsp/http_client.h"

#include <unordered_map>
#include <variant>

#include "daemon/dsp/connection.h"
#include "daemon/dsp/heartbeat.h"
#include "daemon/dsp/inbox.h"
#include "daemon/dsp/tls.h"
#include "storage/model/check.h"

namespace dl {
namespace {

namespace asio = boost::asio;

// What a hand is told to do.
namespace order {
struct Connect {
  ConnectionId id;
};
struct Send {
  ConnectionId id;
  DspRequest request;
};
struct Close {
  ConnectionId id;
};
}  // namespace order
using Order = std::variant<order::Connect, order::Send, order::Close>;

}  // namespace

struct HttpClient::Impl {
  Impl(const WirePolicy& policy, const WireEvents& events)
      : hand{.policy = policy,
             .events = events,
             .tls = {},
             .tls_trouble = {},
             .forget = [this](ConnectionId id) { connections.erase(id.serial); }} {
    // Asio makes its epoll with the first object that needs one: here, where a lack of descriptors
    // is an exception that main reports, and not on the hand's thread.
    const asio::steady_timer makes_epoll(hand.io);
    if (policy.endpoint.tls) hand.make_tls();
  }

  // Held by the caller as well as by the map, which it may leave meanwhile.
  std::shared_ptr<Connection> find(ConnectionId id) const {
    const auto found = connections.find(id.serial);
    return found == connections.end() ? nullptr : found->second;
  }

  void order(Order what) {
    if (orders.put(std::move(what))) asio::post(hand.io, [this] { obey(); });
  }

  void obey() {
    orders.take(taken);
    for (Order& what : taken) std::visit([this](auto& each) { obey(each); }, what);
  }

  void obey(const order::Connect& connect) {
    if (stopping) return;
    const auto connection = std::make_shared<Connection>(hand, connect.id);
    const bool is_new = connections.emplace(connect.id.serial, connection).second;
    DL_CHECK(is_new, "a connection's id is used once");
    connection->start();
  }

  void obey(order::Send& send) {
    if (stopping) return;
    if (const auto connection = find(send.id)) return connection->send(std::move(send.request));
    DspReply reply;
    reply.wire = Wire::not_sent;
    reply.trouble = "the connection was gone";
    hand.events.replied(send.id, send.request.id, std::move(reply), false);
  }

  void obey(const order::Close& close) {
    if (const auto connection = find(close.id)) connection->close();
  }

  bool awaits_name() const { return hand.names_awaited > 0; }

  Hand hand;
  Inbox<Order> orders;
  std::vector<Order> taken;  // from the inbox
  asio::executor_work_guard<asio::io_context::executor_type> work{hand.io.get_executor()};
  std::unordered_map<std::int64_t, std::shared_ptr<Connection>> connections;  // those not gone
  bool stopping = false;
  Heartbeat heartbeat;
};

HttpClient::HttpClient(const WirePolicy& policy, const WireEvents& events)
    : impl_(std::make_unique<Impl>(policy, events)) {}
HttpClient::~HttpClient() = default;

void HttpClient::run() { impl_->hand.io.run(); }

void HttpClient::stop() {
  asio::post(impl_->hand.io, [home = impl_.get()] {
    home->stopping = true;
    home->work.reset();
    while (!home->connections.empty()) {
      const auto connection = home->connections.begin()->second;
      connection->cut();
    }
    if (home->awaits_name()) home->hand.io.stop();
  });
}

bool HttpClient::awaits_name() const { return impl_->awaits_name(); }

void HttpClient::connect(ConnectionId id) { impl_->order(order::Connect{id}); }
void HttpClient::send(ConnectionId id, DspRequest request) {
  impl_->order(order::Send{id, std::move(request)});
}
void HttpClient::close(ConnectionId id) { impl_->order(order::Close{id}); }

void HttpClient::ask() {
  impl_->heartbeat.ask();
  asio::post(impl_->hand.io, [home = impl_.get()] { home->heartbeat.answer(); });
}
bool HttpClient::has_answered() const { return impl_->heartbeat.has_answered(); }

}  // namespace dl
