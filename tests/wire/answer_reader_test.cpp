#include "daemon/dsp/answer_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "daemon/core/outcome.h"
#include "tests/wire/scripted_server.h"

namespace dl {
namespace {

using Progress = AnswerReader::Progress;
using wire_test::json_answer;

// Feeds `bytes` in pieces of `piece`; stops at the first final word.
Progress feed(AnswerReader& reader, std::string_view bytes, std::size_t piece) {
  while (!bytes.empty()) {
    const auto space = reader.space();
    const std::size_t size = std::min({piece, space.size(), bytes.size()});
    std::memcpy(space.data(), bytes.data(), size);
    reader.add(size);
    bytes.remove_prefix(size);
    const Progress progress = reader.read();
    if (progress != Progress::more) return progress;
  }
  return Progress::more;
}

Progress feed(AnswerReader& reader, std::string_view bytes) { return feed(reader, bytes, 16384); }

DspReply reply_of(AnswerReader& reader) {
  return reader.reply(Secret(), JobKind::campaign, Purpose::create);
}

TEST(AnswerReader, ReadsTheSameInPiecesOfAnySize) {
  const std::string body = R"({"campaign_id":"c-1"})";
  const std::string chunked =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;name=value\r\n" +
      body.substr(0, 5) + "\r\n10\r\n" + body.substr(5) + "\r\n0\r\nTrailer: x\r\n\r\n";
  for (const std::string& text : {json_answer("201 Created", body), chunked}) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      AnswerReader reader;
      ASSERT_EQ(feed(reader, text, piece), Progress::complete) << piece << reader.trouble();
      const DspReply reply = reply_of(reader);
      EXPECT_EQ(reply.wire, Wire::answered);
      EXPECT_EQ(reply.http_status, 201);
      EXPECT_THAT(reply.answer.ids, testing::ElementsAre("c-1"));
      EXPECT_TRUE(reader.keeps_alive());
      EXPECT_FALSE(reader.has_leftovers());
    }
  }
}

TEST(AnswerReader, ReadsOneAnswerAfterTheOther) {
  AnswerReader reader;
  for (const char* id : {"1", "2", "3"}) {
    reader.begin();
    const auto body = std::string(R"({"campaign_id":")") + id + "\"}";
    ASSERT_EQ(feed(reader, json_answer("200 OK", body)), Progress::complete);
    EXPECT_THAT(reply_of(reader).answer.ids, testing::ElementsAre(id));
  }
}

TEST(AnswerReader, RefusesWhatIsNoAnswer) {
  for (const std::string& text :
       {std::string("garbage\r\n\r\n"), std::string("HTTP/2.0 200 OK\r\n\r\n"),
        std::string("HTTP/1.1 20 OK\r\n\r\n"), std::string("HTTP/1.1 000 No\r\n\r\n"),
        std::string("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
        std::string("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        std::string("HTTP/1.1 200 OK\r\nBad Name: 1\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(17'000, 'x') + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=" + std::string(70'000, 'x')}) {
    for (const std::size_t piece : {std::size_t{1}, text.size()}) {
      AnswerReader reader;
      EXPECT_EQ(feed(reader, text, piece), Progress::broken) << text.substr(0, 60);
      EXPECT_FALSE(reader.trouble().empty());
    }
  }
}

TEST(AnswerReader, RefusesABodyBeyondItsLimitButKnowsTheStatus) {
  AnswerReader declared;
  const std::string head = "HTTP/1.1 503 Down\r\nRetry-After: 7\r\n";
  EXPECT_EQ(feed(declared, head + "Content-Length: 1073741824\r\n\r\n"), Progress::broken);
  EXPECT_EQ(declared.head(Secret()).http_status, 503);
  EXPECT_EQ(declared.head(Secret()).retry_after, "7");
  AnswerReader endless;
  EXPECT_EQ(feed(endless, head + "\r\n" + std::string((1 << 20) + 1, 'x')), Progress::broken);
  EXPECT_EQ(endless.head(Secret()).http_status, 503);
  AnswerReader chunk;
  EXPECT_EQ(feed(chunk, head + "Transfer-Encoding: chunked\r\n\r\n40000000\r\n"), Progress::broken);
  EXPECT_EQ(chunk.head(Secret()).http_status, 503);
}

TEST(AnswerReader, TakesTheEndForCompleteOnlyWhereTheJsonIs) {
  const std::string head = "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n";
  const struct {
    std::string body;
    Wire wire;
  } rows[] = {{R"({"campaign_id":"41"})", Wire::answered},
              {R"({"campaign_id":"4)", Wire::no_answer},
              {"", Wire::no_answer}};
  for (const auto& row : rows) {
    AnswerReader reader;
    EXPECT_EQ(feed(reader, head + row.body), Progress::more);
    ASSERT_EQ(reader.end(), Progress::complete);
    EXPECT_FALSE(reader.keeps_alive());
    const DspReply reply = reply_of(reader);
    EXPECT_EQ(reply.wire, row.wire) << row.body;
    EXPECT_EQ(reply.http_status, 201);
  }
}

TEST(AnswerReader, CallsAShortBodyCut) {
  AnswerReader reader;
  feed(reader, "HTTP/1.1 201 Created\r\nContent-Length: 30\r\n\r\n{\"campaign_id\":\"1\"}");
  EXPECT_EQ(reader.end(), Progress::broken);
  EXPECT_EQ(reader.head(Secret()).http_status, 201);
  AnswerReader silent;
  EXPECT_EQ(silent.end(), Progress::broken);
  EXPECT_FALSE(silent.has_begun());
}

TEST(AnswerReader, LeavesWhatFollowsTheAnswer) {
  AnswerReader reader;
  EXPECT_EQ(feed(reader, json_answer("200 OK", "{}") + "HTTP/1.1 200 OK"), Progress::complete);
  EXPECT_TRUE(reader.has_leftovers());
}

TEST(AnswerReader, KnowsWhenTheConnectionIsSpent) {
  AnswerReader close;
  feed(close, json_answer("200 OK", "{}", "Connection: close\r\n"));
  EXPECT_FALSE(close.keeps_alive());
  AnswerReader old;
  feed(old, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_FALSE(old.keeps_alive());
}

TEST(AnswerReader, KeepsTheHeadersThatMatter) {
  AnswerReader reader;
  feed(reader, json_answer("429 Slow", "{}",
                           "retry-after: 12\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                           "X-RateLimit-Remaining: 9\r\nRateLimit-Remaining: 3\r\n"
                           "X-RateLimit-Reset: 30\r\nRateLimit: \"a\";r=1;t=2\r\n"
                           "RateLimit: \"b\";r=7;t=9\r\n"
                           "RateLimit-Policy: \"a\";q=40;w=60\r\nX-Request-Id: r\xff-" +
                               std::string(200, 'i') + "\r\n"));
  const DspReply reply = reply_of(reader);
  EXPECT_EQ(reply.retry_after, "12");
  EXPECT_EQ(reply.date, "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(reply.rate_limit_remaining, "3");
  EXPECT_EQ(reply.rate_limit_reset, "30");
  EXPECT_EQ(reply.rate_limit, "\"a\";r=1;t=2, \"b\";r=7;t=9") << "a list in two lines";
  EXPECT_EQ(reply.rate_limit_policy, "\"a\";q=40;w=60");
  EXPECT_EQ(reply.dsp_request_id, "r?-" + std::string(125, 'i'));
}

TEST(AnswerReader, ReadsOnlyWhatSaysItIsJson) {
  const struct {
    const char* type;
    bool readable;
  } rows[] = {{"Content-Type: application/json; charset=utf-8\r\n", true},
              {"Content-Type: APPLICATION/JSON\r\n", true},
              {"Content-Type: application/problem+json\r\n", true},
              {"", true},
              {"Content-Type: text/html\r\n", false},
              {"Content-Type: application/jsonx\r\n", false},
              {"Content-Type: +json\r\n", false}};
  for (const auto& row : rows) {
    AnswerReader reader;
    feed(reader, std::string("HTTP/1.1 200 OK\r\nContent-Length: 19\r\n") + row.type +
                     "\r\n{\"campaign_id\":\"1\"}");
    const DspReply reply = reply_of(reader);
    EXPECT_EQ(reply.wire, Wire::answered) << row.type;
    EXPECT_EQ(reply.answer.readable, row.readable) << row.type;
    EXPECT_EQ(reply.trouble.empty(), row.readable) << row.type;
    EXPECT_EQ(reply.excerpt.empty(), row.readable) << row.type;
  }
}

TEST(AnswerReader, KeepsAnExcerptOfWhatIsOdd) {
  AnswerReader refused;
  feed(refused, json_answer("400 Bad", R"({"error":"budget"})"));
  EXPECT_EQ(reply_of(refused).excerpt, R"({"error":"budget"})");
  AnswerReader without_id;
  feed(without_id, json_answer("200 OK", "{\"x\":\n\"y\"}" + std::string(1000, ' ')));
  EXPECT_EQ(reply_of(without_id).excerpt.substr(0, 10), R"({"x":?"y"})");
  EXPECT_EQ(reply_of(without_id).excerpt.size(), 512U);
}

TEST(AnswerReader, NeverPassesAnEchoedTokenOn) {
  AnswerReader reader;
  const Secret token("canary-token");
  feed(reader,
       json_answer("400 Bad", R"({"error":"Bearer canary-token","campaign_id":"canary-token"})",
                   "X-Request-Id: canary-token\r\nRetry-After: canary-token\r\n"));
  const DspReply reply = reader.reply(token, JobKind::campaign, Purpose::create);
  EXPECT_EQ(reply.answer.error, "Bearer ************");
  EXPECT_TRUE(reply.answer.ids.empty());
  EXPECT_EQ(reply.excerpt.find("canary"), std::string::npos);
  EXPECT_EQ(reply.dsp_request_id, "");
  EXPECT_EQ(reply.retry_after, std::nullopt);
}

// A token may be short, and stand in an answer by chance.
DspReply reply_with(const Secret& token, const std::string& body,
                    Purpose purpose = Purpose::create) {
  AnswerReader reader;
  feed(reader, json_answer("201 Created", body));
  return reader.reply(token, JobKind::campaign, purpose);
}

TEST(AnswerReader, TakesNoIdThatHoldsTheTokenForARefusal) {
  const Secret token("1001");
  for (const char* body : {R"({"campaign_id":"10010"})", R"({"campaign_id":10010})",
                           R"({"campaign_id":"\u0031001"})"}) {
    const DspReply reply = reply_with(token, body);
    EXPECT_TRUE(reply.answer.ids.empty()) << body;
    for (const MissingId missing : {MissingId::in_doubt, MissingId::refused}) {
      const OutcomePolicy policy{
          .missing_id = missing, .retryable_statuses = {}, .not_applied_statuses = {}};
      EXPECT_EQ(classify(Purpose::create, reply, policy), OutcomeClass::unknown) << body;
    }
    EXPECT_EQ(reply.excerpt.find("1001"), std::string::npos) << reply.excerpt;
    EXPECT_THAT(reply.trouble, testing::HasSubstr("use a longer token"));
  }
  const DspReply found =
      reply_with(token, R"([{"campaign_id":"7"},{"campaign_id":"10010"}])", Purpose::lookup);
  EXPECT_FALSE(found.answer.readable) << "there are two, and one is known";
}

TEST(AnswerReader, ReadsAnAnswerInWhichTheTokenStandsByChance) {
  const Secret token("1001");
  EXPECT_THAT(reply_with(token, R"({"campaign_id":"7","budget":10010})").answer.ids,
              testing::ElementsAre("7"));
  const DspReply done =
      reply_with(token, R"({"campaign_id":"10010","status":"success"})", Purpose::status);
  EXPECT_TRUE(done.answer.readable);
  EXPECT_EQ(done.answer.status, "success");
  EXPECT_TRUE(done.answer.ids.empty());
}

TEST(AnswerReader, MasksTheTokenHoweverItIsWrittenAndBeforeItIsCut) {
  const Secret token("canary-token");
  EXPECT_EQ(reply_with(token, R"({"error":"c\u0061nary-token"})").answer.error, "************");
  EXPECT_EQ(reply_with(token, R"({"error":{"seen":"c\u0061nary-token"}})").answer.error,
            R"({"seen":"************"})");
  const std::string long_text(508, 'x');
  EXPECT_EQ(reply_with(token, R"({"error":")" + long_text + R"(canary-token"})").answer.error,
            long_text + "****");
  EXPECT_EQ(reply_with(token, long_text + "canary-token").excerpt, long_text + "****");
}

// Without an "error" a part of the body is kept as it came; PHP escapes every slash, .NET every +.
TEST(AnswerReader, MasksTheTokenAsJsonEscapesIt) {
  const Secret token(R"(Ab/+"\=)");
  for (const char* spelled : {R"(Ab\/\u002B\"\\=)", R"(\u0041b/+\u0022\u005c\u003D)"}) {
    const std::string excerpt =
        reply_with(token, R"({"message":"bad token )" + std::string(spelled) + R"( of yours"})")
            .excerpt;
    EXPECT_EQ(excerpt, R"({"message":"bad token )" + std::string(std::strlen(spelled), '*') +
                           R"( of yours"})");
  }
  EXPECT_EQ(reply_with(token, R"({"error":{"seen":"Ab/+\"\\="}})").answer.error,
            R"({"seen":"*********"})");
}

}  // namespace
}  // namespace dl
