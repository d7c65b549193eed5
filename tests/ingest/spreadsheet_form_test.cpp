#include "ingest/spreadsheet_form.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

TEST(SpreadsheetForm, IsTheNumberWithoutItsLeadingZeros) {
  for (const char* same : {"42", "0042", "042"}) EXPECT_TRUE(is_spreadsheets_form(same, "0042"));
  EXPECT_TRUE(is_spreadsheets_form("0", "000"));
  for (const char* other : {"", "4", "43", "420", "42.0", "+42", "-42", "x42", "0x2A", "42 "})
    EXPECT_FALSE(is_spreadsheets_form(other, "0042")) << other;
  EXPECT_FALSE(is_spreadsheets_form("1", "01a"));
}

// 900001 passed for 900002.
TEST(SpreadsheetForm, OfNeighboursIsNotTheSame) {
  EXPECT_FALSE(is_spreadsheets_form("900001", "900002"));
  EXPECT_FALSE(is_spreadsheets_form("100000000000001", "100000000000002")) << "15 digits are kept";
  EXPECT_FALSE(is_spreadsheets_form("100000000000000", "100000000000002"));
}

TEST(SpreadsheetForm, KeepsFifteenDigits) {
  const char* id = "120210123456789012";
  EXPECT_TRUE(is_spreadsheets_form("120210123456789000", id));
  EXPECT_TRUE(is_spreadsheets_form("120210123456789000", "00120210123456789012"));
  for (const char* other : {"120210123456789001", "120210123456788000", "12021012345678900",
                            "1202101234567890000", "120210123456789013"})
    EXPECT_FALSE(is_spreadsheets_form(other, id)) << other;
}

TEST(SpreadsheetForm, WithAnExponentIsRoundedToTheDigitsThatItShows) {
  const char* id = "120215000000000000";
  for (const char* same : {"1.20215E+17", "1.2021E+17", "1.2022E+17", "1,2021E+17", "1.20E+17",
                           "1.2e17", "1E+17", "1.20215000000000000E+17"})
    EXPECT_TRUE(is_spreadsheets_form(same, id)) << same;
  for (const char* other : {"1.2020E+17",
                            "1.2023E+17",
                            "1.20214E+17",
                            "1.3E+17",
                            "2E+17",
                            "1.2021E+16",
                            "1.2021E+18",
                            "1.2021E-17",
                            "12.021E+16",
                            "0E+18",
                            ".2E+18",
                            "1.E+17",
                            "E+17",
                            "1.2021E+",
                            "1.2021E",
                            "1.2021E+17 ",
                            "1;2E+17",
                            "1.2021E+99999999999999999999",
                            "1.2021E+9999999999",
                            "1.202150000000000001E+17",
                            "1.20215000000000001E+17"})
    EXPECT_FALSE(is_spreadsheets_form(other, id)) << other;
  EXPECT_TRUE(is_spreadsheets_form("1E+03", "999")) << "the next digit up";
  EXPECT_TRUE(is_spreadsheets_form("1.0E+03", "999"));
  EXPECT_FALSE(is_spreadsheets_form("1.000E+03", "999"));
  EXPECT_TRUE(is_spreadsheets_form("1.50E+01", "15"));
  EXPECT_FALSE(is_spreadsheets_form("1.51E+01", "15"));
}

}  // namespace
}  // namespace dl
