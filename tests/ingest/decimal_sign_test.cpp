#include "ingest/decimal_sign.h"

#include <gtest/gtest.h>

#include <vector>

namespace dl {
namespace {

Point after_refused(ValueRule rule, std::string_view raw) {
  DecimalSigns signs;
  signs.take_refused(rule, raw);
  const Points points = signs.points();
  EXPECT_EQ(points[index_of(Column::bid)], points[index_of(Column::campaign_budget)]);
  return points[index_of(Column::bid)];
}

Point after_numbers(const std::vector<std::string_view>& numbers) {
  DecimalSigns signs;
  for (const std::string_view number : numbers) signs.take_number(Column::bid, number);
  EXPECT_EQ(signs.points()[index_of(Column::campaign_budget)], Point::decimal);
  return signs.points()[index_of(Column::bid)];
}

TEST(DecimalSigns, AreCommasWhereARefusedNumberHasOneOrPointsBetweenThousands) {
  for (const char* proof : {"2,5", "2,50", "1.500,00", "1,500", "1.500.000", "-2,50",
                            "2,50 \xE2\x82\xAC", "EUR 2,50", "2,5%", "1 500,00",
                            "1\xC2\xA0"
                            "500,00",
                            "1\xE2\x80\xAF"
                            "500,00\xC2\xA0\xE2\x82\xAC",
                            "1.500.000 \xE2\x82\xAC", " 1.234.567.890 "}) {
    EXPECT_EQ(after_refused(ValueRule::money, proof), Point::doubtful) << proof;
  }
  for (const char* none : {"15,000.00", "1,234,567", "$1,500.00", "abc,", "EUR 2.500", "1.2.3",
                           "01.07.2025", "1 500", "2,5 or 3", "-", "", "1,5e3", "2,5\n3"}) {
    EXPECT_EQ(after_refused(ValueRule::money, none), Point::decimal) << none;
  }
  EXPECT_EQ(after_refused(ValueRule::money, "2,5" + std::string(100, ' ')), Point::decimal);
}

TEST(DecimalSigns, AreCommasWhereADateHasPoints) {
  for (const char* proof :
       {"15.03.2026", "05.03.2026", "15.03.26", "01.07.2025 00:00", "31.06.2025", "1. Juli 2025",
        "Dienstag, 1. Juli 2025", "5. M\xC3\xA4rz", "2025.07.01", "1. 7. 2025"}) {
    EXPECT_EQ(after_refused(ValueRule::date, proof), Point::doubtful) << proof;
  }
  for (const char* none :
       {"07/25/2025", "2025-07-01 00:00:00.000", "2025-07-01T00:00:00.000Z", "45839.5",
        "July 1, 2025", "Jul. 1, 2025", "1.", "2025", "", "1.234.567"}) {
    EXPECT_EQ(after_refused(ValueRule::date, none), Point::decimal) << none;
  }
}

TEST(DecimalSigns, AreDoubtfulWhereAllThatIsThereMayBeThousands) {
  EXPECT_EQ(after_numbers({}), Point::decimal);
  EXPECT_EQ(after_numbers({"15", "15000"}), Point::decimal);
  for (const char* number : {"15.000", "12.500", "2.125", " 2.125 "})
    EXPECT_EQ(after_numbers({"15", number}), Point::doubtful) << number;
}

TEST(DecimalSigns, ArePointsWhereANumberOfTheColumnShowsIt) {
  for (const char* proof : {"12.5", "12.50", "0.125", "1500.000", "2.1250", " 12.5 "}) {
    EXPECT_EQ(after_numbers({proof}), Point::decimal) << proof;
    EXPECT_EQ(after_numbers({"2.125", proof}), Point::decimal) << proof;
    DecimalSigns signs;
    signs.take_number(Column::bid, proof);
    signs.take_number(Column::campaign_budget, "2.125");
    EXPECT_EQ(signs.points()[index_of(Column::campaign_budget)], Point::doubtful) << proof;
    signs.take_refused(ValueRule::money, "2,50");
    EXPECT_EQ(signs.points()[index_of(Column::bid)], Point::doubtful) << proof;
  }
}

TEST(DecimalSigns, ShowAPaddedNumberToBeADecimalOnlyWhereThreeDecimalsAreWritten) {
  for (const char* padded : {"15.000", "12.500", "1.250"}) {
    for (const char* other : {"12.5", "12.50", "2.1250"})
      EXPECT_EQ(after_numbers({padded, "2.125", other}), Point::padded) << padded << ' ' << other;
    for (const char* other : {"0.500", "1500.250", " 0.500 "})
      EXPECT_EQ(after_numbers({"12.5", padded, other}), Point::decimal) << padded << ' ' << other;
  }
}

TEST(DecimalSigns, AreNotNeededBehindAZeroMore) {
  EXPECT_EQ(unambiguous("3.125"), "3.1250");
  EXPECT_EQ(unambiguous(" 15.000 "), "15.0000");
  for (const char* clear : {"", "15", " 2.50 ", "0.125", "3.1250", "1500.000", "x"})
    EXPECT_EQ(unambiguous(clear), clear);
}

}  // namespace
}  // namespace dl
