// Bytes as all that a DSP sends, but over a real socket to the real connection (Asio, deadlines,
// close and reset), on one thread. The last byte says how the DSP sends: in how many pieces, before
// or after the request, and whether it ends with FIN or RST. Invariants: exactly one end of a
// request; reply_properties.h; what the DSP received is exactly one request; and with a FIN behind
// it all, the answer is the one that the parser alone gives (target http).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "daemon/dsp/connection.h"
#include "storage/model/check.h"
#include "tests/fuzz/reply_properties.h"
#include "tests/fuzz/target.h"

namespace dl::fuzz {
namespace {

constexpr std::size_t kAnswerMax =
    32 * 1024;  // fits the socket's buffer: nobody reads while we write

class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    DL_CHECK(::bind(socket_, name, size) == 0 && ::listen(socket_, 8) == 0 &&
                 ::getsockname(socket_, name, &size) == 0,
             "a free port");
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { ::close(socket_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  int port() const { return port_; }
  int accept() const { return ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC); }

 private:
  int socket_;
  int port_ = 0;
};

WirePolicy policy_for(int port) {
  WirePolicy policy;
  policy.endpoint = {
      .tls = false, .host = "127.0.0.1", .port = std::to_string(port), .base_path = ""};
  return policy;
}

// What the DSP does besides its bytes.
struct Manner {
  std::size_t pieces = 1;
  bool begins_early = false;  // sends its first piece before the request
  bool ends_by_reset = false;
  explicit Manner(unsigned char byte)
      : pieces(1 + byte % 4), begins_early((byte & 0x10) != 0), ends_by_reset((byte & 0x20) != 0) {}
};

// One connection with one request on it, and the DSP at its other end.
class Exchange {
 public:
  Exchange()
      : policy_(policy_for(listener().port())),
        hand_{.policy = policy_,
              .events = events_,
              .tls = {},
              .tls_trouble = {},
              .forget = [](ConnectionId) {}} {
    events_.connected = [this](ConnectionId) { connected_ = true; };
    events_.connect_failed = [](ConnectionId, const std::string&, ConnectTrouble) {
      DL_CHECK(false, "loopback connects");
    };
    events_.closed = [this](ConnectionId) { closed_ = true; };
    events_.replied = [this](ConnectionId, RequestId id, DspReply reply, bool reusable) {
      DL_CHECK(!replied_ && id.value == 7, "a request ends once");
      replied_ = true;
      reply_ = std::move(reply);
      reusable_ = reusable;
    };
    connection_ = std::make_shared<Connection>(hand_, ConnectionId{0, 1});
    connection_->start();
    while (!connected_) hand_.io.run_one();
    peer_ = listener().accept();
    DL_CHECK(peer_ >= 0, "a connection is accepted");
  }
  ~Exchange() {
    if (peer_ >= 0) ::close(peer_);
    connection_->cut();
    connection_.reset();
    hand_.io.poll();
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  void run(std::string_view bytes, Manner manner) {
    const std::size_t piece_bytes = bytes.size() / manner.pieces + 1;
    if (manner.begins_early) write_piece(bytes, piece_bytes);
    if (closed_) {  // HttpClient does not find it any more, and says "not sent"
      reply_.wire = Wire::not_sent;
      reply_.trouble = "the connection was gone";
      return receive();
    }
    connection_->send({.id = {7},
                       .purpose = Purpose::create,
                       .kind = JobKind::campaign,
                       .target = "/campaigns",
                       .body = R"({"id":"c1"})",
                       .idempotency_key = "key-1"});
    while (!bytes.empty()) write_piece(bytes, piece_bytes);
    receive();
    end(manner);
    while (!replied_) hand_.io.run_one();
    hand_.io.poll();
    DL_CHECK(reusable_ || !closed_, "what is gone is not closed again");
  }

  const DspReply& reply() const { return reply_; }
  const std::string& received() const { return received_; }

 private:
  static const Listener& listener() {
    static const Listener one;
    return one;
  }
  void write_piece(std::string_view& bytes, std::size_t size) {
    const std::string_view piece = bytes.substr(0, size);
    // Fails only where the connection is gone already, which is the client's right.
    (void)!::send(peer_, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    bytes.remove_prefix(piece.size());
    hand_.io.restart();
    hand_.io.poll();
  }
  void receive() {
    char bytes[4096];
    for (;;) {
      const auto got = ::recv(peer_, bytes, sizeof bytes, MSG_DONTWAIT);
      if (got <= 0) return;
      received_.append(bytes, static_cast<std::size_t>(got));
    }
  }
  void end(Manner manner) {
    const linger at_once{1, 0};
    if (manner.ends_by_reset) ::setsockopt(peer_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(peer_);
    peer_ = -1;
    hand_.io.restart();
  }

  WirePolicy policy_;
  WireEvents events_;
  Hand hand_;
  std::shared_ptr<Connection> connection_;
  int peer_ = -1;
  bool connected_ = false;
  bool closed_ = false;
  bool replied_ = false;
  bool reusable_ = false;
  DspReply reply_;
  std::string received_;
};

// What the parser alone makes of it.
DspReply parsed(std::string_view bytes) {
  using Progress = AnswerReader::Progress;
  AnswerReader reader;
  reader.begin();
  Progress progress = Progress::more;
  while (progress == Progress::more && !bytes.empty()) {
    const auto space = reader.space();
    const std::string_view piece = bytes.substr(0, space.size());
    std::memcpy(space.data(), piece.data(), piece.size());
    bytes.remove_prefix(piece.size());
    reader.add(piece.size());
    progress = reader.read();
  }
  if (progress == Progress::more) progress = reader.end();
  if (progress == Progress::complete) return reader.reply({}, JobKind::campaign, Purpose::create);
  DspReply reply = reader.head({});
  reply.wire = Wire::no_answer;
  return reply;
}

}  // namespace

void connection(std::string_view input) {
  const Manner manner(input.empty() ? 0 : static_cast<unsigned char>(input.back()));
  const std::string_view bytes =
      input.substr(0, std::min(input.size() - !input.empty(), kAnswerMax));
  Exchange exchange;
  exchange.run(bytes, manner);
  check_reply(exchange.reply(), Purpose::create, "");
  const std::string& request = exchange.received();
  const bool is_sent = exchange.reply().wire != Wire::not_sent;
  DL_CHECK(is_sent || request.empty(), "not sent is nothing sent");
  DL_CHECK(!is_sent || manner.begins_early ||
               (request.starts_with("POST /campaigns HTTP/1.1\r\n") &&
                request.ends_with(R"({"id":"c1"})")),
           "the request arrives whole, and nothing behind it");
  if (manner.begins_early || manner.ends_by_reset) return;
  DL_CHECK(says_the_same(exchange.reply(), parsed(bytes)),
           "a socket changes nothing about an answer");
}

}  // namespace dl::fuzz
