#include <gtest/gtest.h>

#include "daemon/dsp/worker_pool.h"

namespace dl {
namespace {

TEST(Endpoint, IsReadFromAUrl) {
  const auto plain = parse_endpoint("http://dsp.example");
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(plain->host, "dsp.example");
  EXPECT_EQ(plain->port, "80");
  EXPECT_EQ(plain->base_path, "");
  const auto full = parse_endpoint("https://[::1]:8443/api/v1/");
  ASSERT_TRUE(full);
  EXPECT_TRUE(full->tls);
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->port, "8443");
  EXPECT_EQ(full->base_path, "/api/v1");
}

TEST(Endpoint, IsWrittenAsAPersonWould) {
  for (const char* url : {"http://127.0.0.1:8080", "https://dsp.example/v1", "https://[::1]:8443",
                          "http://[2001:db8::1]/x", "http://h_1:1"}) {
    const auto endpoint = parse_endpoint(url);
    ASSERT_TRUE(endpoint) << endpoint.error().message;
    EXPECT_EQ(endpoint->text(), url);
  }
  EXPECT_EQ(parse_endpoint("https://h:443/")->text(), "https://h");
  EXPECT_EQ(parse_endpoint("HTTP://h:80")->text(), "http://h");
}

TEST(Endpoint, RefusesWhatIsNoPlaceToSendTo) {
  for (const char* url : {"",
                          "dsp.example",
                          "dsp.example:80",
                          "ftp://h",
                          "http://",
                          "http:///x",
                          "http://h?x",
                          "http://h#x",
                          "http://h:0",
                          "http://h:65536",
                          "http://h:99999",
                          "http://h:4294967376",
                          "http://h:184467440737095516160",
                          "http://h:x",
                          "http://h h",
                          "http://h/a b",
                          "http://h\r\nX: y",
                          "http://a%0d%0ab",
                          "http://[v1.x]",
                          "http://[fe80::1%25eth0]",
                          "http://a,b",
                          "http://127.0.0.1.example",
                          "http://127.0.0.1:80:9",
                          "http://1.2.3.4x",
                          "file:///etc",
                          "//h"}) {
    const auto endpoint = parse_endpoint(url);
    ASSERT_FALSE(endpoint) << url;
    EXPECT_EQ(endpoint.error().code, Errc::config) << url;
    EXPECT_NE(endpoint.error().message.find(url), std::string::npos) << endpoint.error().message;
  }
}

TEST(Endpoint, NeverShowsAPassword) {
  for (const char* url : {"http://maria:hunter2@h", "http://maria:hunter2@h h"}) {
    const auto endpoint = parse_endpoint(url);
    ASSERT_FALSE(endpoint);
    EXPECT_EQ(endpoint.error().message.find("hunter2"), std::string::npos);
  }
}

TEST(Endpoint, KnowsLoopback) {
  for (const char* url :
       {"http://127.0.0.1", "http://127.9.9.9:1", "http://localhost", "http://[::1]"}) {
    EXPECT_TRUE(parse_endpoint(url)->is_loopback()) << url;
  }
  for (const char* url :
       {"http://128.0.0.1", "http://localhost.example", "http://[::2]", "http://10.0.0.1"}) {
    EXPECT_FALSE(parse_endpoint(url)->is_loopback()) << url;
  }
}

}  // namespace
}  // namespace dl
