#include "ingest/values.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

std::string normal(ValueRule rule, std::string_view raw, Point point = Point::decimal) {
  std::string scratch;
  const CheckedValue value = check_value(rule, raw, scratch, point);
  if (value.flaw == Flaw::none) return std::string(value.text);
  return "! " + std::string(words_of(value.flaw).code);
}

TEST(Money, HasOneTextForEqualAmounts) {
  for (const char* same : {"1500.5", "1500.50", "01500.5", " 1500.500000 ", "1500.50000000"}) {
    EXPECT_EQ(normal(ValueRule::money, same), "1500.5") << same;
  }
  EXPECT_EQ(normal(ValueRule::money, "4.0"), "4");
  EXPECT_EQ(normal(ValueRule::money, "0"), "0");
  EXPECT_EQ(normal(ValueRule::money, "0.000001"), "0.000001");
  EXPECT_EQ(normal(ValueRule::money, "999999999999999"), "999999999999999");
}

TEST(Money, RefusesWhatIsNotExactlyADecimal) {
  EXPECT_EQ(normal(ValueRule::money, ""), "! missing_value");
  EXPECT_EQ(normal(ValueRule::money, "-1"), "! negative");
  EXPECT_EQ(normal(ValueRule::money, "1,500"), "! decimal_comma");
  EXPECT_EQ(normal(ValueRule::money, "2,5"), "! decimal_comma");
  EXPECT_EQ(normal(ValueRule::money, "1.23E+15"), "! exponent");
  EXPECT_EQ(normal(ValueRule::money, "1e3"), "! exponent");
  EXPECT_EQ(normal(ValueRule::money, "0.0000001"), "! too_precise");
  EXPECT_EQ(normal(ValueRule::money, "1000000000000000"), "! too_large");
  for (const char* bad :
       {"abc", "$15", "15 EUR", ".5", "5.", "1.2.3", "+", "-", "NaN", "0x10", "inf"}) {
    EXPECT_EQ(normal(ValueRule::money, bad), "! bad_number") << bad;
  }
}

TEST(Money, WithAPointThatMaySeparateThousandsIsRefusedWhereThatIsUsual) {
  for (const char* unclear : {"15.000", "1.000", "999.999", "1.234.567", " 2.125 "}) {
    EXPECT_EQ(normal(ValueRule::money, unclear, Point::doubtful), "! ambiguous_point") << unclear;
  }
  EXPECT_EQ(normal(ValueRule::money, "15.000"), "15");
  EXPECT_EQ(normal(ValueRule::money, "2.1250", Point::doubtful), "2.125");
  for (const char* clear : {"15000", "15.5", "0.125", "1500.125", "2.12505"}) {
    EXPECT_EQ(normal(ValueRule::money, clear, Point::doubtful), clear);
  }
  EXPECT_EQ(normal(ValueRule::money, "15.000,50", Point::doubtful), "! decimal_comma");
}

TEST(Money, PaddedBehindAPointThatMaySeparateThousandsIsRefusedWhereItsColumnPadsOtherwise) {
  for (const char* unclear : {"15.000", "1.000", "999.000", " 2.000 ", "12.500", "1.250"}) {
    EXPECT_EQ(normal(ValueRule::money, unclear, Point::padded), "! ambiguous_point") << unclear;
  }
  for (const char* clear : {"2.125", "15.5", "0.125", "15000"})
    EXPECT_EQ(normal(ValueRule::money, clear, Point::padded), clear);
  EXPECT_EQ(normal(ValueRule::money, "15.0000", Point::padded), "15");
  EXPECT_EQ(normal(ValueRule::money, "1500.000", Point::padded), "1500");
  EXPECT_EQ(normal(ValueRule::money, "0.000", Point::padded), "0");
}

TEST(Date, IsARealDayInOneForm) {
  EXPECT_EQ(normal(ValueRule::date, "2024-02-29"), "2024-02-29");
  EXPECT_EQ(normal(ValueRule::date, "2025-02-29"), "! no_such_day");
  EXPECT_EQ(normal(ValueRule::date, "2025-02-30"), "! no_such_day");
  EXPECT_EQ(normal(ValueRule::date, "2025-13-01"), "! no_such_day");
  EXPECT_EQ(normal(ValueRule::date, "2025-00-10"), "! no_such_day");
  EXPECT_EQ(normal(ValueRule::date, "07/01/2025"), "! ambiguous_date");
  EXPECT_EQ(normal(ValueRule::date, "July 1"), "! bad_date");
  EXPECT_EQ(normal(ValueRule::date, "########"), "! cell_overflow");
}

TEST(Date, OfBeforeTheYear2000IsWhatAnEmptyCellTurnsInto) {
  for (const char* date : {"1899-12-30", "1900-01-00", "1900-01-01", "1904-01-01", "0025-07-01",
                           "0000-07-01", "1999-12-31", "30.12.1899", "1/0/1900", "01/01/1900"}) {
    EXPECT_EQ(normal(ValueRule::date, date), "! early_date") << date;
  }
  EXPECT_EQ(normal(ValueRule::date, "2000-01-01"), "2000-01-01");
}

TEST(Date, InAnotherFormIsRefusedWithTheOneDayThatItMeans) {
  const std::pair<const char*, const char*> all[] = {
      {"15.03.2026", "write 2026-03-15"},  {"2025-7-1", "write 2025-07-01"},
      {" 2025/07/01", "write 2025-07-01"}, {"07/25/2025", "write 2025-07-25"},
      {"5.5.2025", "write 2025-05-05"},    {"29.2.2024", "write 2024-02-29"},
  };
  for (const auto& [date, words] : all) {
    EXPECT_EQ(normal(ValueRule::date, date), "! date_form") << date;
    EXPECT_EQ(message_for(Flaw::date_form, date), words);
  }
  for (const char* unclear : {"05.03.2026", "1/2/2025", "15.03.26", "1-2-3"}) {
    EXPECT_EQ(normal(ValueRule::date, unclear), "! ambiguous_date") << unclear;
  }
  for (const char* none : {"31.02.2026", "13/13/2025", "2025-0-1", "2025-13-1"}) {
    EXPECT_EQ(normal(ValueRule::date, none), "! no_such_day") << none;
  }
  for (const char* bad : {"2025-07", "2025", "1..2", "2025-07-01-02", "--", "2025-07/01"}) {
    EXPECT_EQ(normal(ValueRule::date, bad), "! bad_date") << bad;
  }
}

TEST(Id, RefusesWhatASpreadsheetDidToIt) {
  EXPECT_EQ(normal(ValueRule::id, " cmp_1 "), "cmp_1");
  EXPECT_EQ(normal(ValueRule::id, "007"), "007");
  EXPECT_EQ(normal(ValueRule::id, "1e5"), "1e5");  // an id of ours may look like this
  EXPECT_EQ(normal(ValueRule::id, "  "), "! missing_value");
  EXPECT_EQ(normal(ValueRule::id, "1.23E+15"), "! id_damaged");
  EXPECT_EQ(normal(ValueRule::id, "1,23E+15"), "! id_damaged");
  EXPECT_EQ(normal(ValueRule::id, "####"), "! cell_overflow");
  EXPECT_EQ(normal(ValueRule::id,
                   "cmp\xC2\xA0"
                   "1"),
            "! id_hidden_space");
  // Soft hyphen, C1 control, Arabic mark, right-to-left mark and override, narrow and wide spaces,
  // word joiner. Variation selector, grapheme joiner, empty Braille pattern, Hangul filler, a tag.
  for (const char* hidden :
       {"\xC2\xAD", "\xC2\x9B", "\xD8\x9C", "\xE2\x80\x8F", "\xE2\x80\xAE", "\xE2\x80\xAF",
        "\xE3\x80\x80", "\xE2\x81\xA0", "\xEF\xBB\xBF", "\xEF\xB8\x8F", "\xCD\x8F", "\xE2\xA0\x80",
        "\xE3\x85\xA4", "\xF3\xA0\x81\x81"}) {
    EXPECT_EQ(normal(ValueRule::id, std::string("cmp_1") + hidden), "! id_hidden_space") << hidden;
  }
  // Letters of any script, and neighbours of what is hidden.
  for (const char* seen : {"\xD7\x90", "\xC2\xA1", "\xC2\xAE", "\xE2\x80\x90", "\xE2\x80\xA7",
                           "\xEF\xBB\xBC", "\xF0\x9F\x98\x80"}) {
    EXPECT_EQ(normal(ValueRule::id, std::string("cmp_1") + seen), std::string("cmp_1") + seen);
  }
  EXPECT_EQ(normal(ValueRule::id, "a\ab"), "! control_character");
  EXPECT_EQ(normal(ValueRule::id, std::string(128, 'x')), std::string(128, 'x'));
  EXPECT_EQ(normal(ValueRule::id, std::string(129, 'x')), "! id_too_long");
}

TEST(Cell, ThatHoldsTheErrorOfAFormulaIsRefusedWhateverItIsFor) {
  for (const char* error : {"#N/A", "#VALUE!", "#NAME?", "#REF!", "#DIV/0!", "#NULL!", "#NUM!",
                            "#SPILL!", "#GETTING_DATA", "#NV"}) {
    for (const ValueRule rule : {ValueRule::id, ValueRule::text, ValueRule::list, ValueRule::money,
                                 ValueRule::date, ValueRule::url}) {
      EXPECT_EQ(normal(rule, error), "! cell_error") << error;
    }
  }
  for (const char* name :
       {"#1", "#SALE", "#N/A campaign", "N/A", "#ref!", "Err:", "Err:5a", "#!", "#SALE! now!"}) {
    for (const ValueRule rule : {ValueRule::id, ValueRule::text, ValueRule::name, ValueRule::list})
      EXPECT_EQ(normal(rule, name), name);
  }
}

TEST(Cell, ThatHoldsTheErrorOfAFormulaIsRefusedInWhateverLanguage) {
  for (const char* error : {"#ERROR!", "#NOM?", "#VALEUR!", "#BLOCKED!", "Err:502", "Err:508",
                            "Loading...", " #REF!", "#N/A ", "#VALOR!", "#NAAM?", "#\xC2\xA1VALOR!",
                            "#\xC2\xBFNOMBRE?", "#DEEL/0!", "#\xD0\x98\xD0\x9C\xD0\xAF?"}) {
    for (const ValueRule rule : {ValueRule::id, ValueRule::text, ValueRule::name, ValueRule::list,
                                 ValueRule::money, ValueRule::date, ValueRule::url}) {
      EXPECT_EQ(normal(rule, error), "! cell_error") << error;
    }
  }
  for (const char* list : {"UK;#N/A", "#REF!;UK", "UK; Err:502 ;IE"})
    EXPECT_EQ(normal(ValueRule::list, list), "! cell_error") << list;
  EXPECT_EQ(normal(ValueRule::list, "UK;####"), "! cell_overflow");
  EXPECT_EQ(normal(ValueRule::text, "UK;#N/A"), "UK;#N/A");
  // A person may have given it; no spreadsheet shows it.
  EXPECT_EQ(normal(ValueRule::name, "#SALE!"), "#SALE!");
  EXPECT_EQ(normal(ValueRule::text, "#SALE!"), "! cell_error");
}

constexpr const char* kNoBreakSpace = "\xC2\xA0";
constexpr const char* kZeroWidthSpace = "\xE2\x80\x8B";
constexpr const char* kJoiner = "\xE2\x80\x8D";
constexpr const char* kEmojiStyle = "\xEF\xB8\x8F";

TEST(HiddenCharacters, AreRefusedInAllButNames) {
  for (const char* hidden :
       {kNoBreakSpace, kZeroWidthSpace, kJoiner, kEmojiStyle, "\xEF\xBB\xBF"}) {
    const std::string mark(hidden);
    EXPECT_EQ(normal(ValueRule::url, "https://a.example/" + mark), "! hidden_character");
    EXPECT_EQ(normal(ValueRule::url, mark + "https://a.example/"), "! hidden_character");
    EXPECT_EQ(normal(ValueRule::text, "engage" + mark + "ment"), "! hidden_character");
    EXPECT_EQ(normal(ValueRule::list, "UK;" + mark + "IE"), "! hidden_character");
    EXPECT_EQ(normal(ValueRule::list, mark), "! hidden_character");
    for (const ValueRule rule : {ValueRule::id, ValueRule::text, ValueRule::name, ValueRule::money,
                                 ValueRule::date, ValueRule::url}) {
      EXPECT_EQ(normal(rule, " " + mark + mark + " "), "! missing_value");
    }
  }
}

TEST(HiddenCharacters, MayStandInsideANameWhereTheyAreWritten) {
  for (const std::string& good :
       {std::string("Soldes\xC2\xA0: -50\xE2\x80\xAF%"),
        std::string("\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB dev"),
        std::string("love \xE2\x9D\xA4\xEF\xB8\x8F"),
        std::string("\xE5\xA4\x8F\xE3\x80\x80\xE7\xA7\x8B"),
        std::string("\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE"),
        std::string("\xF0\x9F\x8F\xB4\xF3\xA0\x81\xA7\xF3\xA0\x81\xBF")}) {
    EXPECT_EQ(normal(ValueRule::name, good), good);
  }
  for (const char* hidden : {kNoBreakSpace, kZeroWidthSpace, kJoiner}) {
    EXPECT_EQ(normal(ValueRule::name, std::string("Sale") + hidden), "! hidden_character");
    EXPECT_EQ(normal(ValueRule::name, std::string(hidden) + "Sale"), "! hidden_character");
    EXPECT_EQ(normal(ValueRule::name, std::string("Sale ") + hidden + " "), "! hidden_character");
  }
  EXPECT_EQ(normal(ValueRule::name, std::string(kEmojiStyle) + "Sale"), "! hidden_character");
  EXPECT_EQ(normal(ValueRule::name, std::string("Sa") + kZeroWidthSpace + "le"),
            "! hidden_character");
}

TEST(DamagedText, IsRefusedWhateverItIsFor) {
  for (const ValueRule rule : {ValueRule::id, ValueRule::text, ValueRule::name, ValueRule::list}) {
    EXPECT_EQ(normal(rule, "Caf\xEF\xBF\xBD"), "! damaged_text");
  }
  EXPECT_EQ(normal(ValueRule::url, "https://a.example/\xEF\xBF\xBD"), "! damaged_text");
}

TEST(Url, IsAbsoluteAndMayHoldAMacro) {
  for (const char* good : {"https://example.com", "HTTP://example.com/a?b=c#d",
                           "https://ads.example.com/{CLICK_URL}?t=[timestamp]"}) {
    EXPECT_EQ(normal(ValueRule::url, good), good);
  }
  for (const char* bad :
       {"example.com/a", "ftp://example.com", "https://", "https:///a", "http:example.com",
        "https://a b", "javascript:alert(1)", "//example.com"}) {
    EXPECT_EQ(normal(ValueRule::url, bad), "! bad_url") << bad;
  }
}

// Nobody sees them in a cell.
TEST(Text, LosesTheBlanksAroundItAndAroundEachPartOfAList) {
  for (const ValueRule rule : {ValueRule::text, ValueRule::name, ValueRule::list}) {
    EXPECT_EQ(normal(rule, " two  words \t"), "two  words");
  }
  EXPECT_EQ(normal(ValueRule::text, "UK ; IE"), "UK ; IE");
  EXPECT_EQ(normal(ValueRule::list, " UK ;\tNew York ; "), "UK;New York;");
  EXPECT_EQ(normal(ValueRule::list, "UK;IE"), "UK;IE");
  EXPECT_EQ(normal(ValueRule::list, "  "), "");
}

TEST(Text, KeepsTheBlanksInItAndRefusesLineBreaksAndControlCharacters) {
  EXPECT_EQ(normal(ValueRule::text, "two\twords"), "two\twords");
  for (const ValueRule rule : {ValueRule::id, ValueRule::text, ValueRule::list, ValueRule::money,
                               ValueRule::date, ValueRule::url}) {
    for (const char* broken : {"1\n2", "1\r\n2", "1\r", "\n2"})
      EXPECT_EQ(normal(rule, broken), "! line_break");
  }
  EXPECT_EQ(normal(ValueRule::text, "bell\a"), "! control_character");
  EXPECT_EQ(normal(ValueRule::text, " "), "! missing_value");
  EXPECT_EQ(normal(ValueRule::list, ""), "");
  EXPECT_EQ(normal(ValueRule::text, std::string(kFieldBytesMax + 1, 'x')), "! field_too_long");
}

TEST(Header, IsRecognisedWhateverItsCaseAndSeparators) {
  EXPECT_EQ(column_named("Campaign Budget"), Column::campaign_budget);
  EXPECT_EQ(column_named("AD-GROUP_id"), Column::ad_group_id);
  EXPECT_EQ(column_named("forbidden"), std::nullopt);  // holds "bid"
  EXPECT_TRUE(is_result_column("dl_error"));
  EXPECT_TRUE(is_result_column("dsp_ad_group_id"));
  EXPECT_TRUE(is_result_column("DL Attempts"));
  EXPECT_TRUE(is_state_column("DL_STATE"));
  EXPECT_FALSE(is_state_column("dl_error"));
  EXPECT_FALSE(is_result_column("campaign_id"));
  EXPECT_FALSE(is_result_column("dl_link"));
  EXPECT_FALSE(is_result_column(""));
}

}  // namespace
}  // namespace dl
