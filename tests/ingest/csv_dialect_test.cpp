// What a sheet's own way of being written changes, through the real program.
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

#include "program.h"

namespace dl {
namespace {

std::string with_delimiter(std::string text, char delimiter) {
  std::replace(text.begin(), text.end(), ';', '/');  // in lists
  std::replace(text.begin(), text.end(), ',', delimiter);
  return text;
}

// The doubtful numbers of a sheet with these budgets and bids, a row each, by their column.
std::string doubtful_in(const Program& program, const std::vector<std::string>& budgets,
                        const std::vector<std::string>& bids, char delimiter = ',') {
  std::vector<std::string> rows;
  for (std::size_t i = 0; i < std::max(budgets.size(), bids.size()); ++i) {
    std::string row = row_with(1, "campaign_budget", i < budgets.size() ? budgets[i] : "15000");
    row.replace(row.find(",2.5,"), 5, "," + (i < bids.size() ? bids[i] : "3") + ",");
    rows.push_back("c" + std::to_string(i) + row.substr(row.find(',')));
  }
  const std::string sheet = with_delimiter(sheet_of(rows), delimiter);
  std::istringstream lines(program.run({"check", program.write("in", sheet)}).err);
  const std::regex doubtful(R"(in:\d+: (\w+): ambiguous_point: .*"(.*)\")");
  std::string told;
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (std::regex_search(line, found, doubtful))
      told += (told.empty() ? "" : ", ") + found[1].str() + ' ' + found[2].str();
  }
  return told;
}

// Fifteen thousand was submitted as fifteen.
TEST(CsvDialect, RefusesAPointThatMayBeThousandsWhateverTheDelimiter) {
  const Program program;
  const std::string sheet =
      sheet_of({row_with(1, "campaign_budget", "15.000"), row_with(2, "bid", "2.125")});
  const std::string why =
      "ambiguous_point: the point may separate thousands or decimals; write 15000 for thousands, "
      "15, 15.00 or 2.1250 for decimals: ";
  for (const char delimiter : {',', ';', '\t'}) {
    std::string text = sheet;
    text.replace(text.find(",2.5,"), 5, ",3,");
    const Ran ran = program.run({program.write("in", with_delimiter(text, delimiter))});
    EXPECT_EQ(ran.exit_code, 65);
    EXPECT_EQ(ran.err, "in:2: campaign_budget: " + why + "\"15.000\"\nin:3: bid: " + why +
                           "\"2.125\"\n"
                           "in: 2 errors, nothing was loaded\n");
    for (const char* proof : {"2.5", "0.125"})
      EXPECT_EQ(doubtful_in(program, {}, {"2.125", proof}, delimiter), "") << proof;
  }
}

// A budget of 15.000 was loaded as fifteen, for a bid of 2.5 stood in the sheet.
TEST(CsvDialect, IsKnownOfAColumnByItsOwnNumbersAlone) {
  const Program program;
  EXPECT_EQ(doubtful_in(program, {"15.000"}, {"2.5"}), "campaign_budget 15.000");
  EXPECT_EQ(doubtful_in(program, {"12.500"}, {"2.50"}), "campaign_budget 12.500");
  EXPECT_EQ(doubtful_in(program, {"12.5"}, {"2.125"}), "bid 2.125");
  EXPECT_EQ(doubtful_in(program, {"12.500"}, {"1.250"}), "campaign_budget 12.500, bid 1.250");
}

// Who writes fifteen with two decimals writes 15.00.
TEST(CsvDialect, RefusesAPaddedNumberBesideOnesThatAreNotPaddedSo) {
  const Program program;
  EXPECT_EQ(doubtful_in(program, {"15.000", "12.50", "2.125"}, {}), "campaign_budget 15.000");
  EXPECT_EQ(doubtful_in(program, {"15.000", "1500.000"}, {}), "");
  EXPECT_EQ(doubtful_in(program, {}, {"1.250", "0.500"}), "");
}

// A text may come from a spreadsheet; a number of JSON is what it says.
TEST(CsvDialect, OfTextsInJsonIsThatOfSheetsAndNumbersHaveNone) {
  const Program program;
  const auto check = [&](const std::string& budget) {
    return program
        .run({"check",
              program.write(
                  "in.json",
                  R"({"campaign_id":"c","campaign_name":"n","campaign_budget":)" + budget +
                      R"(,"start_date":"2026-12-01","end_date":"2026-12-31","objective":"o"})")})
        .err;
  };
  EXPECT_EQ(check("15.000"), "");
  EXPECT_NE(check(R"("15.000")").find("ambiguous_point"), std::string::npos);
}

// Whoever mended the comma alone would have submitted fifteen.
TEST(CsvDialect, OfCommasLosesItsPointsToADecimalCommaAnywhereInTheSheet) {
  const Program program;
  program.write("in", sheet_of({row_with(1, "campaign_budget", "15.000"), sample_lines()[2],
                                row_with(3, "bid", "\"2,50\"")}));
  const Ran ran = program.run({"in", "--on-error", "skip-row", "--rejects", "rejects"});
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_EQ(ran.out, "in: batch 1: 3 new, 0 unchanged (3 rows, 2 left out)\n");
  EXPECT_NE(program.read("rejects").find("campaign_budget: ambiguous_point: "), std::string::npos);
  for (const char* proof : {"1.500.000", "\"2,50 \xE2\x82\xAC\"",
                            "\"1\xC2\xA0"
                            "500,00\""}) {
    program.write("in", sheet_of({row_with(4, "campaign_budget", "15.000"), sample_lines()[5],
                                  row_with(3, "campaign_budget", proof)}));
    EXPECT_EQ(program.run({"in", "--on-error", "skip-row"}).exit_code, 1);
    EXPECT_EQ(program.ask("SELECT count(*) FROM job_payload WHERE body LIKE '%\"budget\":15,%'"),
              "0")
        << proof;
  }
}

// As Excel writes and reads it, and shows neither the line nor counts it as a row.
TEST(CsvDialect, IsTakenFromAFirstLineForExcel) {
  const Program program;
  const std::string sheet = sheet_of({sample_lines()[1], sample_lines()[2]});
  for (const char delimiter : {',', ';', '\t'}) {
    const std::string text =
        std::string("\xEF\xBB\xBF") + "sep=" + delimiter + "\n" + with_delimiter(sheet, delimiter);
    Ran ran = program.run({program.write("in", text)});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_TRUE(ran.out.ends_with("(2 rows)\n")) << ran.out;
    const std::string results = program.run({"results"}).out;
    EXPECT_TRUE(
        results.starts_with(text.substr(0, text.find("campaign_id")) + "campaign_id" + delimiter))
        << results;
    ran = program.run({"check", "-"}, results);
    EXPECT_EQ(ran.out, "stdin: 2 rows, 0 errors\n") << ran.err;
  }
}

TEST(CsvDialect, NamedByALineLeavesTheLinesTheirNumbers) {
  const Program program;
  Ran ran = program.run(
      {"check",
       program.write("in", "sep=,\n" + sheet_of({sample_lines()[1], row_with(2, "bid", "x")}))});
  EXPECT_EQ(ran.err,
            "in:4: bid: bad_number: not a decimal number; write 15000 or 2.5: \"x\" (row 3)\n");
  ran = program.run({"check", program.write("in", "sep=;\n")});
  EXPECT_EQ(ran.err, "in: file: empty_file: there is nothing in it\n");
  ran = program.run(
      {"check",
       program.write("in", "sep=;\n\n" + with_delimiter(sheet_of({sample_lines()[1]}), ';'))});
  EXPECT_EQ(ran.out, "in: 1 row, 0 errors\n") << ran.err;
}

}  // namespace
}  // namespace dl
