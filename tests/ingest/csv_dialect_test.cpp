// What a sheet's own way of being written changes, through the real program.
#include <gtest/gtest.h>

#include "program.h"

namespace dl {
namespace {

std::string with_delimiter(std::string text, char delimiter) {
  std::replace(text.begin(), text.end(), ';', '/');  // in lists
  std::replace(text.begin(), text.end(), ',', delimiter);
  return text;
}

// Fifteen thousand was submitted as fifteen.
TEST(CsvDialect, OfSemicolonsRefusesAPointThatMayBeThousands) {
  const Program program;
  const std::string sheet = sheet_of({row_with(1, "campaign_budget", "15.000"), row_with(2, "bid", "2.125")});
  const std::string why = "ambiguous_point: the point may separate thousands or decimals; write 15000 for thousands, "
                          "15.00 or 2.1250 for decimals: ";
  Ran ran = program.run({program.write("in", with_delimiter(sheet, ';'))});
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_EQ(ran.err, "in:2: campaign_budget: " + why + "\"15.000\"\nin:3: bid: " + why + "\"2.125\"\n"
                     "in: 2 errors, nothing was loaded\n");
  for (const char delimiter : {',', '\t'}) {
    ran = program.run({"check", program.write("in", with_delimiter(sheet, delimiter))});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
  }
}

}  // namespace
}  // namespace dl
