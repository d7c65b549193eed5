// Answers that want more than they are entitled to: another server asked, memory filled, time
// taken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <sstream>

#include "tests/wire/driver.h"
#include "tests/wire/scripted_server.h"

namespace dl::wire_test {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

// A line of /proc/self/status in KiB: VmRSS, or VmHWM (its peak since forget_peak()).
std::int64_t memory_kib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1));
  }
  ADD_FAILURE() << "no " << name;
  return 0;
}
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }

TEST(HostileAnswer, ThatPointsElsewhereLeadsNowhere) {
  ScriptedServer elsewhere([](Peer& peer) { peer.read_to_end(); });
  const std::string place = "http://127.0.0.1:" + std::to_string(elsewhere.port()) + "/campaigns";
  for (const char* status :
       {"201 Created", "202 Accepted", "300 Choose", "301 Moved", "302 Found", "303 See",
        "304 Same", "305 Proxy", "307 Temporary", "308 Permanent"}) {
    std::promise<std::string> rest;
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.write(json_answer(status, "{}",
                             "Location: " + place + "\r\nRefresh: 0; url=" + place + "\r\n"));
      rest.set_value(peer.read_to_end());
    });
    {
      Driver driver(policy_for(server.port()));
      driver.connect();
      const Event event = driver.exchange(post());
      EXPECT_EQ(event.reply.http_status, std::atoi(status));
      EXPECT_EQ(event.reply.location, place) << "kept as evidence";
    }
    EXPECT_EQ(rest.get_future().get(), "") << status;
    EXPECT_EQ(server.connections(), 1) << status;
  }
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST(HostileAnswer, OfAGibibyteTakesAMebibyteAndIsCut) {
  const std::string head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n";
  for (const std::string& framing :
       {std::string("Content-Length: 1073741824\r\n\r\n"), std::string("\r\n"),
        std::string("Transfer-Encoding: chunked\r\n\r\n40000000\r\n"),
        std::string("Transfer-Encoding: chunked\r\n\r\n")}) {
    const bool in_chunks = framing.ends_with("chunked\r\n\r\n");
    std::promise<std::int64_t> written;
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.write(head + framing);
      const std::string block =
          in_chunks ? "8000\r\n" + std::string(0x8000, ' ') + "\r\n" : std::string(0x8000, ' ');
      std::int64_t sent = 0;
      while (sent < kGiB && !peer.wait_for_hangup(0)) {
        peer.write(block);
        sent += 0x8000;
      }
      written.set_value(sent);
    });
    Driver driver(policy_for(server.port()));
    driver.connect();
    forget_peak();
    const std::int64_t before = memory_kib("VmRSS");
    const Event event = driver.exchange(post());
    EXPECT_LT(memory_kib("VmHWM") - before, 32 * 1024) << framing;
    EXPECT_EQ(event.reply.wire, Wire::no_answer) << framing;
    EXPECT_EQ(event.reply.http_status, 201) << framing;
    EXPECT_FALSE(event.reusable);
    EXPECT_LT(written.get_future().get(), kGiB / 16) << "the connection was cut " << framing;
  }
}

TEST(HostileAnswer, ThatDripsItsBodyEndsAtTheDeadline) {
  ScriptedServer server([](Peer& peer) {
    peer.read_request();
    peer.write("HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n{\"campaign_id\":\"");
    while (!peer.wait_for_hangup(5)) peer.write("1");
  });
  WirePolicy policy = policy_for(server.port());
  policy.http_timeout = std::chrono::milliseconds(200);
  Driver driver(policy);
  driver.connect();
  const Event event = driver.exchange(post());
  EXPECT_EQ(event.reply.wire, Wire::no_answer);
  EXPECT_EQ(event.reply.http_status, 201) << "applied, the id is unknown";
  EXPECT_EQ(event.reply.trouble, "no complete answer in 200 ms");
}

TEST(HostileAnswer, OfAnotherContentTypeIsEvidenceAndNoId) {
  const std::string body = R"({"campaign_id":"c-1"})";
  for (const char* type :
       {"text/html", "text/plain; charset=utf-8", "application/xml", "application/jsonp"}) {
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.write("HTTP/1.1 200 OK\r\nContent-Type: " + std::string(type) +
                 "\r\nX-Request-Id: r-7\r\nContent-Length: " + std::to_string(body.size()) +
                 "\r\n\r\n" + body);
      peer.read_to_end();
    });
    Driver driver(policy_for(server.port()));
    driver.connect();
    const DspReply reply = driver.exchange(post()).reply;
    EXPECT_EQ(reply.wire, Wire::answered);
    EXPECT_FALSE(reply.answer.readable);
    EXPECT_TRUE(reply.answer.ids.empty());
    EXPECT_EQ(reply.excerpt, body) << "for the operator";
    EXPECT_EQ(reply.dsp_request_id, "r-7");
    EXPECT_THAT(reply.trouble, HasSubstr("no JSON"));
  }
}

}  // namespace
}  // namespace dl::wire_test
