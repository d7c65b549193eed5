#include "daemon/dsp/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

DspAnswer created(std::string_view body) {
  return parse_answer(body, JobKind::campaign, Purpose::create, Secret());
}
DspAnswer looked_up(std::string_view body) {
  return parse_answer(body, JobKind::ad, Purpose::lookup, Secret());
}

TEST(Codec, ReadsTheIdOfItsKindOnly) {
  EXPECT_THAT(created(R"({"ad_id":"a","campaign_id":"c-1"})").ids, ElementsAre("c-1"));
  const auto other = created(R"({"ad_id":"a"})");
  EXPECT_TRUE(other.readable);
  EXPECT_THAT(other.ids, IsEmpty());
}

TEST(Codec, KeepsIntegersOfAnyLengthAsTheirText) {
  EXPECT_THAT(created(R"({"campaign_id":98765432109876543210})").ids,
              ElementsAre("98765432109876543210"));
}

TEST(Codec, LeavesOutWhatIsNoLegalId) {
  for (const char* value :
       {"-5",       "1.5",      "1e5",      "0.0",           "null",      "true",     "[]",
        "{}",       R"("")",    R"("a b")", R"("a\u0000b")", R"("a\nb")", R"("ä")",   R"("<x>")",
        R"("a%b")", R"("a?b")", R"("a#b")", R"("..")",       R"(".")",    R"("a\"b")"}) {
    const auto answer = created(std::string(R"({"campaign_id":)") + value + "}");
    EXPECT_TRUE(answer.readable) << value;
    EXPECT_THAT(answer.ids, IsEmpty()) << value;
  }
  const std::string just_right(kDspIdBytesMax, 'x');
  EXPECT_THAT(created(R"({"campaign_id":")" + just_right + R"("})").ids, ElementsAre(just_right));
  EXPECT_THAT(created(R"({"campaign_id":"x)" + just_right + R"("})").ids, IsEmpty());
  EXPECT_THAT(created(R"({"campaign_id":"aZ09._:-~@+=/"})").ids, ElementsAre("aZ09._:-~@+=/"));
}

TEST(Codec, KeepsWhoseAnEntityOfALookupSaysThatItIs) {
  EXPECT_THAT(
      looked_up(
          R"([{"ad_id":"1","external_id":"k"},{"ad_id":"2"},{"external_id":"l","ad_id":"3"}])")
          .external_ids,
      ElementsAre("k", "l"));
  for (const char* value : {"7", "null", "true", R"({"a":"k"})", R"(["k"])"}) {
    const auto answer = looked_up(std::string(R"({"ad_id":"1","external_id":)") + value + "}");
    EXPECT_TRUE(answer.readable) << value;
    EXPECT_THAT(answer.external_ids, ElementsAre("")) << value;
  }
  EXPECT_THAT(looked_up(R"({"ad_id":"1","a":{"external_id":"k"}})").external_ids, IsEmpty())
      << "not the entity's";
  EXPECT_FALSE(looked_up(R"({"ad_id":"1","external_id":"k","external_id":"k"})").readable);
  EXPECT_THAT(created(R"({"campaign_id":"1","external_id":"k"})").external_ids, IsEmpty());
}

TEST(Codec, RefusesWhatCannotBeRead) {
  const std::string bomb = R"({"campaign_id":0.)" + std::string(400, '0') + "1e-2147483639}";
  for (const std::string& body : {std::string(),
                                  std::string(" "),
                                  std::string("7"),
                                  std::string(R"("x")"),
                                  std::string("null"),
                                  std::string("[]"),
                                  std::string(R"([{"campaign_id":"1"}])"),
                                  std::string("<html>"),
                                  std::string(R"({"campaign_id":"1")"),
                                  std::string(R"({"campaign_id":"1"} x)"),
                                  std::string(R"({"campaign_id":"1"}{})"),
                                  std::string("{\"campaign_id\":\"1\"}\0garbage", 27),
                                  std::string("{\"campaign_id\":\"1\"}\0", 20),
                                  std::string(R"({"campaign_id":NaN})"),
                                  std::string(R"({"campaign_id":-Infinity})"),
                                  std::string("{\"campaign_id\":\"\xff\"}"),
                                  std::string("{\"x\":\"\xc0\x80\"}"),
                                  std::string("{\"\xed\xa0\x80\":1}"),
                                  std::string(R"({"campaign_id":"1",})"),
                                  std::string(R"({'campaign_id':1})"),
                                  std::string(R"({"x":"\ud800"})"),
                                  std::string(200'000, '['),
                                  std::string(200'000, '{')}) {
    const auto answer = created(body);
    EXPECT_FALSE(answer.readable) << body.substr(0, 60);
    EXPECT_THAT(answer.ids, IsEmpty()) << body.substr(0, 60);
  }
  // CVE-2024-38517: read out of bounds by RapidJSON 1.1 where it converts a number.
  EXPECT_TRUE(created(R"({"campaign_id":"1","x":0.00000000001e-2147483639})").readable);
  EXPECT_FALSE(created(R"({"campaign_id":"1","x":[1e2147483647,1e99999999999999999999]})").readable)
      << "no number";
  // A million levels would end a recursive parser.
  EXPECT_FALSE(created(R"({"campaign_id":"1","x":)" + std::string(500'000, '[')).readable);
  EXPECT_FALSE(created(R"({"campaign_id":"1","error":)" + std::string(500'000, '[')).readable);
  EXPECT_TRUE(created(bomb).readable) << "a number is text, whatever its exponent";
  EXPECT_THAT(created(bomb).ids, IsEmpty());
}

TEST(Codec, RefusesAKeyThatComesTwice) {
  EXPECT_FALSE(created(R"({"campaign_id":"1","campaign_id":"2"})").readable);
  EXPECT_FALSE(created(R"({"x":1,"campaign_id":"1","x":2})").readable);
  EXPECT_FALSE(created(R"({"campaign_id":"1","c\u0061mpaign_id":"2"})").readable);
  EXPECT_TRUE(created(R"({"a":{"x":1},"b":{"x":1}})").readable);
}

TEST(Codec, ReadsToItsDepthAndSizeAndNoFurther) {
  const auto nested = [](int arrays) {
    const auto count = static_cast<std::size_t>(arrays);
    return R"({"x":)" + std::string(count, '[') + std::string(count, ']') + "}";
  };
  EXPECT_TRUE(created(nested(kAnswerDepthMax - 1)).readable);
  EXPECT_FALSE(created(nested(kAnswerDepthMax)).readable);
  std::string big = R"({"campaign_id":"1"})";
  big.insert(1, kAnswerBytesMax - big.size(), ' ');
  EXPECT_TRUE(created(big).readable);
  big.insert(1, 1, ' ');
  EXPECT_FALSE(created(big).readable);
}

TEST(Codec, ReadsStatusAndError) {
  const auto answer = parse_answer(R"({"status":"failed","error":"no\nbudget"})", JobKind::ad,
                                   Purpose::status, Secret());
  EXPECT_TRUE(answer.readable);
  EXPECT_EQ(answer.status, "failed");
  EXPECT_EQ(answer.error, "no budget");
  const auto neither =
      parse_answer(R"({"status":1,"error":null})", JobKind::ad, Purpose::status, Secret());
  EXPECT_TRUE(neither.readable);
  EXPECT_EQ(neither.status, std::nullopt);
  EXPECT_EQ(neither.error, std::nullopt);
}

TEST(Codec, KeepsNothingThatATerminalObeysOrThatTurnsLinesRound) {
  const auto answer = parse_answer(
      R"({"status":"succ\u0085","error":"a\u0085b\u009b31mc\u2028d\u2029e\u202ef\u2066g\u2069h\u001bi"})",
      JobKind::ad, Purpose::status, Secret());
  EXPECT_EQ(answer.error, "a  b  31mc   d   e   f   g   h i");
  EXPECT_EQ(answer.status, "succ  ");
  const std::string_view neighbours =
      "\xC2\xA0\xC2\xA1\xC3\x80\xE2\x80\xA7\xE2\x80\xAF\xE2\x81\xA5\xE2\x81\xAA\xE3\x80\x82";
  EXPECT_EQ(created(R"({"error":")" + std::string(neighbours) + R"("})").error, neighbours)
      << "are text";
}

TEST(Codec, WritesAnErrorObjectCompactly) {
  const auto answer =
      created(R"({"error": { "code": 1e2, "errors": [ {"x": null}, true ], "status": "s" }, )"
              R"("status": "t"})");
  EXPECT_EQ(answer.error, R"({"code":1e2,"errors":[{"x":null},true],"status":"s"})");
  EXPECT_EQ(answer.status, "t");
  EXPECT_EQ(created(R"({"error": [ "a", 1 ]})").error, R"(["a",1])");
}

TEST(Codec, ClipsAnErrorBetweenCharacters) {
  const auto answer = created(R"({"error":"x)" + [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "ä";
    return text;
  }() + R"("})");
  ASSERT_TRUE(answer.error);
  EXPECT_EQ(answer.error->size(), kErrorTextBytesMax - 1);
}

TEST(Codec, CountsWhatALookupFound) {
  EXPECT_THAT(looked_up(R"({"ad_id":"1"})").ids, ElementsAre("1"));
  EXPECT_THAT(looked_up(R"([{"ad_id":"1","x":{"ad_id":"9"}},{"ad_id":2}])").ids,
              ElementsAre("1", "2"));
  EXPECT_TRUE(looked_up("[]").readable);
  EXPECT_THAT(looked_up("[]").ids, IsEmpty());
}

TEST(Codec, DoesNotTakeAFindWithoutItsIdForNothingFound) {
  for (const char* body : {"{}", R"({"results":[]})", "[{}]", R"([{"ad_id":"1"},{"ad_id":"a b"}])",
                           R"([{"ad_id":"1"},7])", R"([[{"ad_id":"1"}]])", R"(["1"])"}) {
    EXPECT_FALSE(looked_up(body).readable) << body;
    EXPECT_THAT(looked_up(body).ids, IsEmpty()) << body;
  }
  EXPECT_EQ(looked_up(R"({"error":"none"})").error, "none");
}

TEST(Codec, SplicesTheParentsIdIntoThePayload) {
  const ParentId campaign{JobKind::campaign, "77"};
  const ParentId ad_group{JobKind::ad_group, "a\"\\\n"};
  EXPECT_EQ(render_create_body(R"({"id":"x"})", {}, {}), R"({"id":"x"})");
  EXPECT_EQ(render_create_body(R"({"id":"x"})", {&campaign, 1}, {}),
            R"({"campaign_id":"77","id":"x"})");
  EXPECT_EQ(render_create_body(R"({"id":"x"})", {&ad_group, 1}, "key"),
            R"({"ad_group_id":"a\"\\\u000a","external_id":"key","id":"x"})");
  EXPECT_EQ(render_create_body("{}", {&campaign, 1}, {}), R"({"campaign_id":"77"})");
  EXPECT_EQ(render_create_body("{}", {}, {}), "{}");
}

TEST(Codec, EncodesWhatGoesIntoAPath) {
  EXPECT_EQ(create_target(JobKind::ad_group), "/ad-groups");
  EXPECT_EQ(status_target(JobKind::ad, "aZ9-_.~"), "/ads/aZ9-_.~/status");
  EXPECT_EQ(status_target(JobKind::ad, "a/b?c#d e\r\n%"), "/ads/a%2Fb%3Fc%23d%20e%0D%0A%25/status");
  EXPECT_EQ(status_target(JobKind::ad, ".."), "/ads/%2E%2E/status");
  EXPECT_EQ(lookup_target(JobKind::campaign, "k&x=ä"), "/campaigns?external_id=k%26x%3D%C3%A4");
}

}  // namespace
}  // namespace dl
