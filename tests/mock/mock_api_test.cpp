// The API of a real dl-mock-dsp over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/mock/mock_process.h"
#include "tests/mock/plain_client.h"

namespace dl::mock {
namespace {

TEST(MockApi, CreatesThreeLevelsAndRefusesAChildWithoutItsParent) {
  MockProcess mock;
  PlainClient client(mock.port());
  EXPECT_EQ(client.post("/ad-groups", R"({"id":"g","campaign_id":"c"})").status, 422);
  const RawAnswer campaign = client.post("/campaigns", R"({"id":"c","budget":15000.50})");
  EXPECT_EQ(campaign.status, 201);
  const std::string campaign_id = json_text(campaign.body, "campaign_id");
  EXPECT_EQ(client.get("/campaigns/" + campaign_id + "/status").body, R"({"status":"success"})");

  const RawAnswer group =
      client.post("/ad-groups", R"({"id":"g","campaign_id":")" + campaign_id + R"("})");
  const std::string group_id = json_text(group.body, "ad_group_id");
  const RawAnswer ad = client.post("/ads", R"({"id":"a","ad_group_id":")" + group_id + R"("})");
  EXPECT_NE(json_text(ad.body, "ad_id"), "");

  EXPECT_EQ(mock.stop(), 0);
  const std::vector<LedgerLine> ledger = mock.ledger();
  ASSERT_EQ(ledger.size(), 5u);
  EXPECT_EQ(ledger[0].at("note"), "child_before_parent");
  EXPECT_EQ(ledger[0].at("created"), "false");
  EXPECT_EQ(ledger[4].at("parent"), group_id);
}

TEST(MockApi, RefusesWhoDoesNotBearItsToken) {
  MockProcess mock({"--token", "t0"});
  PlainClient client(mock.port());
  for (const char* authorization : {"", "Authorization: Bearer t1\r\n", "Authorization: t0\r\n"}) {
    EXPECT_EQ(client.post("/campaigns", R"({"id":"c"})", authorization).status, 401)
        << authorization;
  }
  EXPECT_EQ(client.post("/campaigns", R"({"id":"c"})", "Authorization: Bearer t0\r\n").status, 201);
}

TEST(MockApi, AnswersOneKeyWithOneEntity) {
  MockProcess mock;
  PlainClient client(mock.port());
  const RawAnswer first = client.post_with_key("/campaigns", R"({"id":"c"})", "k1");
  const RawAnswer again = client.post_with_key("/campaigns", R"({"id":"c"})", "k1");
  const RawAnswer other_body = client.post_with_key("/campaigns", R"({"id":"d"})", "k1");
  const RawAnswer other_key = client.post_with_key("/campaigns", R"({"id":"c"})", "k2");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(other_body.status, 422);
  EXPECT_EQ(other_key.status, 201);
  EXPECT_NE(other_key.body, first.body);
  const std::vector<LedgerLine> ledger = mock.ledger();
  EXPECT_EQ(ledger[1].at("note"), "deduplicated");
  EXPECT_EQ(ledger[1].at("created"), "false");
  EXPECT_EQ(ledger[1].at("dsp_id"), ledger[0].at("dsp_id"));
  EXPECT_EQ(ledger[2].at("note"), "key_with_other_body");
}

TEST(MockApi, MakesASecondEntityWithoutIdempotency) {
  MockProcess mock({"--idempotency", "off"});
  PlainClient client(mock.port());
  const RawAnswer first = client.post_with_key("/campaigns", R"({"id":"c"})", "k1");
  const RawAnswer second = client.post_with_key("/campaigns", R"({"id":"c"})", "k1");
  EXPECT_EQ(second.status, 201);
  EXPECT_NE(first.body, second.body);
}

TEST(MockApi, FindsAnEntityByItsExternalId) {
  MockProcess mock;
  PlainClient client(mock.port());
  const RawAnswer made = client.post("/campaigns", R"({"id":"c","external_id":"key/1"})");
  const RawAnswer found = client.get("/campaigns?external_id=key%2F1");
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, made.body);
  EXPECT_EQ(client.get("/campaigns?external_id=other").status, 404);
  EXPECT_EQ(client.get("/ads?external_id=key%2F1").status, 404);
}

TEST(MockApi, DoesNotSayAbsentWhereLookupIsOff) {
  MockProcess mock({"--lookup", "off"});
  PlainClient client(mock.port());
  EXPECT_EQ(client.get("/campaigns?external_id=k").status, 405);
}

TEST(MockApi, EchoesTheCallersIds) {
  MockProcess mock({"--ids", "echo"});
  PlainClient client(mock.port());
  EXPECT_EQ(client.post("/campaigns", R"({"id":"c/\"1"})").body, R"({"campaign_id":"c/\"1"})");
  EXPECT_EQ(client.get("/campaigns/c%2F%221/status").status, 200);
}

TEST(MockApi, SaysPendingUntilProcessingHasPassed) {
  MockProcess mock({"--processing", "fixed:20s", "--time-scale", "100"});
  PlainClient client(mock.port());
  const std::string id = json_text(client.post("/campaigns", R"({"id":"c"})").body, "campaign_id");
  while (client.get("/campaigns/" + id + "/status").body != R"({"status":"success"})") continue;
  const std::vector<LedgerLine> ledger = mock.ledger();
  const double done_ms = std::stod(ledger[0].at("arrival_scaled_ms")) + 20'000;
  for (std::size_t i = 1; i < ledger.size(); ++i) {
    const bool done = std::stod(ledger[i].at("arrival_scaled_ms")) >= done_ms;
    EXPECT_EQ(ledger[i].at("answer"), done ? "success" : "pending");
  }
}

TEST(MockApi, HoldsTheLimitToTheMicrosecond) {
  MockProcess mock({"--limit", "5/2s,8/5s", "--time-scale", "100"});
  PlainClient client(mock.port());
  std::string last_retry_after;
  for (int accepted = 0; accepted < 40;) {
    const RawAnswer answer = client.get("/campaigns/none/status");
    accepted += answer.status == 404 ? 1 : 0;
    if (answer.status == 429) last_retry_after = answer.header("Retry-After");
  }
  EXPECT_THAT(last_retry_after, testing::AnyOf("1", "2", "3", "4", "5"));
  std::vector<double> counted_ms;
  for (const LedgerLine& line : mock.ledger()) {
    const double now_ms = std::stod(line.at("arrival_scaled_ms"));
    const auto within = [&](double window_ms) {
      const auto inside = [&](double at_ms) { return at_ms > now_ms - window_ms; };
      return std::count_if(counted_ms.begin(), counted_ms.end(), inside);
    };
    const bool fits = within(2'000) < 5 && within(5'000) < 8;
    ASSERT_EQ(line.at("status"), fits ? "404" : "429") << "request " << line.at("seq");
    EXPECT_EQ(line.at("note"), fits ? "unknown_id" : "over_limit");
    if (fits) counted_ms.push_back(now_ms);
  }
}

TEST(MockApi, WritesEveryFieldOfARequest) {
  MockProcess mock({"--time-scale", "10"});
  PlainClient(mock.port()).get("/campaigns/none/status");
  PlainClient client(mock.port());
  client.get("/campaigns/none/status");
  const RawAnswer made =
      client.post_with_key("/campaigns", "{\"id\":\"caf\xc3\xa9\",\"external_id\":\"x1\"}", "k1");
  LedgerLine line = mock.ledger().at(2);
  EXPECT_EQ(made.header("X-Request-Id"), line["seq"]);
  EXPECT_NEAR(std::stod(line["arrival_scaled_ms"]), 10 * std::stod(line["arrival_ms"]), 0.01);
  EXPECT_GE(std::stod(line["answered_ms"]), std::stod(line["arrival_ms"]));
  for (const char* const time : {"arrival_ms", "arrival_scaled_ms", "answered_ms"})
    line.erase(time);
  const LedgerLine expected = {{"seq", "3"},
                               {"method", "POST"},
                               {"path", "/campaigns"},
                               {"kind", "campaign"},
                               {"entity", "caf\xc3\xa9"},
                               {"parent", ""},
                               {"key", "k1"},
                               {"external_id", "x1"},
                               {"status", "201"},
                               {"created", "true"},
                               {"fails", "false"},
                               {"processing_ms", "0.000"},
                               {"answer", ""},
                               {"note", ""},
                               {"connection", "2"},
                               {"request_on_connection", "2"},
                               {"dsp_id", json_text(made.body, "campaign_id")}};
  EXPECT_EQ(line, expected);
}

TEST(MockApi, RecordsARequestBeforeItsAnswerLeaves) {
  MockProcess mock;
  PlainClient client(mock.port());
  for (std::size_t i = 1; i <= 50; ++i) {
    client.post("/campaigns", R"({"id":"c"})");
    ASSERT_EQ(mock.ledger().size(), i);
  }
}

TEST(MockApi, AnswersPipelinedAndPiecemealRequestsInOrder) {
  MockProcess mock;
  PlainClient client(mock.port());
  const std::string two = http_post("/campaigns", R"({"id":"a"})", "") +
                          "GET /campaigns/dsp_c1/status HTTP/1.1\r\n\r\n";
  client.send(two);
  EXPECT_EQ(client.receive().body, R"({"campaign_id":"dsp_c1"})");
  EXPECT_EQ(client.receive().body, R"({"status":"success"})");
  for (const char byte : two) client.send({&byte, 1});
  EXPECT_EQ(client.receive().body, R"({"campaign_id":"dsp_c2"})");
  EXPECT_EQ(client.receive().body, R"({"status":"success"})");
  EXPECT_EQ(mock.ledger().size(), 4u);
}

TEST(MockApi, AnswersHostileBytesAndLivesOn) {
  MockProcess mock;
  const std::string deep = std::string(100'000, '[');
  const std::vector<std::pair<std::string, int>> cases = {
      {"\r\n\r\n", 400},
      {"GET / HTTP/9.9\r\n\r\n", 400},
      {"GET /\x01 HTTP/1.1\r\n\r\n", 400},
      {"GET /caf\xc3\xa9 HTTP/1.1\r\n\r\n", 400},
      {"POST /ads HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
      {"POST /ads HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"POST /ads HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"POST /ads HTTP/1.1\r\nContent-Length: 16777217\r\n\r\n", 413},
      {"POST /ads HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411},
      {"POST /ads HTTP/1.1\r\nIdempotency-Key: a b\r\n\r\n", 400},
      {"POST /ads HTTP/1.1\r\nbad header: 1\r\n\r\n", 400},
      {std::string(64 * 1024, 'a'), 431},
      {"GET /nowhere HTTP/1.1\r\n\r\n", 404},
      {"GET /campaigns/%zz/status HTTP/1.1\r\n\r\n", 404},
      {"GET /campaigns/a/b/status HTTP/1.1\r\n\r\n", 404},
      {"DELETE /ads HTTP/1.1\r\n\r\n", 405},
      {http_post("/campaigns", "", ""), 400},
      {http_post("/campaigns", "{}", ""), 400},
      {http_post("/campaigns", "[]", ""), 400},
      {http_post("/campaigns", deep, ""), 400},
      {http_post("/campaigns", R"({"id":{"a":1}})", ""), 400},
      {http_post("/campaigns", "{\"id\":\"\xff\"}", ""), 400},
      {http_post("/campaigns", R"({"id":"x")", ""), 400},
      {http_post("/campaigns", R"({"id":"x"} y)", ""), 400},
      {http_post("/campaigns", R"({"id":"x","n":1e999999})", ""), 400},
      {http_post("/ads", R"({"id":"x"})", ""), 400},
  };
  for (const auto& [bytes, status] : cases) {
    PlainClient client(mock.port());
    client.send(bytes);
    EXPECT_EQ(client.receive().status, status) << bytes.substr(0, 80);
  }
  EXPECT_EQ(mock.stop(), 0);
  EXPECT_EQ(mock.ledger().size(), cases.size());
}

TEST(MockApi, TakesABodyOf16MiB) {
  MockProcess mock;
  PlainClient client(mock.port());
  std::string body = R"({"id":"big","pad":")";
  body.append(16 * 1024 * 1024 - body.size() - 2, 'x').append("\"}");
  EXPECT_EQ(client.post("/campaigns", body).status, 201);
}

TEST(MockApi, WritesItsPortToAFile) {
  MockProcess mock;
  int port = 0;
  std::ifstream(mock.port_path()) >> port;
  EXPECT_EQ(port, mock.port());
}

TEST(MockFlags, RefuseWhatIsWrongWith64) {
  const std::vector<std::vector<std::string>> cases = {{"--nope"},
                                                       {"--limit", "40"},
                                                       {"--limit", "40/0s"},
                                                       {"--processing", "fixed"},
                                                       {"--lookup", "maybe"},
                                                       {"--faults", "slow:1"},
                                                       {"--time-scale", "0"},
                                                       {"--ids", "1"},
                                                       {"--listen", "here"},
                                                       {"judge"}};
  for (const std::vector<std::string>& flags : cases) {
    const Finish finish = run_program("dl-mock-dsp", flags);
    EXPECT_EQ(finish.exit_code, 64) << flags[0];
    EXPECT_NE(finish.err, "") << flags[0];
  }
  EXPECT_EQ(run_program("dl-mock-dsp", {"--ledger", "/nowhere/x"}).exit_code, 73);
  EXPECT_EQ(run_program("dl-mock-dsp", {"--ledger", "/dev/full"}).exit_code, 74);
}

TEST(MockFlags, TeachTheirUse) {
  const Finish finish = run_program("dl-mock-dsp", {"--help"});
  EXPECT_EQ(finish.exit_code, 0);
  EXPECT_THAT(finish.out,
              testing::AllOf(testing::HasSubstr("lost_answer"), testing::HasSubstr("lognormal"),
                             testing::HasSubstr("judge")));
}

}  // namespace
}  // namespace dl::mock
