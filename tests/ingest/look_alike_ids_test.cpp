// Ids that nobody would take for two, through the real program.
#include <gtest/gtest.h>

#include "ingest/look_alike.h"
#include "program.h"

namespace dl {
namespace {

std::string form_of(std::string_view text) {
  std::string form;
  add_look_alike_form(text, form);
  return form;
}

TEST(LookAlike, IsWhatDiffersInCapitalsOrInHowAccentsAreStored) {
  const std::pair<const char*, const char*> alike[] = {{"c2", "C2"},
                                                       {"caf\xC3\xA9", "cafe\xCC\x81"},
                                                       {"CAF\xC3\xA9", "cafe\xCC\x81"},
                                                       {"e\xCC\x82\xCC\x81", "\xE1\xBA\xBF"}};
  for (const auto& [a, b] : alike) {
    EXPECT_EQ(form_of(a), form_of(b)) << a;
    EXPECT_TRUE(look_alike(a, b)) << a;
  }
  EXPECT_NE(form_of("cafe"), form_of("caf\xC3\xA9"));
  EXPECT_NE(form_of("c1"), form_of("c2"));
  EXPECT_FALSE(look_alike("caf\xC3\xA9", "caf\xC3\xA8"));  // though of one form
}

std::string row_of(const std::string& campaign, const std::string& ad_group,
                   const std::string& ad) {
  return campaign + ",N,15000,2025-07-01,2025-08-15,engagement," + ad_group +
         ",G,2.5,18-24,fashion,UK," + ad +
         ",banner,https://cdn.example.com/a.jpg,https://shop.example.com/a,pending";
}

TEST(LookAlikeIds, OfCampaignsAndAdGroupsAreWarnedOfAndLoaded) {
  const Program program;
  const std::string words = ", which is another ";
  program.write(
      "in", sheet_of({row_of("c2", "g1", "a1"), row_of("C2", "g1", "a1"), row_of("C2", "G1", "A1"),
                      row_of("C2", "G1", "a1"), row_of("caf\xC3\xA9", "g", "a"),
                      row_of("cafe\xCC\x81", "g", "a"), row_of("caf\xC3\xA8", "g", "a"),
                      row_of("C2", "x/Y", "a"), row_of("C2", "x/y", "a")}));
  const Ran ran = program.run({"in"});
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.err,
            "in:3: campaign_id: look_alike_id: line 2 has \"c2\", which is another campaign; if "
            "one campaign is meant, write its id in "
            "one way: \"C2\" (warning)\n"
            "in:4: ad_group_id: look_alike_id: line 3 has \"g1\", which is another ad_group; if "
            "one ad_group is meant, write its id in "
            "one way: \"G1\" (warning)\n"
            "in:7: campaign_id: look_alike_id: line 6 has \"caf\\u00e9\", which is another "
            "campaign; if one campaign is meant, write its "
            "id in one way: \"cafe\\u0301\" (warning)\n"
            "in:10: ad_group_id: look_alike_id: line 9 has \"x/Y\", which is another ad_group; if "
            "one ad_group is meant, write its id "
            "in one way: \"x/y\" (warning)\n");
  EXPECT_EQ(program.ask("SELECT count(*) FROM job WHERE kind = 'campaign'"), "5");
}

TEST(LookAlikeIds, AreNotThoseOfOneWritingThatComesAgain) {
  const Program program;
  const Ran ran = program.run(
      {"check", "-"},
      sheet_of({row_of("C1", "G1", "a1"), row_of("C2", "G1", "a1"), row_of(" C1 ", "G1", "a2")}));
  EXPECT_EQ(ran.exit_code, 0);
  EXPECT_EQ(ran.err, "");
}

}  // namespace
}  // namespace dl
