// TLS 1.3 refuses a client only after the client's side of the handshake is done: the alert comes in place of the
// answer to a request that was already sent.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "daemon/core/outcome.h"
#include "tests/wire/certificates.h"
#include "tests/wire/driver.h"
#include "tests/wire/scripted_server.h"

namespace dl::wire_test {
namespace {

// Speaks TLS over a plain Peer's bytes, so that the alert can be held back until the request has arrived.
class HeldBackTls {
 public:
  explicit HeldBackTls(SSL_CTX* context) : ssl_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_, in_, out_);
    SSL_set_accept_state(ssl_);
  }
  ~HeldBackTls() { SSL_free(ssl_); }
  HeldBackTls(const HeldBackTls&) = delete;
  HeldBackTls& operator=(const HeldBackTls&) = delete;

  void take(const std::string& bytes) { BIO_write(in_, bytes.data(), static_cast<int>(bytes.size())); }
  // 1: done, -1: needs more bytes, 0: it has refused the client, and the alert is ready.
  int go_on() {
    const int done = SSL_do_handshake(ssl_);
    if (done == 1) return 1;
    return SSL_get_error(ssl_, done) == SSL_ERROR_WANT_READ ? -1 : 0;
  }
  std::string give() {
    std::string bytes;
    std::array<char, 4096> block{};
    for (int size = 0; (size = BIO_read(out_, block.data(), static_cast<int>(block.size()))) > 0;) {
      bytes.append(block.data(), static_cast<std::size_t>(size));
    }
    return bytes;
  }

 private:
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
};

TEST(TlsAlert, ThatAsksForACertificateProvesThatNothingWasProcessed) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  Transcript steps;
  ScriptedServer server([&](Peer& peer) {
    HeldBackTls tls(context.get());
    int state = -1;
    while (state == -1) {
      const std::string bytes = peer.read_some();
      if (bytes.empty()) return;
      tls.take(bytes);
      state = tls.go_on();
      if (state == -1) peer.write(tls.give());
    }
    EXPECT_EQ(state, 0) << "the client has no certificate";
    steps.add("the handshake was read");
    steps.add(peer.read_some());  // the request, encrypted
    peer.write(tls.give());
    peer.read_to_end();
  });
  WirePolicy policy = policy_for(server.port());
  policy.endpoint.tls = true;
  policy.ca_file = authority.file();
  Driver driver(policy);
  driver.connect();
  EXPECT_EQ(steps.next(), "the handshake was read");  // else the request may come in the same bytes
  const Event event = driver.exchange(post());
  EXPECT_NE(steps.next(), "");
  EXPECT_EQ(event.reply.wire, Wire::no_answer);
  EXPECT_EQ(event.reply.not_taken, NotTaken::tls_refused_us) << event.reply.trouble;
  EXPECT_EQ(classify(Purpose::create, event.reply, {}), OutcomeClass::unauthorized);
  EXPECT_FALSE(event.reusable);
}

TEST(TlsAlert, OfAnotherKindProvesNothing) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  ScriptedServer server(
      [](Peer& peer) {
        peer.read_request();
        peer.write_raw(std::string("\x15\x03\x03\x00\x02\x02\x50", 7));  // a plain internal_error amid encryption
        peer.read_to_end();
      },
      context.get());
  WirePolicy policy = policy_for(server.port());
  policy.endpoint.tls = true;
  policy.ca_file = authority.file();
  Driver driver(policy);
  driver.connect();
  const Event event = driver.exchange(post());
  EXPECT_EQ(event.reply.wire, Wire::no_answer);
  EXPECT_EQ(event.reply.not_taken, NotTaken::no_proof);
}

}  // namespace
}  // namespace dl::wire_test
