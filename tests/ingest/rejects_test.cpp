// What is wrong with a row of JSON is told, keeps the row out of the database, and stands in the
// reject file.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "program.h"

namespace dl {
namespace {

std::string ad(const std::string& id) {
  return R"({"id":")" + id +
         R"(","type":"banner","creative_url":"https://x.example/1","click_url":"https://y.example",)"
         R"("status":"new"})";
}

std::string bad_ad(const std::string& id) {
  std::string text = ad(id);
  return text.replace(text.find("https://x.example/1"), 19, "ftp://x.example/1");
}

// `more`: further members, each with a comma behind it.
std::string group(const std::string& more, const std::string& ads) {
  return R"({"id":"g1","name":"G","bid":1,)" + more + R"("ads":[)" + ads + "]}";
}

std::string campaign(const std::string& id, const std::string& rest) {
  return R"({"campaign_id":")" + id +
         R"(","campaign_name":"N","campaign_budget":100,"start_date":"2025-07-01",)"
         R"("end_date":"2025-08-01","objective":"o",)" +
         rest + "}";
}

std::string groups_of(const std::string& groups) { return R"("ad_groups":[)" + groups + "]"; }

// The refused value left an empty text, which passed for an ad group without targeting: that of the
// line before.
TEST(RefusedValue, IsNoRepetitionOfAnAbsentOne) {
  const Program program;
  const std::string lines =
      campaign("c1", groups_of(group("", ad("a1")))) + "\n" +
      campaign("c1", groups_of(group(R"("targeting_geo":["UK"],)", ad("a2")))) + "\n";
  const Ran ran = program.run({program.write("in", lines), "--on-error", "skip-row"});
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  EXPECT_EQ(ran.out, "in: batch 1: 3 new, 0 unchanged (2 rows, 1 left out)\n");
  EXPECT_EQ(program.ask("SELECT group_concat(key) FROM job"), "c1,c1/g1,c1/g1/a1");
}

// What is loaded of `text` under skip-row, and what of its reject file, loaded as it is.
std::array<Ran, 2> loaded_with_its_rejects(const Program& program, const std::string& text) {
  const Ran first =
      program.run({program.write("in", text), "--on-error", "skip-row", "--rejects", "rest"});
  const std::string sheet = program.read("rest");
  program.write("again", sheet);
  return {first, program.run({"again"})};
}

// Of the columns a row may lack in JSON only these say whom an ad is for: misspelt, they were
// remarked upon and lost.
TEST(MisspeltTargeting, IsAnError) {
  const std::string flat = R"("ad_group_id":"g","ad_group_name":"G","bid":1,"targeting_goe":"UK")";
  const std::string in_ad = ad("a1").replace(0, 1, R"({"targeting_geo":"UK",)");
  const std::vector<std::array<std::string, 2>> all = {
      {groups_of(group(R"("targetting_geo":"UK",)", ad("a1"))),
       "write targeting_geo, or leave it out: \"targetting_geo\""},
      {groups_of(group(R"("targeting_geo":"","targetting_geo":"UK",)", ad("a1"))),
       "write targeting_geo, or leave it out: \"targetting_geo\""},
      {groups_of(group(R"("TargetingAge":18,)", ad("a1"))),
       "write targeting_ages, or leave it out: \"TargetingAge\""},
      {groups_of(group(R"("geo":"UK",)", ad("a1"))),
       "write targeting_geo, or leave it out: \"geo\""},
      {groups_of(group(R"("targeting":"UK",)", ad("a1"))),
       "write its parts as targeting_ages, targeting_interests, targeting_geo, or leave it out: "
       "\"targeting\""},
      {groups_of(group("", in_ad)),
       "write targeting_geo into the ad group, or leave it out: \"targeting_geo\""},
      {flat, "write targeting_geo, or leave it out: \"targeting_goe\""},
      {R"("targetinggeos":"UK",)" + groups_of(group("", ad("a1"))),
       "write targeting_geo into the ad group, or leave it out: \"targetinggeos\""},
  };
  for (const auto& [rest, message] : all) {
    SCOPED_TRACE(rest);
    const Program program;
    const Ran ran = program.run({program.write("in", campaign("c1", rest))});
    EXPECT_EQ(ran.exit_code, 65) << ran.out;
    EXPECT_NE(ran.err.find("unknown_key: this key is not known, and what it says would be lost; " +
                           message),
              std::string::npos)
        << ran.err;
  }
}

// … unless the key that was meant is there, or there is nothing under it; and other keys are the
// user's own.
TEST(MisspeltTargeting, IsARemarkWhereNothingIsLost) {
  for (const char* members :
       {R"("targetting_geo":"UK","targeting_geo":"UK",)", R"("targeting_geo":"UK","geo":"UK",)",
        R"("targetting_geo":null,)", R"("targeting_notes_of_mine":"x","bids":2,)"}) {
    SCOPED_TRACE(members);
    const Program program;
    const Ran ran =
        program.run({program.write("in", campaign("c1", groups_of(group(members, ad("a1")))))});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_NE(ran.err.find("unknown_column: this key is not used"), std::string::npos) << ran.err;
  }
  const Program program;
  const std::string in_ad = ad("a1").replace(0, 1, R"({"targeting_geo":"UK",)");
  const std::string text =
      campaign("c1", groups_of(group("", in_ad).insert(1, R"("targeting_geo":"UK",)")));
  EXPECT_EQ(program.run({program.write("in", text)}).exit_code, 0);
}

struct Lossy {
  std::string text;
  std::string error;  // of its reject file
};

// The reject file lacked what was refused, and loaded: an ad group without its targeting, a
// campaign without its ads.
TEST(Rejects, OfJsonAreRefusedAgainForTheSameReason) {
  const std::vector<Lossy> all = {
      {campaign("c1", groups_of(group(R"("targeting_geo":["UK","IE"],)", ad("a1")))),
       "ad_groups[0].targeting_geo: wrong_type: "},
      {campaign("c1", R"("adgroups":[)" + group("", ad("a1")) + "]"), "row: unknown_key: "},
      {campaign("c1", groups_of(group(R"("targeting":{"geo":"UK"},)", ad("a1")))), "unknown_key: "},
      {campaign("c1", groups_of(group("", ad("a1") + ",7"))), "wrong_type: "},
      {campaign("c1", R"("ad_groups":"g1")"), "ad_groups: wrong_type: "},
      {campaign("c1", groups_of(group("", R"({"ident":"a1","id":""})"))),
       "ad_groups[0].ads[0].id: missing_value: "},
      {campaign("c1", groups_of(R"({"ads":[]})")), "ad_groups[0].id: missing_value: "},
      {campaign("c1", R"("AD_ID":"a","ad_id":"b","ad_group_id":"g")"), "ad_id: repeated_key: "},
      {campaign("c1", groups_of(group(R"("targetting_geo":"UK",)", ad("a1")))), "unknown_key: "},
      {campaign("c1", groups_of(group(R"("targeting_geo":true,)", ad("a1")))),
       "ad_groups[0].targeting_geo: wrong_type: "},
  };
  for (const Lossy& lossy : all) {
    SCOPED_TRACE(lossy.text);
    const Program program;
    const auto [first, again] =
        loaded_with_its_rejects(program, lossy.text + "\n" + campaign("c2", groups_of("")) + "\n");
    EXPECT_EQ(first.out, "in: batch 1: 1 new, 0 unchanged (2 rows, 1 left out)\n") << first.err;
    EXPECT_EQ(again.exit_code, 65) << again.out;
    EXPECT_NE(again.err.find(lossy.error), std::string::npos) << again.err;
    EXPECT_NE(program.read("rest").find("\"dl_error\":\""), std::string::npos);
  }
}

// The object stands in the reject file once, as it was but in one line, with the errors of all its
// rows; put right, it loads, what is there of it already included.
TEST(Rejects, OfJsonHoldAnObjectWithSomethingRefusedAsAWhole) {
  const Program program;
  const std::string refused =
      "[\n{\"dl_error\": [\"old\"] ,\"note\":\"\\n}\", " +
      campaign("c1", groups_of(group("", ad("a1") + "," + bad_ad("a2")) + ",\r\n" +
                               R"({"id":"g2","name":"G","bid":1,"targeting_geo":["UK"],"ads":[)" +
                               ad("a3") + "," + ad("a4") + "]}"))
          .substr(1);
  const auto [first, again] =
      loaded_with_its_rejects(program, refused + ",\n" + campaign("c2", groups_of("")) + "]");
  EXPECT_EQ(first.out, "in: batch 1: 4 new, 0 unchanged (5 rows, 3 left out)\n") << first.err;
  EXPECT_EQ(again.exit_code, 65);
  std::string rest = program.read("rest");
  EXPECT_EQ(rest.find("old"), std::string::npos) << rest;
  EXPECT_TRUE(rest.starts_with("{\"note\":\"\\n}\", \"campaign_id\":\"c1\"")) << rest;
  EXPECT_EQ(std::count(rest.begin(), rest.end(), '\n'), 1) << rest;
  EXPECT_NE(rest.find("creative_url: bad_url: "), std::string::npos) << rest;
  EXPECT_NE(rest.find("targeting_geo: wrong_type: "), std::string::npos) << rest;
  rest.replace(rest.find("[\"UK\"]"), 6, "\"UK\"");
  rest.replace(rest.find("ftp:"), 4, "http:");
  const Ran right = program.run({"-"}, rest);
  EXPECT_EQ(right.out, "stdin: batch 2: 4 new, 3 unchanged (4 rows)\n") << right.err;
}

// One more than fits would be an error of its own, and the reader's last word on the object.
TEST(Rejects, OfJsonGetNoErrorWhereAnObjectHasNoRoomForAKey) {
  const Program program;
  std::string rest = R"("adgroups":[])";
  for (int i = 0; i < 249; ++i) rest += ",\"note " + std::to_string(i) + "\":1";
  const auto [first, again] = loaded_with_its_rejects(program, campaign("c1", rest));
  EXPECT_EQ(first.out, "in: batch 1: 0 new, 0 unchanged (1 row, 1 left out)\n") << first.err;
  EXPECT_NE(again.err.find("again:1: row: unknown_key: "), std::string::npos) << again.err;
}

// Nobody had counted it.
TEST(Rejects, HaveNoElementThatIsNoObjectButItIsCounted) {
  const Program program;
  const Ran ran = program.run({program.write("in", "[[" + campaign("c1", groups_of("")) + "]," +
                                                       campaign("c2", groups_of("")) + "]"),
                               "--on-error", "skip-row", "--rejects", "rest"});
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  EXPECT_EQ(ran.out, "in: batch 1: 1 new, 0 unchanged (2 rows, 1 left out)\n");
  EXPECT_NE(ran.err.find("in: 1 row could not be read and cannot stand in rest"), std::string::npos)
      << ran.err;
}

constexpr const char* kBadUrl =
    ": bad_url: not an absolute http or https address, like https://example.com/page";

// By the line, the first ad had no error and in a file of one line each had those of both.
TEST(Rejects, OfJsonHaveTheirOwnErrorsHoweverTheFileIsWritten) {
  for (const char* between : {"", "\n"}) {
    SCOPED_TRACE(between);
    const Program program;
    std::string text =
        campaign("c1", groups_of(group("", bad_ad("a1") + "," + ad("a2") + "," + bad_ad("a3"))));
    for (std::size_t at = text.find(",\""); at != std::string::npos; at = text.find(",\"", at + 2))
      text.insert(at + 1, between);
    const Ran ran =
        program.run({program.write("in", text), "--on-error", "skip-row", "--rejects", "rest"});
    EXPECT_EQ(ran.out, "in: batch 1: 3 new, 0 unchanged (3 rows, 2 left out)\n") << ran.err;
    const std::string rest = program.read("rest");
    EXPECT_EQ(std::count(rest.begin(), rest.end(), '\n'), 2);
    for (const char* ad : {"0", "2"}) {
      EXPECT_NE(rest.find("\"dl_error\":\"ad_groups[0].ads[" + std::string(ad) + "].creative_url" +
                          kBadUrl + "\"}\n"),
                std::string::npos)
          << rest;
    }
  }
}

}  // namespace
}  // namespace dl
