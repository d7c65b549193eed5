#include "ingest/json_reader.h"

#include <gtest/gtest.h>

#include "ingest/body.h"
#include "ingest/user_row.h"

namespace dl {
namespace {

std::string tokens(std::string_view text) {
  std::string shown;
  const auto fault = read_json(text, 1, [&](const JsonToken& token) {
    shown += std::to_string(token.line) + "," + std::to_string(static_cast<int>(token.type)) + ":" +
             std::string(token.text) + " ";
  });
  if (fault) shown += "! " + std::string(fault->code) + " " + std::to_string(fault->line);
  return shown;
}

TEST(JsonReader, GivesTokensWithTheirLinesAndNumbersAsText) {
  EXPECT_EQ(
      tokens("{\"a\":\n[12345678901234567890.10,\ntrue,null],\"b\":\"x\\u00e9\"}"),
      "1,0: 1,4:a 2,2: 2,6:12345678901234567890.10 3,7:true 3,8: 3,3: 3,4:b 3,5:x\xC3\xA9 3,1: ");
}

TEST(JsonReader, RefusesWhatItCannotTrust) {
  EXPECT_EQ(tokens("{\"a\":1,\n\"a\":2}"), "1,0: 1,4:a 1,6:1 ! repeated_key 2");
  EXPECT_EQ(tokens("{\"a\":\"\xFF\"}"), "1,0: 1,4:a ! bad_json 1");
  EXPECT_EQ(tokens("[1] x"), "1,2: 1,6:1 1,3: ! bad_json 1");
  EXPECT_EQ(tokens(""), "! bad_json 1");
  EXPECT_TRUE(tokens(std::string(33, '[')).ends_with("! too_deep 1"));
  std::string many = "{";
  for (int i = 0; i < 257; ++i) many += (i > 0 ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  EXPECT_TRUE(tokens(many + "}").ends_with("! too_many_keys 1"));
}

TEST(JsonString, EscapesWhatJsonAsksForAndComesBack) {
  const std::string odd = "quote \" back \\ line\n\r\t bell\a \xE2\x82\xAC";
  std::string json;
  append_json_string(json, odd);
  EXPECT_EQ(json, "\"quote \\\" back \\\\ line\\n\\r\\t bell\\u0007 \xE2\x82\xAC\"");
  EXPECT_EQ(texts_of("[" + json + "]"), std::vector<std::string>{odd});
}

TEST(Body, GivesItsValuesBack) {
  const std::vector<std::string_view> group = {"g \"1\"", "name", "2.5", "18-24;25-34", "", "UK"};
  std::string body;
  render_body(JobKind::ad_group, group, body);
  EXPECT_EQ(body, R"({"id":"g \"1\"","name":"name","bid":2.5,"targeting":)"
                  R"({"ages":"18-24;25-34","interests":"","geo":"UK"}})");
  RowValues values;
  read_body(JobKind::ad_group, body, values);
  for (std::size_t i = 0; i < group.size(); ++i)
    EXPECT_EQ(values[index_of(Column::ad_group_id) + i], group[i]);
}

}  // namespace
}  // namespace dl
