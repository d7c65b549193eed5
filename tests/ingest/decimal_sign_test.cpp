#include "ingest/decimal_sign.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

Point after_refused(ValueRule rule, std::string_view raw) {
  DecimalSigns signs;
  signs.take_refused(rule, raw);
  return signs.point();
}

Point after_unused(std::string_view raw) {
  DecimalSigns signs;
  signs.take_unused(raw);
  return signs.point();
}

TEST(DecimalSigns, AreCommasWhereARefusedNumberHasOneOrPointsBetweenThousands) {
  for (const char* proof : {"2,5", "2,50", "1.500,00", "1,500", "1.500.000", "-2,50",
                            "2,50 \xE2\x82\xAC", "EUR 2,50", "2,5%", "1 500,00",
                            "1\xC2\xA0"
                            "500,00",
                            "1\xE2\x80\xAF"
                            "500,00\xC2\xA0\xE2\x82\xAC",
                            "1.500.000 \xE2\x82\xAC", " 1.234.567.890 "}) {
    EXPECT_EQ(after_refused(ValueRule::money, proof), Point::either) << proof;
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
    EXPECT_EQ(after_refused(ValueRule::date, proof), Point::either) << proof;
  }
  for (const char* none :
       {"07/25/2025", "2025-07-01 00:00:00.000", "2025-07-01T00:00:00.000Z", "45839.5",
        "July 1, 2025", "Jul. 1, 2025", "1.", "2025", "", "1.234.567"}) {
    EXPECT_EQ(after_refused(ValueRule::date, none), Point::decimal) << none;
  }
}

TEST(DecimalSigns, OfOtherColumnsCountWhereTheyCanBeNothingElse) {
  for (const char* proof : {"1.234,56", "1.234,5 \xE2\x82\xAC", "01.07.2025", "1.7.2025 12:00"}) {
    EXPECT_EQ(after_unused(proof), Point::either) << proof;
  }
  // Lists, addresses, versions.
  for (const char* none : {"1,2", "18,24", "192.168.100.200", "1.2.3", "1.234.567", "v1.2.2025",
                           "1.2.3025", "1,234.56", "12.50", ""}) {
    EXPECT_EQ(after_unused(none), Point::decimal) << none;
  }
}

TEST(DecimalSigns, ArePointsOnlyWhereANumberShowsIt) {
  DecimalSigns signs;
  signs.take_number("15");
  signs.take_number("2.125");
  EXPECT_EQ(signs.point(), Point::decimal);
  signs.take_number(" 15.000 ");
  EXPECT_EQ(signs.point(), Point::unproven);
  for (const char* proof : {"12.5", "12.50", "2.1250", "0.125", "1500.000"}) {
    DecimalSigns more = signs;
    more.take_number(proof);
    EXPECT_EQ(more.point(), Point::decimal) << proof;
    more.take_refused(ValueRule::money, "2,50");
    EXPECT_EQ(more.point(), Point::either) << proof;
  }
}

}  // namespace
}  // namespace dl
