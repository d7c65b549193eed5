#include "daemon/dsp/request_text.h"

#include <gtest/gtest.h>

#include "tests/wire/driver.h"

namespace dl {
namespace {

using wire_test::policy_for;
using wire_test::post;
using wire_test::status_of;

TEST(RequestText, IsExactlyWhatThePermitSays) {
  WirePolicy policy = policy_for(8080);
  policy.endpoint.base_path = "/v1";
  std::string text;
  ASSERT_TRUE(append_request(policy, "s3cret", post(R"({"id":"c1"})"), text));
  EXPECT_EQ(text,
            "POST /v1/campaigns HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: DemandLink\r\n"
            "Accept: application/json\r\nAuthorization: Bearer s3cret\r\n"
            "Content-Type: application/json\r\nContent-Length: 11\r\nIdempotency-Key: key-1\r\n\r\n"
            "{\"id\":\"c1\"}");
  text.clear();
  policy.endpoint = *parse_endpoint("https://[::1]");
  ASSERT_TRUE(append_request(policy, "", status_of("c1"), text));
  EXPECT_EQ(text,
            "GET /campaigns/c1/status HTTP/1.1\r\nHost: [::1]\r\nUser-Agent: DemandLink\r\n"
            "Accept: application/json\r\n\r\n");
}

TEST(RequestText, SendsNoKeyWhereThereIsNone) {
  DspRequest request = post();
  request.idempotency_key.clear();
  std::string text;
  ASSERT_TRUE(append_request(policy_for(1), "", request, text));
  EXPECT_EQ(text.find("Idempotency-Key"), std::string::npos);
}

TEST(RequestText, RefusesWhatWouldSplitIt) {
  for (const std::string& evil :
       {std::string("a\r\nEvil: 1"), std::string("a\n"), std::string("a\0b", 3),
        std::string("a\x7f"), std::string("\xc3\xa4")}) {
    std::string text;
    DspRequest key = post();
    key.idempotency_key = evil;
    EXPECT_FALSE(append_request(policy_for(1), "", key, text));
    DspRequest target = post();
    target.target = "/" + evil;
    EXPECT_FALSE(append_request(policy_for(1), "", target, text));
    EXPECT_FALSE(append_request(policy_for(1), evil, post(), text));
    WirePolicy agent = policy_for(1);
    agent.user_agent = evil;
    EXPECT_FALSE(append_request(agent, "", post(), text));
  }
  std::string text;
  EXPECT_FALSE(append_request(policy_for(1), "", status_of("a b"), text));
  EXPECT_FALSE(append_request(policy_for(1), "a b", post(), text));
}

}  // namespace
}  // namespace dl
