#include "tests/mock_dsp/sheet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "tests/mock/mock_process.h"
#include "tests/mock_dsp/json_object.h"
#include "tests/mock_dsp/row_order.h"

namespace dl::mock {
namespace {

std::string sheet(const SheetShape& shape) {
  std::string text;
  EXPECT_TRUE(write_sheet(shape, [&](std::string_view piece) {
    text += piece;
    return true;
  }));
  return text;
}

// Rows of fields, by RFC 4180.
std::vector<std::vector<std::string>> rows_of(const std::string& csv) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row(1);
  bool quoted = false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    const char c = csv[i];
    if (quoted && c == '"' && csv.substr(i, 2) == "\"\"") {
      row.back() += csv[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (quoted || (c != ',' && c != '\n')) {
      row.back() += c;
    } else if (c == ',') {
      row.emplace_back();
    } else {
      rows.push_back(std::exchange(row, {""}));
    }
  }
  return rows;
}

TEST(Sheet, HasTheColumnsOfTheSampleAndAllItsRows) {
  const auto rows = rows_of(sheet({.campaigns = 4, .ad_groups = 3, .ads = 5}));
  ASSERT_EQ(rows.size(), 1u + 4 * 3 * 5);
  EXPECT_EQ(rows[0].size(), 17u);
  EXPECT_EQ(rows[0][0], "campaign_id");
  EXPECT_EQ(rows[0][16], "ad_status");
  std::set<std::string> campaigns, groups, ads;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 17u);
    campaigns.insert(rows[i][0]);
    groups.insert(rows[i][6]);
    ads.insert(rows[i][12]);
  }
  EXPECT_EQ(campaigns.size(), 4u);
  EXPECT_EQ(groups.size(), 12u);
  EXPECT_EQ(ads.size(), 60u);
}

TEST(Sheet, IsTheSameForTheSameSeed) {
  const SheetShape shape{.order = RowOrder::shuffled, .skew = true, .quirks = true};
  SheetShape other = shape;
  other.seed = 2;
  EXPECT_EQ(sheet(shape), sheet(shape));
  EXPECT_NE(sheet(shape), sheet(other));
}

TEST(Sheet, HoldsTheSameRowsInEveryOrder) {
  const auto sorted_rows = [](RowOrder order) {
    auto rows = rows_of(sheet({.campaigns = 7, .order = order, .skew = true, .quirks = true}));
    std::sort(rows.begin(), rows.end());
    return rows;
  };
  const auto ordered = sorted_rows(RowOrder::ordered);
  EXPECT_EQ(sorted_rows(RowOrder::shuffled), ordered);
  EXPECT_EQ(sorted_rows(RowOrder::interleaved), ordered);
}

TEST(Sheet, ShufflesFarFromTheOrderOfTheCampaigns) {
  const auto rows = rows_of(sheet({.campaigns = 50, .order = RowOrder::shuffled}));
  int neighbours = 0;  // rows that follow a row of their own campaign
  for (std::size_t i = 2; i < rows.size(); ++i) neighbours += rows[i][0] == rows[i - 1][0];
  EXPECT_LT(neighbours, 30) << "of 300 rows; ordered it would be 250";
}

TEST(Permutation, HoldsEveryNumberOnceAtEverySize) {
  for (const std::uint64_t size : {1u, 2u, 3u, 17u, 64u, 65u, 1'000u, 4'097u}) {
    const Permutation order(size, size);
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < size; ++i) seen.insert(order.at(i));
    EXPECT_EQ(seen.size(), size);
    EXPECT_EQ(*seen.rbegin(), size - 1);
  }
}

TEST(Sheet, InterleavesCampaigns) {
  const auto rows = rows_of(sheet({.campaigns = 3, .order = RowOrder::interleaved}));
  EXPECT_EQ(rows[1][0], "cmp_1");
  EXPECT_EQ(rows[2][0], "cmp_2");
  EXPECT_EQ(rows[3][0], "cmp_3");
  EXPECT_EQ(rows[4][0], "cmp_1");
}

TEST(Sheet, RepeatsAParentWithoutContradiction) {
  const auto rows = rows_of(sheet({.campaigns = 5, .order = RowOrder::shuffled, .quirks = true}));
  std::map<std::string, std::vector<std::string>> campaigns;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::vector<std::string> columns(rows[i].begin(), rows[i].begin() + 6);
    EXPECT_EQ(campaigns.emplace(rows[i][0], columns).first->second, columns);
  }
}

TEST(Sheet, CountsWhatItWrites) {
  const SheetShape shape{.campaigns = 20, .ad_groups = 4, .ads = 6, .skew = true};
  const SheetCounts counts = count_entities(shape);
  EXPECT_EQ(rows_of(sheet(shape)).size(), 1 + static_cast<std::size_t>(counts.ads));
  EXPECT_EQ(counts.campaigns, 20);
  EXPECT_GE(counts.ad_groups, 19 + 40);
}

TEST(Sheet, PadsCreativesAndEndsLinesAsAsked) {
  const std::string text =
      sheet({.campaigns = 1, .payload_bytes = 5'000, .bom = true, .crlf = true});
  EXPECT_TRUE(
      text.starts_with("\xef\xbb\xbf"
                       "campaign_id,"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'), 7);
  EXPECT_EQ(rows_of(text)[1][14].size(), 5'000u);
}

TEST(Sheet, WritesOneCampaignALineAsJson) {
  std::istringstream lines(sheet({.campaigns = 9, .format = SheetFormat::jsonl, .quirks = true}));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    std::vector<std::string> names;
    EXPECT_TRUE(
        read_json_object(line, [&](const JsonField& field) { names.emplace_back(field.name); }));
    EXPECT_THAT(names, testing::ElementsAre("campaign_id", "campaign_name", "campaign_budget",
                                            "start_date", "end_date", "objective", "ad_groups"));
  }
  EXPECT_EQ(count, 9);
}

TEST(SheetProgram, WritesTheSheetOfItsFlags) {
  const TemporaryFolder folder;
  const Finish to_stdout = run_program("dl-make-sheet", {"--campaigns", "2", "--ads", "4"});
  EXPECT_EQ(to_stdout.exit_code, 0);
  EXPECT_EQ(to_stdout.out, sheet({.campaigns = 2, .ads = 4}));
  EXPECT_EQ(run_program("dl-make-sheet", {"-o", folder.file("s.csv")}).exit_code, 0);
  EXPECT_GT(std::filesystem::file_size(folder.file("s.csv")), 1'000u);
  EXPECT_EQ(run_program("dl-make-sheet", {"--campaigns", "0"}).exit_code, 64);
  EXPECT_EQ(run_program("dl-make-sheet", {"--format", "json", "--order", "shuffled"}).exit_code,
            64);
  EXPECT_EQ(run_program("dl-make-sheet", {"-o", "/nowhere/s.csv"}).exit_code, 73);
}

}  // namespace
}  // namespace dl::mock
