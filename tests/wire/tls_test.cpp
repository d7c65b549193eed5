#include "daemon/dsp/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "tests/wire/certificates.h"
#include "tests/wire/driver.h"
#include "tests/wire/scripted_server.h"

namespace dl::wire_test {
namespace {

using testing::HasSubstr;

WirePolicy tls_policy_for(int port, const std::string& ca_file, const std::string& host) {
  WirePolicy policy = policy_for(port);
  policy.endpoint.tls = true;
  policy.endpoint.host = host;
  policy.ca_file = ca_file;
  return policy;
}

void serve_statuses(Peer& peer) {
  while (!peer.read_request().empty()) {
    peer.write(json_answer("200 OK", R"({"status":"success"})"));
  }
}

// What connecting to `server` as `host` comes to: the trouble; empty: connected.
std::string trouble_with(SSL_CTX* server_context, const Authority& authority,
                         const std::string& host = "127.0.0.1") {
  ScriptedServer server(serve_statuses, server_context);
  Driver driver(tls_policy_for(server.port(), authority.file(), host));
  driver.pool().connect(Driver::kFirst);
  const Event event = driver.next();
  EXPECT_EQ(event.connect_trouble, ConnectTrouble::dsp);
  return event.trouble;
}

TEST(Tls, ServesManyRequestsOnOneConnection) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX_set_max_proto_version(context.get(), version);
    ScriptedServer server(serve_statuses, context.get());
    Driver driver(tls_policy_for(server.port(), authority.file(), "127.0.0.1"));
    driver.connect();
    for (int i = 0; i < 3; ++i) {
      const Event event = driver.exchange(status_of("c-1"));
      EXPECT_EQ(event.reply.wire, Wire::answered) << event.reply.trouble;
      EXPECT_EQ(event.reply.answer.status, "success");
      EXPECT_TRUE(event.reusable);
    }
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST(Tls, MeetsOnlyTheHostItWasTold) {
  const Authority authority;
  const auto by_address = authority.server_for("IP:127.0.0.1");
  const auto by_name = authority.server_for("DNS:localhost");
  const auto wrong = authority.server_for("DNS:dsp.example,IP:127.0.0.2");
  EXPECT_EQ(trouble_with(by_address.get(), authority), "");
  EXPECT_EQ(trouble_with(by_name.get(), authority, "localhost"), "");
  EXPECT_THAT(trouble_with(by_name.get(), authority), HasSubstr("IP address mismatch"));
  EXPECT_THAT(trouble_with(by_address.get(), authority, "localhost"),
              HasSubstr("hostname mismatch"));
  EXPECT_THAT(trouble_with(wrong.get(), authority), HasSubstr("IP address mismatch"));
  EXPECT_THAT(trouble_with(wrong.get(), authority, "localhost"), HasSubstr("hostname mismatch"));
}

TEST(Tls, RefusesACertificateItCannotTrust) {
  const Authority authority;
  const Authority stranger;
  const std::string names = "IP:127.0.0.1";
  EXPECT_THAT(trouble_with(self_signed_server_for(names).get(), authority),
              HasSubstr("self-signed certificate"));
  EXPECT_THAT(trouble_with(authority.expired_server_for(names).get(), authority),
              HasSubstr("certificate has expired"));
  EXPECT_NE(trouble_with(stranger.server_for(names).get(), authority), "");
}

TEST(Tls, RefusesOldVersions) {
  const Authority authority;
  const auto old = authority.server_for("IP:127.0.0.1");
  SSL_CTX_set_security_level(old.get(), 0);
  SSL_CTX_set_min_proto_version(old.get(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version(old.get(), TLS1_1_VERSION);
  EXPECT_THAT(trouble_with(old.get(), authority), HasSubstr("TLS with 127.0.0.1:"));
  const auto client = make_tls_context(authority.file());
  ASSERT_TRUE(client);
  EXPECT_EQ(SSL_CTX_get_min_proto_version(client->get()), TLS1_2_VERSION);
  EXPECT_EQ(SSL_CTX_get_verify_mode(client->get()), SSL_VERIFY_PEER);
  EXPECT_NE(SSL_CTX_get_options(client->get()) & SSL_OP_NO_RENEGOTIATION, 0U);
}

TEST(Tls, SendsTheNameAlong) {
  const Authority authority;
  const auto context = authority.server_for("DNS:localhost");
  std::promise<std::string> name;
  SSL_CTX_set_tlsext_servername_arg(context.get(), &name);
  SSL_CTX_set_tlsext_servername_callback(
      context.get(), +[](SSL* ssl, int*, void* promise) {
        const char* sent = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        static_cast<std::promise<std::string>*>(promise)->set_value(sent == nullptr ? "" : sent);
        return SSL_TLSEXT_ERR_OK;
      });
  EXPECT_EQ(trouble_with(context.get(), authority, "localhost"), "");
  EXPECT_EQ(name.get_future().get(), "localhost");
}

TEST(Tls, GivesUpOnAServerThatNeverShakesHands) {
  ScriptedServer silent([](Peer& peer) { peer.read_to_end(); });
  WirePolicy policy = tls_policy_for(silent.port(), Authority().file(), "127.0.0.1");
  const Authority authority;
  policy.ca_file = authority.file();
  policy.connect_timeout = std::chrono::milliseconds(200);
  Driver driver(policy);
  EXPECT_THAT(driver.connect_failure().trouble, HasSubstr("no success in 200 ms"));
}

TEST(Tls, ReadsAnAuthorityThatCameLater) {
  ScriptedServer silent([](Peer& peer) { peer.read_to_end(); });
  const Authority authority;
  const std::string later = authority.file() + ".later";
  WirePolicy policy = tls_policy_for(silent.port(), later, "127.0.0.1");
  policy.connect_timeout = std::chrono::milliseconds(200);
  Driver driver(policy);
  EXPECT_THAT(driver.connect_failure().trouble, HasSubstr(later));
  std::filesystem::copy_file(authority.file(), later);
  EXPECT_THAT(driver.connect_failure().trouble, HasSubstr("no success in 200 ms"));
  std::filesystem::remove(later);
}

TEST(Tls, HasSentNothingWhereTheHandshakeIsResetOrCut) {
  const Authority authority;
  for (const bool is_reset : {true, false}) {
    ScriptedServer server([&](Peer& peer) {
      peer.read_some();
      is_reset ? peer.reset() : peer.close();
    });
    Driver driver(tls_policy_for(server.port(), authority.file(), "127.0.0.1"));
    const Event event = driver.connect_failure();
    EXPECT_THAT(event.trouble, HasSubstr("TLS with 127.0.0.1:"));
    EXPECT_EQ(event.connect_trouble, ConnectTrouble::dsp);
    EXPECT_EQ(driver.exchange(post()).reply.wire, Wire::not_sent);
  }
}

TEST(Tls, IsNotSpokenToAServerThatSpeaksPlainly) {
  ScriptedServer plain([](Peer& peer) {
    peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    peer.read_to_end();
  });
  const Authority authority;
  Driver driver(tls_policy_for(plain.port(), authority.file(), "127.0.0.1"));
  EXPECT_THAT(driver.connect_failure().trouble, HasSubstr("wrong version number"));
}

TEST(Tls, SaysThatTheAuthoritiesCannotBeRead) {
  Driver driver(tls_policy_for(1, "/nowhere/ca.pem", "127.0.0.1"));
  EXPECT_THAT(driver.connect_failure().trouble, HasSubstr("/nowhere/ca.pem"));
}

TEST(Tls, KnowsNothingWhereTheAnswerIsCut) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  for (const char* bytes : {"", "HTTP/1.1 201 Created\r\nContent-Length: 30\r\n\r\n{"}) {
    ScriptedServer server(
        [&](Peer& peer) {
          peer.read_request();
          peer.write(bytes);
          peer.close();
        },
        context.get());
    Driver driver(tls_policy_for(server.port(), authority.file(), "127.0.0.1"));
    driver.connect();
    const Event event = driver.exchange(post());
    EXPECT_EQ(event.reply.wire, Wire::no_answer);
    EXPECT_FALSE(event.reusable);
  }
}

TEST(Tls, NoticesThatAnIdleConnectionEnds) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  ScriptedServer server([](Peer&) {}, context.get());
  Driver driver(tls_policy_for(server.port(), authority.file(), "127.0.0.1"));
  driver.connect();
  EXPECT_EQ(driver.next().what, Event::What::closed);
  EXPECT_EQ(driver.exchange(post()).reply.wire, Wire::not_sent);
}

// What comes unasked must not become the next request's answer.
TEST(Tls, ClosesAnIdleConnectionThatSpeaksUnasked) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  ScriptedServer server(
      [](Peer& peer) {
        peer.write(json_answer("408 Request Timeout", "{}"));
        peer.read_to_end();
      },
      context.get());
  Driver driver(tls_policy_for(server.port(), authority.file(), "127.0.0.1"));
  driver.connect();
  EXPECT_EQ(driver.next().what, Event::What::closed);
  EXPECT_EQ(driver.exchange(post()).reply.wire, Wire::not_sent);
}

TEST(Tls, HearsARefusalThatComesBeforeTheWholeRequestIsOut) {
  const Authority authority;
  const auto context = authority.server_for("IP:127.0.0.1");
  ScriptedServer server(
      [&](Peer& peer) {
        peer.read_head();
        peer.write(json_answer("413 Too Large", "{}", "Connection: close\r\n"));
        peer.wait_for_hangup(8000);
      },
      context.get());
  Driver driver(tls_policy_for(server.port(), authority.file(), "127.0.0.1"));
  driver.connect();
  const Event event = driver.exchange(post(std::string(64 << 20, 'x')));
  EXPECT_EQ(event.reply.wire, Wire::answered) << event.reply.trouble;
  EXPECT_EQ(event.reply.http_status, 413);
  EXPECT_FALSE(event.reusable);
}

}  // namespace
}  // namespace dl::wire_test
