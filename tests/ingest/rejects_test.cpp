// What is wrong with a row of JSON is told, keeps the row out of the database, and stands in the reject file.
#include <gtest/gtest.h>

#include <algorithm>

#include "program.h"

namespace dl {
namespace {

std::string ad(const std::string& id) {
  return R"({"id":")" + id + R"(","type":"banner","creative_url":"https://x.example/1","click_url":"https://y.example",)"
         R"("status":"new"})";
}

// `more`: further members, each with a comma behind it.
std::string group(const std::string& more, const std::string& ads) {
  return R"({"id":"g1","name":"G","bid":1,)" + more + R"("ads":[)" + ads + "]}";
}

std::string campaign(const std::string& id, const std::string& rest) {
  return R"({"campaign_id":")" + id + R"(","campaign_name":"N","campaign_budget":100,"start_date":"2025-07-01",)"
         R"("end_date":"2025-08-01","objective":"o",)" + rest + "}";
}

std::string groups_of(const std::string& groups) { return R"("ad_groups":[)" + groups + "]"; }

// The refused value left an empty text, which passed for an ad group without targeting: that of the line before.
TEST(RefusedValue, IsNoRepetitionOfAnAbsentOne) {
  const Program program;
  const std::string lines = campaign("c1", groups_of(group("", ad("a1")))) + "\n" +
                            campaign("c1", groups_of(group(R"("targeting_geo":["UK"],)", ad("a2")))) + "\n";
  const Ran ran = program.run({program.write("in", lines), "--on-error", "skip-row"});
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  EXPECT_EQ(ran.out, "in: batch 1: 3 new, 0 unchanged (2 rows, 1 left out)\n");
  EXPECT_EQ(program.ask("SELECT group_concat(key) FROM job"), "c1,c1/g1,c1/g1/a1");
}

constexpr const char* kBadUrl = ": bad_url: not an absolute http or https address, like https://example.com/page";

std::string bad_ad(const std::string& id) {
  std::string text = ad(id);
  return text.replace(text.find("https://x.example/1"), 19, "ftp://x.example/1");
}

// By the line, the first ad had no error and in a file of one line each had those of both.
TEST(Rejects, OfJsonHaveTheirOwnErrorsHoweverTheFileIsWritten) {
  for (const char* between : {"", "\n"}) {
    SCOPED_TRACE(between);
    const Program program;
    std::string text = campaign("c1", groups_of(group("", bad_ad("a1") + "," + ad("a2") + "," + bad_ad("a3"))));
    for (std::size_t at = text.find(",\""); at != std::string::npos; at = text.find(",\"", at + 2)) text.insert(at + 1, between);
    const Ran ran = program.run({program.write("in", text), "--on-error", "skip-row", "--rejects", "rest"});
    EXPECT_EQ(ran.out, "in: batch 1: 3 new, 0 unchanged (3 rows, 2 left out)\n") << ran.err;
    const std::string rest = program.read("rest");
    EXPECT_EQ(std::count(rest.begin(), rest.end(), '\n'), 2);
    for (const char* ad : {"0", "2"}) {
      EXPECT_NE(rest.find("\"dl_error\":\"ad_groups[0].ads[" + std::string(ad) + "].creative_url" + kBadUrl + "\"}\n"),
                std::string::npos) << rest;
    }
  }
}

}  // namespace
}  // namespace dl
