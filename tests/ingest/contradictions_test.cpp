// Rows of one file that describe an entity in two ways, in the places where fuzzing found that they
// got through.
#include <gtest/gtest.h>

#include "ingest/look_alike.h"
#include "ingest/survey.h"

namespace dl {
namespace {

std::string ad(const std::string& id, const std::string& type) {
  return R"({"id":")" + id + R"(","type":")" + type +
         R"(","creative_url":"https://a.example/c","click_url":"https://b.example/","status":"p"})";
}

std::string campaign(const std::string& ages, const std::string& ads) {
  return R"({"campaign_id":"c","campaign_name":"N","campaign_budget":1,"start_date":"2025-07-01",)"
         R"("end_date":"2025-08-15","objective":"o","ad_groups":[{"id":"g","name":"G","bid":2,)"
         R"("targeting_ages":")" +
         ages + R"(","ads":[)" + ads + "]}]}\n";
}

Survey survey_of(const std::string& lines) {
  const Result<InputFile> file = InputFile::from_text("in", lines);
  return *survey(*file, InputFormat::jsonl, OnError::skip_row, [](const SurveySoFar&) {});
}

// The second look at such a row began in the middle of its campaign, and found no key for it.
TEST(Contradictions, AreFoundBelowAnEntityThatStandsOnceForManyRows) {
  Survey found = survey_of(campaign("18", ad("a1", "banner") + "," + ad("a2", "banner")) +
                           campaign("18", ad("a2", "video")));
  ASSERT_EQ(found.problems.count(), 1);
  EXPECT_EQ(
      to_text(found.problems.errors()[0], "in"),
      "in:2: ad_groups[0].ads[0].type: contradiction: line 1 says \"banner\" for the same ad: "
      "\"video\"");
}

// The third row repeats the second, and was compared with nothing.
TEST(Contradictions, LeaveOutAlsoTheRowsThatRepeatThem) {
  Survey found = survey_of(campaign("18", ad("a1", "banner")) + campaign("25", ad("a2", "banner")) +
                           campaign("25", ad("a3", "banner")));
  EXPECT_EQ(found.problems.count(), 1) << "told once";
  EXPECT_FALSE(found.problems.is_bad_row(1));
  EXPECT_TRUE(found.problems.is_bad_row(2));
  EXPECT_TRUE(found.problems.is_bad_row(3));
}

// "line 1 says "Café" for the same ad: "Café"" helped nobody.
TEST(Contradictions, BetweenValuesThatPrintAlikeShowTheirCodePoints) {
  Survey found =
      survey_of(campaign("18", ad("a1", "Caf\xC3\xA9")) + campaign("18", ad("a1", "Cafe\xCC\x81")));
  ASSERT_EQ(found.problems.count(), 1);
  EXPECT_EQ(to_text(found.problems.errors()[0], "in"),
            "in:2: ad_groups[0].ads[0].type: contradiction: line 1 says \"Caf\\u00e9\" for the "
            "same ad: \"Cafe\\u0301\"");
}

std::string apart(const std::string& a, const std::string& b) {
  const auto [first, second] = told_apart(a, b);
  return first + " | " + second;
}

TEST(ToldApart, EscapesOnlyWhatMayLookAlike) {
  EXPECT_EQ(apart("M\u00fcller \u00e9", "M\u00f6ller \u00e9"),
            "M\u00fcller \u00e9 | M\u00f6ller \u00e9")
      << "one sees it";
  EXPECT_EQ(apart("banner", "video"), "banner | video");
  EXPECT_EQ(apart("\u0417\u0438\u043c\u0430", "\u041b\u0435\u0442\u043e"),
            "\u0417\u0438\u043c\u0430 | \u041b\u0435\u0442\u043e");
  EXPECT_EQ(apart("Sale", "S\u0430le"), "Sale | S\\u0430le") << "a Cyrillic a";
  EXPECT_EQ(apart("\u00c5 \u00e9", "\u212b \u00e9"), "\\u00c5 \u00e9 | \\u212b \u00e9")
      << "a letter, and the sign for its unit";
  EXPECT_EQ(apart("\u00e9t\u00e9 \u00e9", "e\u0301te\u0301 \u00e9"),
            "\\u00e9t\\u00e9 \u00e9 | e\\u0301te\\u0301 \u00e9");
  EXPECT_EQ(apart("a\U0001d41a", "aa"), "a\\U0001d41a | aa") << "a bold one";
  EXPECT_EQ(apart("", "\u00e9"), " | \u00e9");
}

// Of a long value the beginning was shown twice.
TEST(ToldApart, ShowsWhereLongValuesDiffer) {
  const std::string same(100, 'x');
  EXPECT_EQ(apart(same + "1", same + "2"),
            "..." + std::string(20, 'x') + "1 | ..." + std::string(20, 'x') + "2");
  const std::string letters = "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9";
  EXPECT_EQ(apart(same + "y" + letters + "1", same + "y" + letters + "2"),
            "..." + letters + "1 | ..." + letters + "2")
      << "no half of one";
}

}  // namespace
}  // namespace dl
