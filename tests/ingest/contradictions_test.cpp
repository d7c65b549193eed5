// Rows of one file that describe an entity in two ways, in the places where fuzzing found that they
// got through.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace dl
