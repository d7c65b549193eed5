// Each fault as a client meets it, over real sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/mock/mock_process.h"
#include "tests/mock/plain_client.h"

namespace dl::mock {
namespace {

// What one POST under key k1 meets, what the ledger says, and what the same POST meets next.
struct Meeting {
  RawAnswer answer;
  LedgerLine line;
  RawAnswer again;
};
Meeting meet(const std::string& faults, std::vector<std::string> flags = {}) {
  flags.insert(flags.end(), {"--faults", faults});
  MockProcess mock(flags);
  Meeting meeting;
  meeting.answer = PlainClient(mock.port()).post_with_key("/campaigns", R"({"id":"c"})", "k1");
  meeting.again = PlainClient(mock.port()).post_with_key("/campaigns", R"({"id":"c"})", "k1");
  EXPECT_EQ(mock.stop(), 0);
  meeting.line = mock.ledger().at(0);
  return meeting;
}

constexpr int kCreated = 201;  // the POST under the same key after one that was not applied
constexpr int kDeduplicated = 200;

TEST(MockFaults, AnswersAStatusWithoutApplying) {
  const Meeting meeting = meet("503:@1");
  EXPECT_EQ(meeting.answer.status, 503);
  EXPECT_EQ(meeting.answer.header("Retry-After"), "");
  EXPECT_EQ(meeting.line.at("status"), "503");
  EXPECT_EQ(meeting.line.at("note"), "503");
  EXPECT_EQ(meeting.again.status, kCreated);
}

TEST(MockFaults, AnswersRetryAfter) {
  EXPECT_EQ(meet("503:@1:7s").answer.header("Retry-After"), "7");
  EXPECT_EQ(meet("429:@1").answer.header("Retry-After"), "1");
}

TEST(MockFaults, AnswersAStatusAfterApplying) {
  const Meeting meeting = meet("500_applied:@1");
  EXPECT_EQ(meeting.answer.status, 500);
  EXPECT_EQ(meeting.line.at("created"), "true");
  EXPECT_EQ(meeting.again.status, kDeduplicated);
}

TEST(MockFaults, LosesTheAnswer) {
  const Meeting meeting = meet("lost_answer:@1");
  EXPECT_EQ(meeting.answer.bytes, "");
  EXPECT_EQ(meeting.answer.end, End::closed);
  EXPECT_EQ(meeting.line.at("status"), "0");
  EXPECT_EQ(meeting.line.at("created"), "true");
  EXPECT_EQ(meeting.line.at("answered_ms"), "null");
  EXPECT_EQ(meeting.again.status, kDeduplicated);
}

TEST(MockFaults, LosesTheRequest) {
  const Meeting meeting = meet("lost_request:@1");
  EXPECT_EQ(meeting.answer.bytes, "");
  EXPECT_EQ(meeting.answer.end, End::closed);
  EXPECT_EQ(meeting.line.at("created"), "false");
  EXPECT_EQ(meeting.again.status, kCreated);
}

TEST(MockFaults, ResetsTheConnection) {
  const Meeting meeting = meet("reset:@1");
  EXPECT_EQ(meeting.answer.end, End::reset);
  EXPECT_EQ(meeting.again.status, kCreated);
  const Meeting applied = meet("reset_applied:@1");
  EXPECT_EQ(applied.answer.end, End::reset);
  EXPECT_EQ(applied.again.status, kDeduplicated);
}

TEST(MockFaults, AnswersGarbage) {
  const Meeting meeting = meet("garbage:@1");
  EXPECT_NE(meeting.answer.bytes, "");
  EXPECT_EQ(meeting.answer.status, 0);
  EXPECT_EQ(meeting.line.at("status"), "0");
  EXPECT_EQ(meeting.again.status, kDeduplicated);
}

TEST(MockFaults, CutsTheBody) {
  const Meeting meeting = meet("cut_body:@1");
  EXPECT_EQ(meeting.answer.status, 201);
  EXPECT_FALSE(meeting.answer.whole);
  EXPECT_NE(meeting.answer.body, "");
  EXPECT_EQ(meeting.answer.end, End::closed);
  EXPECT_EQ(meeting.again.status, kDeduplicated);
}

TEST(MockFaults, AnswersABodyThatIsNotJson) {
  const Meeting meeting = meet("bad_json:@1");
  EXPECT_EQ(meeting.answer.status, 201);
  EXPECT_TRUE(meeting.answer.whole);
  EXPECT_EQ(json_text(meeting.answer.body, "campaign_id"), "");
  EXPECT_EQ(meeting.again.status, kDeduplicated);
}

TEST(MockFaults, LeavesTheIdOut) {
  const Meeting meeting = meet("no_id:@1");
  EXPECT_EQ(meeting.answer.status, 201);
  EXPECT_EQ(meeting.answer.body, "{}");
  EXPECT_EQ(meeting.again.status, kCreated);
  EXPECT_EQ(meet("no_id_applied:@1").again.status, kDeduplicated);
}

TEST(MockFaults, AnswersSlowly) {
  const Meeting meeting = meet("slow:@1:3s", {"--time-scale", "10"});
  EXPECT_EQ(meeting.answer.status, 201);
  EXPECT_NEAR(std::stod(meeting.line.at("answered_ms")) - std::stod(meeting.line.at("arrival_ms")),
              300, 0.01);
}

TEST(MockFaults, HangsAndThenHangsUp) {
  const Meeting meeting = meet("hang:@1:5s", {"--time-scale", "50"});
  EXPECT_EQ(meeting.answer.bytes, "");
  EXPECT_EQ(meeting.answer.end, End::closed);
  EXPECT_EQ(meeting.again.status, kCreated);
  EXPECT_EQ(meet("hang_applied:@1:5s", {"--time-scale", "50"}).again.status, kDeduplicated);
}

TEST(MockFaults, AppliesLate) {
  MockProcess mock({"--faults", "late_apply:@1:10s", "--time-scale", "100"});
  PlainClient first(mock.port());
  const RawAnswer lost = first.post_with_key("/campaigns", R"({"id":"c"})", "k1");
  EXPECT_EQ(lost.bytes, "");
  EXPECT_EQ(lost.end, End::closed);
  PlainClient client(mock.port());
  RawAnswer again;
  do {
    again = client.post_with_key("/campaigns", R"({"id":"c"})", "k1");
  } while (again.status == 409);
  EXPECT_EQ(again.status, kDeduplicated);

  bool applied = false;
  for (const LedgerLine& line : mock.ledger()) {
    if (!line.contains("event")) {
      EXPECT_EQ(line.at("created"), "false");
      if (line.at("seq") == "1") continue;
      EXPECT_EQ(line.at("note"), applied ? "deduplicated" : "key_in_progress");
      continue;
    }
    applied = true;
    EXPECT_EQ(line.at("event"), "applied_late");
    EXPECT_EQ(line.at("seq"), "1");
    EXPECT_EQ(line.at("created"), "true");
    EXPECT_EQ(line.at("entity"), "c");
    EXPECT_EQ(line.at("dsp_id"), json_text(again.body, "campaign_id"));
  }
  EXPECT_TRUE(applied);
}

TEST(MockFaults, FailsAnEntity) {
  MockProcess mock({"--faults", "fail_status:@1"});
  PlainClient client(mock.port());
  client.post("/campaigns", R"({"id":"c"})");
  EXPECT_EQ(json_text(client.get("/campaigns/dsp_c1/status").body, "status"), "failed");
  EXPECT_EQ(client.post("/ad-groups", R"({"id":"g","campaign_id":"dsp_c1"})").status, 422);
  EXPECT_EQ(mock.ledger().at(0).at("fails"), "true");
  client.post("/campaigns", R"({"id":"c"})");
  EXPECT_EQ(json_text(client.get("/campaigns/dsp_c2/status").body, "status"), "success");
}

TEST(MockFaults, RefusesAnEntityForGood) {
  MockProcess mock({"--faults", "refuse_409:1"});
  PlainClient client(mock.port());
  EXPECT_EQ(client.post_with_key("/campaigns", R"({"id":"c"})", "k1").status, 409);
  EXPECT_EQ(client.post_with_key("/campaigns", R"({"id":"c"})", "k2").status, 409);
  EXPECT_EQ(mock.ledger().at(1).at("note"), "refuse_409");
}

TEST(MockFaults, ForgetsAnAnswerWhoseClientLeft) {
  MockProcess mock({"--faults", "slow:@1:1s"});
  {
    PlainClient impatient(mock.port());
    impatient.send(http_post("/campaigns", R"({"id":"c"})", ""));
    PlainClient witness(mock.port());
    while (mock.ledger().empty()) witness.get("/campaigns/x/status");
  }
  PlainClient client(mock.port());
  while (client.get("/campaigns/dsp_c1/status").status == 404) continue;
  EXPECT_EQ(mock.stop(), 0);
}

TEST(MockFaults, FallOnTheSameRequestsForTheSameSeed) {
  const auto statuses = [](const std::string& seed) {
    MockProcess mock({"--faults", "500:0.2,503:0.2,fail_status:0.3", "--seed", seed});
    PlainClient client(mock.port());
    std::string text;
    for (int i = 0; i < 100; ++i) client.post("/campaigns", R"({"id":"c"})");
    for (const LedgerLine& line : mock.ledger()) text += line.at("status") + line.at("fails") + " ";
    return text;
  };
  const std::string of_seven = statuses("7");
  EXPECT_EQ(of_seven, statuses("7"));
  EXPECT_NE(of_seven, statuses("8"));
}

}  // namespace
}  // namespace dl::mock
