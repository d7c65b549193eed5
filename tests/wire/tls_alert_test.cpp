// TLS 1.3 refuses a client only after the client's side of the handshake is done: the alert comes
// in place of the answer to a request that was already sent.
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <vector>

#include "daemon/core/outcome.h"
#include "tests/wire/certificates.h"
#include "tests/wire/driver.h"
#include "tests/wire/scripted_server.h"

namespace dl::wire_test {
namespace {

// Speaks TLS between two heaps of bytes: over a plain Peer's, an alert can so be held back until
// the request has arrived.
class TlsInMemory {
 public:
  enum class Side { server, client };
  explicit TlsInMemory(SSL_CTX* context, Side side = Side::server)
      : ssl_(SSL_new(context)), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_, in_, out_);
    side == Side::server ? SSL_set_accept_state(ssl_) : SSL_set_connect_state(ssl_);
    SSL_set_app_data(ssl_, this);
    SSL_set_num_tickets(ssl_, 0);  // so that an alert is the first record after the handshake
    SSL_CTX_set_keylog_callback(context, [](const SSL* ssl, const char* line) {
      static_cast<TlsInMemory*>(SSL_get_app_data(ssl))->remember(line);
    });
  }
  ~TlsInMemory() { SSL_free(ssl_); }
  TlsInMemory(const TlsInMemory&) = delete;
  TlsInMemory& operator=(const TlsInMemory&) = delete;

  void take(const std::string& bytes) {
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  }
  // 1: done, -1: needs more bytes, 0: it has refused the other side, and the alert is ready.
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

  const SSL* ssl() const { return ssl_; }

  // Reads until the handshake is done (true) or refused (false).
  bool shake_hands(Peer& peer) {
    for (int state = -1; state == -1;) {
      const std::string bytes = peer.read_some();
      if (bytes.empty()) return false;
      take(bytes);
      state = go_on();
      if (state == 0) return false;
      peer.write(give());
      if (state == 1) return true;
    }
    return false;
  }

  // A record with a fatal alert, as our side would write it next. OpenSSL has no call for it: RFC
  // 8446, 5.2 and 7.3, for TLS_AES_128_GCM_SHA256 and sequence number 0.
  std::string alert(std::uint8_t description) const {
    const Bytes key = expand("tls13 key", 16);
    const Bytes nonce = expand("tls13 iv", 12);
    const Bytes inner = {2, description, 21};  // fatal; the last is the content type "alert"
    Bytes record = {23, 3, 3, 0, static_cast<std::uint8_t>(inner.size() + 16)};
    const std::size_t header = record.size();
    record.resize(header + inner.size() + 16);
    EVP_CIPHER_CTX* const cipher = EVP_CIPHER_CTX_new();
    int size = 0;
    EXPECT_EQ(EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), nullptr, key.data(), nonce.data()), 1);
    EXPECT_EQ(EVP_EncryptUpdate(cipher, nullptr, &size, record.data(), static_cast<int>(header)),
              1);
    EXPECT_EQ(EVP_EncryptUpdate(cipher, record.data() + header, &size, inner.data(),
                                static_cast<int>(inner.size())),
              1);
    EXPECT_EQ(EVP_EncryptFinal_ex(cipher, record.data() + header + size, &size), 1);
    EXPECT_EQ(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, 16,
                                  record.data() + header + inner.size()),
              1);
    EVP_CIPHER_CTX_free(cipher);
    return {record.begin(), record.end()};
  }

 private:
  using Bytes = std::vector<std::uint8_t>;

  // "SERVER_TRAFFIC_SECRET_0 <the client's random> <the secret>", both in hex.
  void remember(const std::string& line) {
    if (!line.starts_with("SERVER_TRAFFIC_SECRET_0 ")) return;
    const std::string hex = line.substr(line.rfind(' ') + 1);
    for (std::size_t i = 0; i < hex.size(); i += 2)
      secret_.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }

  // HKDF-Expand-Label of at most one block of SHA-256.
  Bytes expand(const std::string& label, std::uint8_t size) const {
    Bytes info = {0, size, static_cast<std::uint8_t>(label.size())};
    info.insert(info.end(), label.begin(), label.end());
    info.insert(info.end(), {0, 1});  // no context; block 1
    Bytes block(32);
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), info.data(), info.size(),
         block.data(), nullptr);
    block.resize(size);
    return block;
  }

  Bytes secret_;
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
};

WirePolicy tls_policy_for(int port, const Authority& authority) {
  WirePolicy policy = policy_for(port);
  policy.endpoint.tls = true;
  policy.ca_file = authority.file();
  return policy;
}

// As OpenSSL's own servers do it: we have no certificate, and they ask for one.
TEST(TlsAlert, ThatAsksForACertificateProvesThatNothingWasProcessed) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  Transcript steps;
  ScriptedServer server([&](Peer& peer) {
    TlsInMemory tls(context.get());
    EXPECT_FALSE(tls.shake_hands(peer)) << "the client has no certificate";
    steps.add("the handshake was read");
    steps.add(peer.read_some());  // the request, encrypted
    peer.write(tls.give());
    peer.read_to_end();
  });
  Driver driver(tls_policy_for(server.port(), authority));
  driver.connect();
  EXPECT_EQ(steps.next(), "the handshake was read");  // else the request may come in the same bytes
  const Event event = driver.exchange(post());
  EXPECT_NE(steps.next(), "");
  EXPECT_EQ(event.reply.wire, Wire::no_answer);
  EXPECT_EQ(event.reply.not_taken, NotTaken::tls_refused_us) << event.reply.trouble;
  EXPECT_EQ(classify(Purpose::create, event.reply, {}), OutcomeClass::unauthorized);
  EXPECT_FALSE(event.reusable);
}

struct AlertCase {
  std::uint8_t description;  // RFC 8446, 6.2
  const char* name;
  bool refuses_us;
};

class TlsAlertOf : public testing::TestWithParam<AlertCase> {};

// In place of the answer to a request that was sent.
TEST_P(TlsAlertOf, IsProofOnlyWhereItRefusesUs) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  SSL_CTX_set_ciphersuites(context.get(), "TLS_AES_128_GCM_SHA256");
  Transcript steps;
  ScriptedServer server([&](Peer& peer) {
    TlsInMemory tls(context.get());
    EXPECT_TRUE(tls.shake_hands(peer));
    steps.add("the handshake was read");
    peer.read_some();  // the request
    peer.write(tls.alert(GetParam().description));
    peer.read_to_end();
  });
  Driver driver(tls_policy_for(server.port(), authority));
  driver.connect();
  EXPECT_EQ(steps.next(), "the handshake was read");
  const Event event = driver.exchange(post());
  EXPECT_EQ(event.reply.wire, Wire::no_answer);
  EXPECT_NE(event.reply.trouble.find("alert"), std::string::npos)
      << "it was read as an alert: " << event.reply.trouble;
  EXPECT_EQ(event.reply.not_taken,
            GetParam().refuses_us ? NotTaken::tls_refused_us : NotTaken::no_proof)
      << event.reply.trouble;
  EXPECT_EQ(classify(Purpose::create, event.reply, {}),
            GetParam().refuses_us ? OutcomeClass::unauthorized : OutcomeClass::unknown);
}

INSTANTIATE_TEST_SUITE_P(Each, TlsAlertOf,
                         testing::Values(AlertCase{42, "bad_certificate", true},
                                         AlertCase{48, "unknown_ca", true},
                                         AlertCase{49, "access_denied", true},
                                         AlertCase{116, "certificate_required", true},
                                         AlertCase{10, "unexpected_message", false},
                                         AlertCase{20, "bad_record_mac", false},
                                         AlertCase{40, "handshake_failure", false},
                                         AlertCase{80, "internal_error", false}),
                         [](const auto& test) { return std::string(test.param.name); });

// By then a server of that version has agreed to us.
TEST(TlsAlert, UnderTls12SaysNothingOfTheHandshake) {
  const Authority authority;
  const auto server_context = authority.server_for("IP:127.0.0.1");
  const auto client_context = make_tls_context(authority.file());
  ASSERT_TRUE(client_context);
  const int denied = static_cast<int>(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_TLSV1_ALERT_ACCESS_DENIED));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(server_context.get(), version);
    TlsInMemory server(server_context.get(), TlsInMemory::Side::server);
    TlsInMemory client(client_context->get(), TlsInMemory::Side::client);
    for (int round = 0; round < 5; ++round) {
      client.go_on();
      server.take(client.give());
      server.go_on();
      client.take(server.give());
    }
    ASSERT_EQ(client.go_on(), 1);
    EXPECT_EQ(refuses_us(client.ssl(), denied), version == TLS1_3_VERSION);
  }
}

// Anybody between us can write these.
TEST(TlsAlert, ThatIsNotEncryptedProvesNothing) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  ScriptedServer server(
      [](Peer& peer) {
        peer.read_request();
        peer.write_raw(std::string("\x15\x03\x03\x00\x02\x02\x31", 7));  // access_denied
        peer.read_to_end();
      },
      context.get());
  Driver driver(tls_policy_for(server.port(), authority));
  driver.connect();
  const Event event = driver.exchange(post());
  EXPECT_EQ(event.reply.wire, Wire::no_answer);
  EXPECT_EQ(event.reply.not_taken, NotTaken::no_proof);
}

}  // namespace
}  // namespace dl::wire_test
