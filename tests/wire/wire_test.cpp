#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "tests/wire/driver.h"
#include "tests/wire/scripted_server.h"

namespace dl::wire_test {
namespace {

using testing::HasSubstr;
using What = Event::What;

// What one POST on a fresh connection comes to when the server reads it and then answers `bytes`.
Event answer_with(const std::string& bytes) {
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    peer.write(bytes);
    peer.close();
  });
  Driver driver(policy_for(server.port()));
  driver.connect();
  return driver.exchange(post());
}

TEST(Wire, SendsOneRequestForEachSendAndKeepsTheConnection) {
  Transcript seen;
  ScriptedServer server([&](Peer& peer) {
    seen.add(peer.read_request());
    peer.write(kCreated);
    seen.add(peer.read_request());
    peer.write(json_answer("200 OK", R"({"status":"pending"})"));
    seen.add(peer.read_to_end());
  });
  {
    Driver driver(policy_for(server.port()));
    driver.connect();
    const Event created = driver.exchange(post());
    EXPECT_EQ(created.request, RequestId{7});
    EXPECT_EQ(created.reply.wire, Wire::answered);
    EXPECT_EQ(created.reply.http_status, 201);
    EXPECT_THAT(created.reply.answer.ids, testing::ElementsAre("c-1"));
    EXPECT_TRUE(created.reply.fresh_connection);
    EXPECT_TRUE(created.reusable);
    EXPECT_GT(created.reply.latency_us, 0);
    EXPECT_EQ(created.reply.trouble, "");
    const Event status = driver.exchange(status_of("c-1"));
    EXPECT_EQ(status.reply.answer.status, "pending");
    EXPECT_FALSE(status.reply.fresh_connection);
    EXPECT_TRUE(status.reusable);
    driver.pool().close(Driver::kFirst);
    EXPECT_EQ(driver.next().what, What::closed);
  }
  const std::string first = seen.next();
  EXPECT_THAT(first, testing::StartsWith("POST /campaigns HTTP/1.1\r\n"));
  EXPECT_THAT(first, testing::EndsWith("\r\n\r\n{\"id\":\"c1\"}"));
  EXPECT_THAT(seen.next(), testing::StartsWith("GET /campaigns/c-1/status HTTP/1.1\r\n"));
  EXPECT_EQ(seen.next(), "");
  EXPECT_EQ(server.connections(), 1);
}

TEST(Wire, KnowsNothingWhereTheAnswerIsMissingOrCut) {
  const struct {
    const char* bytes;
    int http_status;
  } rows[] = {
      {"", 0},
      {"HTTP/1.1 201 Cre", 0},
      {"HTTP/1.1 201 Created\r\nContent-Length: 30\r\n\r\n", 201},
      {"HTTP/1.1 201 Created\r\nContent-Length: 30\r\n\r\n{\"campaign_id\":\"1\"}", 201},
      {"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{\"campaign_id\":\"1", 201},
      {"SSH-2.0-OpenSSH_9.2\r\n", 0},
      {"HTTP/1.1 100 Continue\r\n\r\n", 0},
      {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 0},
      {"HTTP/1.1 201 Created\r\nContent-Length: 1073741824\r\n\r\n{", 201},
  };
  for (const auto& row : rows) {
    const Event event = answer_with(row.bytes);
    EXPECT_EQ(event.reply.wire, Wire::no_answer) << row.bytes;
    EXPECT_EQ(event.reply.http_status, row.http_status) << row.bytes;
    EXPECT_FALSE(event.reply.answer.readable) << row.bytes;
    EXPECT_FALSE(event.reusable) << row.bytes;
    EXPECT_NE(event.reply.trouble, "") << row.bytes;
  }
}

// Old fronts end their error pages with the connection.
TEST(Wire, BelievesARefusalOfWhichItsEndIsNotKnown) {
  const std::string page = "\r\nContent-Type: text/html\r\nRetry-After: 600\r\n\r\n<html>";
  for (const int status : {400, 401, 403, 429}) {
    const Event event = answer_with("HTTP/1.0 " + std::to_string(status) + " No" + page);
    EXPECT_EQ(event.reply.wire, Wire::answered) << status;
    EXPECT_EQ(event.reply.http_status, status);
    EXPECT_EQ(event.reply.retry_after, "600");
    EXPECT_FALSE(event.reusable);
  }
  for (const int status : {200, 404, 408, 500, 502, 503, 504})  // a proof, or a dead upstream
    EXPECT_EQ(answer_with("HTTP/1.0 " + std::to_string(status) + " OK" + page).reply.wire,
              Wire::no_answer);
}

TEST(Wire, KnowsNothingAfterAReset) {
  for (const char* bytes : {"", "HTTP/1.1 201 Created\r\nContent-Length: 30\r\n\r\n{"}) {
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.write(bytes);
      peer.reset();
    });
    Driver driver(policy_for(server.port()));
    driver.connect();
    const Event event = driver.exchange(post());
    EXPECT_EQ(event.reply.wire, Wire::no_answer);
    EXPECT_FALSE(event.reusable);
    EXPECT_THAT(event.reply.trouble, HasSubstr("reset"));
  }
}

TEST(Wire, ReadsPast100Continue) {
  const Event event =
      answer_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + kCreated);
  EXPECT_EQ(event.reply.wire, Wire::answered);
  EXPECT_EQ(event.reply.http_status, 201);
  EXPECT_THAT(event.reply.answer.ids, testing::ElementsAre("c-1"));
}

TEST(Wire, RefusesAHugeHeader) {
  const Event event = answer_with("HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x'));
  EXPECT_EQ(event.reply.wire, Wire::no_answer);
  EXPECT_EQ(event.reply.http_status, 0);
}

TEST(Wire, ReusesNoConnectionThatIsNotClean) {
  EXPECT_FALSE(answer_with(kCreated + "HTTP/1.1 200 OK\r\n").reusable);
  EXPECT_FALSE(answer_with(json_answer("200 OK", R"({"campaign_id":"1"})", "Connection: close\r\n"))
                   .reusable);
  const Event until_close = answer_with("HTTP/1.1 200 OK\r\n\r\n{\"campaign_id\":\"1\"}");
  EXPECT_EQ(until_close.reply.wire, Wire::answered);
  EXPECT_FALSE(until_close.reusable);
}

TEST(Wire, FollowsNoRedirectAndRetriesNothing) {
  for (const char* status : {"301 Moved", "307 Temporary", "401 Who", "503 Down", "429 Slow"}) {
    std::promise<std::string> rest;
    int port = 0;
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.write(json_answer(status, "{}",
                             "Location: http://127.0.0.1:" + std::to_string(port) +
                                 "/elsewhere\r\nRetry-After: 0\r\n"
                                 "WWW-Authenticate: Basic realm=\"x\"\r\n"));
      rest.set_value(peer.read_to_end());
    });
    port = server.port();
    {
      Driver driver(policy_for(port));
      driver.connect();
      const Event event = driver.exchange(post());
      EXPECT_EQ(event.reply.wire, Wire::answered);
      EXPECT_EQ(event.reply.http_status, std::atoi(status));
      EXPECT_EQ(event.reply.retry_after, "0");
    }
    EXPECT_EQ(rest.get_future().get(), "") << status;
    EXPECT_EQ(server.connections(), 1) << status;
  }
}

TEST(Wire, GivesUpAtTheDeadlineWhateverDripsIn) {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nX: ");
    while (!peer.wait_for_hangup(10)) peer.write("x");
  });
  WirePolicy policy = policy_for(server.port());
  policy.http_timeout = std::chrono::milliseconds(200);
  Driver driver(policy);
  driver.connect();
  const Event event = driver.exchange(post());
  EXPECT_EQ(event.reply.wire, Wire::no_answer);
  EXPECT_EQ(event.reply.trouble, "no complete answer in 200 ms");
  EXPECT_GE(event.reply.latency_us, 200'000);
  EXPECT_FALSE(event.reusable);
}

TEST(Wire, GivesEachRequestItsOwnDeadline) {
  ScriptedServer server([](Peer& peer) {
    while (!peer.read_request().empty()) {
      if (peer.wait_for_hangup(60)) return;
      peer.write(kCreated);
    }
  });
  WirePolicy policy = policy_for(server.port());
  policy.http_timeout = std::chrono::milliseconds(1000);
  Driver driver(policy);
  driver.connect();
  for (int i = 0; i < 20; ++i) {  // together longer than one deadline
    EXPECT_EQ(driver.exchange(post()).reply.wire, Wire::answered);
  }
}

TEST(Wire, HearsARefusalThatComesBeforeTheWholeRequestIsOut) {
  for (const bool closes_at_once : {false, true}) {
    ScriptedServer server([&](Peer& peer) {
      peer.read_head();
      peer.write(json_answer("413 Too Large", R"({"error":"too large"})", "Connection: close\r\n"));
      if (!closes_at_once) peer.wait_for_hangup(8000);
    });
    Driver driver(policy_for(server.port()));
    driver.connect();
    const Event event = driver.exchange(post(std::string(64 << 20, 'x')));
    EXPECT_EQ(event.reply.wire, Wire::answered) << event.reply.trouble;
    EXPECT_EQ(event.reply.http_status, 413);
    EXPECT_EQ(event.reply.answer.error, "too large");
    EXPECT_FALSE(event.reusable);
  }
}

TEST(Wire, SendsWhatDoesNotFitIntoTheSocketAtOnce) {
  Transcript seen;
  ScriptedServer server([&](Peer& peer) {
    seen.add(peer.read_request());
    peer.write(kCreated);
    peer.read_to_end();
  });
  Driver driver(policy_for(server.port()));
  driver.connect();
  std::string body(32 << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 4096)
    body[i] = static_cast<char>('a' + i / 4096 % 26);
  const Event event = driver.exchange(post(body));
  EXPECT_EQ(event.reply.wire, Wire::answered);
  EXPECT_TRUE(event.reusable);
  EXPECT_TRUE(seen.next().ends_with("\r\n\r\n" + body));
}

TEST(Wire, RefusesWhatWouldSplitTheRequestAndKeepsTheConnection) {
  std::promise<std::string> received;
  ScriptedServer server([&](Peer& peer) {
    received.set_value(peer.read_request());
    peer.write(kCreated);
    peer.read_to_end();
  });
  Driver driver(policy_for(server.port()));
  driver.connect();
  DspRequest evil = post();
  evil.idempotency_key = "a\r\nEvil: 1";
  const Event refused = driver.exchange(evil);
  EXPECT_EQ(refused.reply.wire, Wire::not_sent);
  EXPECT_TRUE(refused.reusable);
  const Event next = driver.exchange(post());
  EXPECT_EQ(next.reply.wire, Wire::answered);
  EXPECT_TRUE(next.reply.fresh_connection) << "nothing was sent on it before";
  EXPECT_THAT(received.get_future().get(), testing::Not(HasSubstr("Evil")));
}

}  // namespace
}  // namespace dl::wire_test
