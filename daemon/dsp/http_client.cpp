#include "daemon/dsp/http_client.h"

#include <unordered_map>

#include "daemon/dsp/connection.h"
#include "daemon/dsp/tls.h"
#include "storage/model/check.h"

namespace dl {
namespace {

namespace asio = boost::asio;

}  // namespace

struct HttpClient::Impl {
  Impl(const WirePolicy& policy, const WireEvents& events)
      : hand{.policy = policy,
             .events = events,
             .tls = {},
             .tls_trouble = {},
             .forget = [this](ConnectionId id) { connections.erase(id.serial); }} {
    // Asio makes its epoll with the first object that needs one: here, where a lack of descriptors is an
    // exception that main reports, and not on the hand's thread.
    const asio::steady_timer makes_epoll(hand.io);
    if (!policy.endpoint.tls) return;
    auto context = make_tls_context(policy.ca_file);
    if (context) {
      hand.tls.emplace(context->release());
    } else {
      hand.tls_trouble = context.error().message;
    }
  }

  // Held by the caller as well as by the map, which it may leave meanwhile.
  std::shared_ptr<Connection> find(ConnectionId id) const {
    const auto found = connections.find(id.serial);
    return found == connections.end() ? nullptr : found->second;
  }

  Hand hand;
  asio::executor_work_guard<asio::io_context::executor_type> work{hand.io.get_executor()};
  std::unordered_map<std::int64_t, std::shared_ptr<Connection>> connections;  // those not gone
  bool stopping = false;
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
  });
}

void HttpClient::connect(ConnectionId id) {
  asio::post(impl_->hand.io, [home = impl_.get(), id] {
    if (home->stopping) return;
    const auto connection = std::make_shared<Connection>(home->hand, id);
    const bool is_new = home->connections.emplace(id.serial, connection).second;
    DL_CHECK(is_new, "a connection's id is used once");
    connection->start();
  });
}

void HttpClient::send(ConnectionId id, DspRequest request) {
  asio::post(impl_->hand.io, [home = impl_.get(), id, request = std::move(request)]() mutable {
    if (home->stopping) return;
    if (const auto connection = home->find(id)) return connection->send(std::move(request));
    DspReply reply;
    reply.wire = Wire::not_sent;
    reply.trouble = "the connection was gone";
    home->hand.events.replied(id, request.id, std::move(reply), false);
  });
}

void HttpClient::close(ConnectionId id) {
  asio::post(impl_->hand.io, [home = impl_.get(), id] {
    if (const auto connection = home->find(id)) connection->close();
  });
}

}  // namespace dl
