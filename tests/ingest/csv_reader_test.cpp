#include "ingest/csv_reader.h"

#include <gtest/gtest.h>

namespace dl {
namespace {

// Every record as "line/row:field|field", or "line/row!flaw".
std::vector<std::string> records(std::string_view text, char delimiter = ',') {
  Result<InputFile> file = InputFile::from_text("test", text);
  EXPECT_TRUE(file);
  LineReader lines(*file, kRecordBytesMax);
  CsvReader reader(lines, delimiter);
  CsvRecord record;
  std::vector<std::string> all;
  for (;;) {
    const Result<bool> more = reader.next(record);
    EXPECT_TRUE(more);
    if (!more || !*more) return all;
    std::string shown = std::to_string(record.line) + "/" + std::to_string(record.sheet_row);
    if (record.flaw != CsvFlaw::none) {
      all.push_back(shown + "!" + std::to_string(static_cast<int>(record.flaw)));
      continue;
    }
    shown += ":";
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
      shown += (i > 0 ? "|" : "") + std::string(record.fields[i]);
    }
    all.push_back(shown);
  }
}

std::string flawed(int line, int row, CsvFlaw flaw) {
  return std::to_string(line) + "/" + std::to_string(row) + "!" +
         std::to_string(static_cast<int>(flaw));
}

using Records = std::vector<std::string>;

TEST(CsvReader, ReadsQuotesLineBreaksAndBothLineEnds) {
  EXPECT_EQ(records("a,b\r\n\"x,\"\"y\"\"\",\"1\r\n2\"\nlast,"),
            (Records{"1/1:a|b", "2/2:x,\"y\"|1\r\n2", "4/3:last|"}));
  EXPECT_EQ(records("\"open\nand\nclosed\",b\nnext,c\n"),
            (Records{"1/1:open\nand\nclosed|b", "4/2:next|c"}));
  EXPECT_EQ(records("a,\"\"\n"), (Records{"1/1:a|"}));
  EXPECT_EQ(records("\"last\""), (Records{"1/1:last"}));
}

TEST(CsvReader, KeepsBlanksAroundFields) {
  EXPECT_EQ(records(" a , b \n\"c\", d\n"), (Records{"1/1: a | b ", "2/2:c| d"}));
}

TEST(CsvReader, CountsBlankLinesAsRowsAndPassesThemOver) {
  EXPECT_EQ(records("a\n\n\r\n,,\nb\n"), (Records{"1/1:a", "5/5:b"}));
}

TEST(CsvReader, TakesOffAByteOrderMark) {
  EXPECT_EQ(records("\xEF\xBB\xBFid,name\n"), (Records{"1/1:id|name"}));
  EXPECT_EQ(records("\xEF\xBB\xBF\"id\",name\n"), (Records{"1/1:id|name"}));
}

TEST(CsvReader, GoesOnBehindARecordItCannotRead) {
  EXPECT_EQ(records("a\"b,c\nd,e\n"), (Records{flawed(1, 1, CsvFlaw::bad_quotes), "2/2:d|e"}));
  EXPECT_EQ(records("\"a\"b,c\nd,e\n"), (Records{flawed(1, 1, CsvFlaw::bad_quotes), "2/2:d|e"}));
  EXPECT_EQ(records(std::string_view("a\0b\nc\n", 6)),
            (Records{flawed(1, 1, CsvFlaw::nul_byte), "2/2:c"}));
  EXPECT_EQ(records("a\rb\nc\n"), (Records{flawed(1, 1, CsvFlaw::stray_return), "2/2:c"}));
  EXPECT_EQ(records("\"a\"\rb\nc\n"), (Records{flawed(1, 1, CsvFlaw::stray_return), "2/2:c"}));
  std::string endless(2'000'000, 'x');
  endless += "\nc\n";
  EXPECT_EQ(records(endless), (Records{flawed(1, 1, CsvFlaw::too_long), "2/2:c"}));
}

TEST(CsvReader, EndsNoRecordAtALoneReturnWhateverQuotesStandAroundIt) {
  // What stood behind the return was dropped, and its quote was still open for the lines below.
  EXPECT_EQ(records("a,b\r\"c\n\"d\",e\n"),
            (Records{flawed(1, 1, CsvFlaw::stray_return), "2/2:d|e"}));
  EXPECT_EQ(records("\r\"a\",b\nc\n"), (Records{flawed(1, 1, CsvFlaw::stray_return), "2/2:c"}));
  EXPECT_EQ(records("\"a\"\r\r\nc\n"), (Records{flawed(1, 1, CsvFlaw::stray_return), "2/2:c"}));
  EXPECT_EQ(records("a,\"b\"\r"), (Records{flawed(1, 1, CsvFlaw::stray_return)}))
      << "as without the quotes";
  EXPECT_EQ(records("\"a\r\",\"\r\n\"\r\n\"b\",\"\n\"\n"), (Records{"1/1:a\r|\r\n", "3/2:b|\n"}))
      << "in quotes it may stand";
}

// They were lost with it, and nobody was told their lines.
TEST(CsvReader, ReadsTheLinesBelowAnOpenQuoteByThemselves) {
  EXPECT_EQ(records("a\nb,\"c\nd\ne\n"),
            (Records{"1/1:a", flawed(2, 2, CsvFlaw::unclosed_quote), "3/3:d", "4/4:e"}));
  EXPECT_EQ(records("b,\"c\nd\n\"e\",f\ng\n"),
            (Records{flawed(1, 1, CsvFlaw::unclosed_quote), "2/2:d", "3/3:e|f", "4/4:g"}));
  EXPECT_EQ(records("\"a\n\xFF\nc\n"), (Records{flawed(1, 1, CsvFlaw::unclosed_quote),
                                                flawed(2, 2, CsvFlaw::bad_utf8), "3/3:c"}));
  EXPECT_EQ(records("\"a\n\"b\rc\nd"), (Records{flawed(1, 1, CsvFlaw::unclosed_quote),
                                                flawed(2, 2, CsvFlaw::unclosed_quote), "3/3:d"}));
  EXPECT_EQ(records("\"a\nb\n\"c\"d\n\"e\nf\"\n"),
            (Records{flawed(1, 1, CsvFlaw::unclosed_quote), "2/2:b",
                     flawed(3, 3, CsvFlaw::bad_quotes), "4/4:e\nf"}));
  EXPECT_EQ(records("\"a"), (Records{flawed(1, 1, CsvFlaw::unclosed_quote)}));
  EXPECT_EQ(
      records("\"a\n" + std::string(2'000'000, 'x') + "\nc\n"),
      (Records{flawed(1, 1, CsvFlaw::unclosed_quote), flawed(2, 2, CsvFlaw::too_long), "3/3:c"}));
}

TEST(CsvReader, LooksForTheEndOfAQuoteInOneMebibyte) {
  std::string endless = "a\n\"open\n";
  for (int i = 0; i < 300'000; ++i) endless += "line,line\n";
  const Records all = records(endless);
  ASSERT_EQ(all.size(), 300'002U);
  EXPECT_EQ(all[1], flawed(2, 2, CsvFlaw::unclosed_quote));
  EXPECT_EQ(all[2], "3/3:line|line");
  EXPECT_EQ(all.back(), "300002/300002:line|line");
}

TEST(CsvReader, SplitsLinesWithoutQuotesAsLibcsvDoes) {
  for (const char* line : {"a,b,c", ",,x", "x,,", " ,\t, ", "a", "\xC3\xA9,\xE2\x82\xAC"}) {
    std::vector<std::string> plain = records(std::string(line) + "\n");
    std::vector<std::string> parsed = records(std::string(line) + ",\"\"\n");  // goes to libcsv
    ASSERT_EQ(plain.size(), 1U);
    EXPECT_EQ(plain[0] + "|", parsed.at(0)) << line;
  }
}

TEST(Utf8, IsCheckedByTheStandard) {
  EXPECT_TRUE(is_valid_utf8("plain ascii, long enough for a word"));
  EXPECT_TRUE(
      is_valid_utf8("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xEF\xBF\xBF \xF4\x8F\xBF\xBF"));
  for (const char* bad :
       {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\xAF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "12345678\xC3"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << testing::PrintToString(std::string(bad));
  }
}

TEST(LineReader, FindsTheSameLinesWhereverTheChunksEnd) {
  for (const std::size_t length :
       {0U, 1U, 1000U, 262'142U, 262'143U, 262'144U, 262'145U, 600'000U}) {
    const std::string text = std::string(length, 'x') + "\nsecond\r\n\nlast";
    Result<InputFile> file = InputFile::from_text("test", text);
    LineReader reader(*file, kRecordBytesMax);
    Line line;
    ASSERT_TRUE(*reader.next(line));
    EXPECT_EQ(without_end(line.text), std::string(length, 'x'));
    ASSERT_TRUE(*reader.next(line));
    EXPECT_EQ(line.text, "second\r\n");
    ASSERT_TRUE(*reader.next(line));
    EXPECT_EQ(line.text, "\n");
    ASSERT_TRUE(*reader.next(line));
    EXPECT_EQ(line.text, "last");
    EXPECT_EQ(line.number, 4);
    EXPECT_FALSE(*reader.next(line));
  }
}

TEST(Delimiter, IsFoundFromTheHeaderOutsideQuotes) {
  EXPECT_EQ(delimiter_of("a,b,c"), ',');
  EXPECT_EQ(delimiter_of("a;b;\"x,y,z\""), ';');
  EXPECT_EQ(delimiter_of("a\tb"), '\t');
  EXPECT_EQ(delimiter_of("a"), ',');
}

TEST(Delimiter, MayBeNamedByALineOfItsOwn) {
  EXPECT_EQ(delimiter_named_by("sep=;\r\n"), ';');
  EXPECT_EQ(delimiter_named_by("SEP=,"), ',');
  EXPECT_EQ(delimiter_named_by("sep=\t\n"), '\t');
  EXPECT_EQ(delimiter_named_by("sep=;;;;\n"), ';') << "saved as a row";
  for (const char* none :
       {"", "\n", "sep=", "sep=\n", "sep=|\n", "sep=;name\n", "sep,name\n", "separator=;\n"}) {
    EXPECT_EQ(delimiter_named_by(none), std::nullopt) << none;
  }
  const CsvDialect dialect = dialect_of("semicolon crlf bom sep");
  EXPECT_EQ(text_of(dialect), "semicolon crlf bom sep");
  EXPECT_TRUE(dialect.names_delimiter);
}

TEST(CsvField, IsQuotedOnlyWhereNeeded) {
  std::string out;
  append_csv_field(out, "plain text", ',');
  append_csv_field(out, "a,b", ',');
  append_csv_field(out, "a,b", ';');
  append_csv_field(out, "say \"x\"\n", ',');
  EXPECT_EQ(out, "plain text\"a,b\"a,b\"say \"\"x\"\"\n\"");
}

}  // namespace
}  // namespace dl
