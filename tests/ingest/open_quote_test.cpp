// A quote left open swallows the rows below it. No campaign may get another row's values by that,
// and no row may be lost without being named. Through the real program.
#include <gtest/gtest.h>

#include "program.h"

namespace dl {
namespace {

constexpr std::string_view kOpenQuote =
    ": row: unclosed_quote: opens a quote that is not closed, or only in a row below; the rows "
    "below were read by "
    "themselves\n";
constexpr std::string_view kBadQuotes =
    ": row: bad_quotes: has a quote where none may stand; quote the whole field and double the "
    "quotes in it: \"a \"\"b\"\" "
    "c\"\n";

std::string row(int campaign, const std::string& name) {
  const std::string n = std::to_string(campaign);
  return "c" + n + "," + name + "," + n +
         "000,2025-07-01,2025-08-01,engagement,g1,G,2.5,18-24,f,UK,a1,banner,"
         "https://x.example/1,https://y.example/,new";
}

// Nine campaigns, whose third and eighth have these names.
std::string nine_rows(const std::string& third, const std::string& eighth) {
  std::vector<std::string> rows;
  for (int i = 1; i <= 9; ++i) rows.push_back(row(i, i == 3 ? third : i == 8 ? eighth : "N"));
  return sheet_of(rows);
}

std::string told(int line, std::string_view words) {
  return "in:" + std::to_string(line) + std::string(words);
}

std::string budgets(const Program& program) {
  return program.ask(
      "SELECT group_concat(key || ' ' || json_extract(body, '$.budget'), ' ') FROM (SELECT key, "
      "body FROM job JOIN "
      "job_payload ON job_id = id WHERE kind = 'campaign' ORDER BY id)");
}

TEST(OpenQuote, ThatARowBelowClosesGivesNobodyThatRowsBudget) {
  Program program;
  const Ran ran = program.run({program.write("in", nine_rows("\"Summer Sale", "Sale 15\""))});
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_EQ(ran.err,
            told(4, kOpenQuote) + told(9, kBadQuotes) + "in: 2 errors, nothing was loaded\n");
  EXPECT_FALSE(program.has_database());
}

TEST(OpenQuote, LeavesTheRowsBelowToBeLoadedUnderSkipRow) {
  const std::pair<const char*, const char*> all[] = {
      {"\"Summer Sale", "Sale 15\""}, {"\"Summer Sale", "\"Tea, coffee\""}, {"\"Summer Sale", "N"}};
  for (const auto& [third, eighth] : all) {
    SCOPED_TRACE(eighth);
    const bool is_eighth_good = std::string_view(eighth) != "Sale 15\"";
    Program program;
    program.write("in", nine_rows(third, eighth));
    const Ran ran = program.run({"in", "--on-error", "skip-row", "--rejects", "rejects.csv"});
    EXPECT_EQ(ran.exit_code, 1);
    EXPECT_EQ(ran.out, is_eighth_good ? "in: batch 1: 24 new, 0 unchanged (9 rows, 1 left out)\n"
                                      : "in: batch 1: 21 new, 0 unchanged (9 rows, 2 left out)\n");
    EXPECT_EQ(
        ran.err,
        told(4, kOpenQuote) + (is_eighth_good ? "" : told(9, kBadQuotes)) +
            (is_eighth_good ? "in: 1 row" : "in: 2 rows") +
            " could not be read and cannot stand in rejects.csv: put right what is told above\n");
    EXPECT_EQ(budgets(program), std::string("c1 1000 c2 2000 c4 4000 c5 5000 c6 6000 c7 7000 ") +
                                    (is_eighth_good ? "c8 8000 " : "") + "c9 9000");
  }
}

TEST(OpenQuote, ThatChangesTheNumberOfFieldsNamesItsLinesAndTheRowsInThem) {
  Program program;
  std::string text = nine_rows("\"Summer Sale", "N");
  text.replace(text.find("c8,N,8000"), 9, "c8,N,\"");  // closes it in the next column
  const Ran ran = program.run({"check", program.write("in", text)});
  EXPECT_EQ(ran.err,
            "in:4: row: field_count: 16 fields up to line 9 where the header has 17; look whether "
            "a quote was left open; the "
            "rows below were read by themselves\n" +
                told(9, kOpenQuote));
  EXPECT_EQ(ran.out, "in: 7 rows, 2 errors\n") << "beside the two that cannot be read";
}

// The user's own column may have line breaks; it swallows rows all the same.
TEST(OpenQuote, InAColumnThatIsNotOursIsFound) {
  const auto sheet = [](const std::string& third, const std::string& fourth) {
    return sample_lines()[0] + ",notes\n" + row(1, "N") + ",\n" + row(2, "N") + "," + third + "\n" +
           row(3, "N") + "," + fourth + "\n" + row(4, "N") + ",\n";
  };
  Program program;
  Ran ran = program.run({program.write("in", sheet("\"first\n, second, third\"", "\"\n\""))});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "in: batch 1: 12 new, 0 unchanged (4 rows)\n");
  EXPECT_NE(program.run({"results"}).out.find(",\"first\n, second, third\","), std::string::npos);

  ran = program.run({program.write("in", sheet("\"first", "second\""))});
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_NE(ran.err.find(told(3, kOpenQuote) + told(4, kBadQuotes)), std::string::npos) << ran.err;

  // In front of ours.
  const std::string header = "notes," + sample_lines()[0] + "\n";
  ran = program.run({program.write("in", header + "\"two\nlines\"," + row(1, "N") + "\n")});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  ran = program.run(
      {program.write("in", header + "\"two," + row(1, "N") + "\nlines\"," + row(2, "N") + "\n")});
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_NE(ran.err.find(told(2, kOpenQuote) + told(3, kBadQuotes)), std::string::npos) << ran.err;
}

// Of one row in several lines nothing is swallowed: it goes to the rejects as it is.
TEST(OpenQuote, IsNotAssumedOfARowWithALineBreakInACell) {
  Program program;
  program.write("in", sheet_of({row(1, "\"two\nlines, really\""), row(2, "N")}));
  const Ran ran = program.run({"in", "--on-error", "skip-row", "--rejects", "rejects.csv"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "in: batch 1: 3 new, 0 unchanged (2 rows, 1 left out)\n");
  EXPECT_EQ(program.read("rejects.csv"),
            sample_lines()[0] + ",dl_error\n" + row(1, "\"two\nlines, really\"") +
                ",\"campaign_name: line_break: contains a line break; write it in one line, and "
                "look whether a quote was left "
                "open here\"\n");
}

}  // namespace
}  // namespace dl
