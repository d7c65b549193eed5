// Sheets in any order: sorted in little memory, loaded campaign by campaign, given back as they
// were.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <map>
#include <random>

#include "ingest/row_sorter.h"
#include "ingest/seen_entities.h"
#include "tests/ingest/program.h"

namespace dl {
namespace {

using Key = SpillSorter::Key;

std::vector<std::pair<Key, std::string>> sorted_by(
    std::size_t memory, const std::vector<std::pair<Key, std::string>>& records) {
  SpillSorter sorter(memory);
  for (const auto& [key, record] : records) EXPECT_TRUE(sorter.add(key, record));
  EXPECT_TRUE(sorter.finish());
  std::vector<std::pair<Key, std::string>> sorted;
  std::string_view record;
  for (;;) {
    const Result<bool> more = sorter.next(record);
    EXPECT_TRUE(more);
    if (!more || !*more) return sorted;
    sorted.emplace_back(records.at(std::stoul(std::string(record))).first, record);
  }
}

TEST(SpillSorter, SortsInAnyMemory) {
  std::mt19937_64 random(7);
  std::vector<std::pair<Key, std::string>> records;
  for (std::size_t i = 0; i < 3000; ++i) {
    std::string record = std::to_string(i) + " ";
    // longer than what is read at once, too
    record.append(random() % 50 == 0 ? 70'000 : random() % 300, 'x');
    records.push_back({{random() % 100, i}, record});
  }
  std::vector<std::pair<Key, std::string>> expected = records;
  std::sort(expected.begin(), expected.end());
  for (const std::size_t memory :
       {std::size_t{1}, std::size_t{10'000}, std::size_t{1'000'000}, std::size_t{1} << 26}) {
    EXPECT_TRUE(sorted_by(memory, records) == expected) << memory;
  }
  EXPECT_TRUE(sorted_by(1, {}).empty());
}

// What malloc(3) has mapped for single large pieces.
std::size_t mapped() { return mallinfo2().hblkhd; }

// Seen: it kept all of it while the sheet was written, 117 MB.
TEST(SpillSorter, LetsGoOfItsMemoryOnceAllIsInItsFile) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's malloc does not say what it has";
#endif
  constexpr std::size_t kMemory = 32 << 20;
  const std::size_t before = mapped();
  SpillSorter sorter(kMemory);
  const std::string record(1 << 20, 'x');
  for (std::size_t i = 0; i < 2 * kMemory / record.size(); ++i)
    ASSERT_TRUE(sorter.add({0, i}, record));
  EXPECT_GE(mapped() - before, kMemory) << "or this shows nothing";
  ASSERT_TRUE(sorter.finish());
  EXPECT_LT(mapped() - before, kMemory / 2);
}

TEST(SeenEntities, FindTheSameInAnyMemory) {
  std::mt19937_64 random(8);
  SeenEntities roomy;
  SeenEntities narrow(100);
  for (int row = 1; row <= 5000; ++row) {
    const std::string key = "k" + std::to_string(random() % 2000);
    const std::string content = random() % 100 == 0 ? "other" : "same";
    ASSERT_TRUE(roomy.add(key, content, row));
    ASSERT_TRUE(narrow.add(key, content, row));
  }
  const Result<SeenEntities::Found> expected = roomy.find();
  const Result<SeenEntities::Found> found = narrow.find();
  ASSERT_TRUE(expected && found);
  EXPECT_GT(found->again, 3000);
  EXPECT_EQ(found->again, expected->again);
  ASSERT_EQ(found->suspicions.size(), expected->suspicions.size());
  EXPECT_GT(found->suspicions.size(), 20U);
  for (std::size_t i = 0; i < found->suspicions.size(); ++i) {
    EXPECT_EQ(found->suspicions[i].first_row, expected->suspicions[i].first_row);
    EXPECT_EQ(found->suspicions[i].later_row, expected->suspicions[i].later_row);
  }
}

// A row as the second pass prepares it, and one with all its parents filled in.
struct TwoForms {
  PreparedRow prepared;
  PreparedRow whole;
};

PreparedEntity entity_of(const std::string& key) {
  return {false, key, "{" + key + "}", sha256(key)};
}

std::vector<TwoForms> rows_in_any_order(unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<TwoForms> rows(400);
  const PreparedRow* before = nullptr;
  std::int64_t number = 0;
  for (TwoForms& row : rows) {
    PreparedRow& whole = row.whole;
    whole.number = ++number + static_cast<std::int64_t>(random() % 2);  // some are left out
    number = whole.number;
    whole.line = number * 2;
    whole.deepest = random() % 10 == 0 ? static_cast<JobKind>(random() % 2) : JobKind::ad;
    if (random() % 3 == 0) whole.differences = "{\"0\":\"" + std::to_string(number) + "\"}";
    std::string key;
    for (const KindNames& names : kKinds) {
      if (names.kind > whole.deepest) break;
      key += "/" + std::to_string(random() % (names.kind == JobKind::ad ? 1000 : 6));
      whole[names.kind] = entity_of(key);
    }
    row.prepared = whole;
    bool same = before != nullptr;
    for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
      if (kind > whole.deepest) break;
      same = same && kind <= before->deepest && (*before)[kind].key == whole[kind].key;
      if (same) row.prepared[kind] = {true, "", "", {}};
    }
    before = &whole;
  }
  return rows;
}

// how many parents have a place
class SortedRows : public ::testing::TestWithParam<std::size_t> {};

TEST_P(SortedRows, AreAllThereEachWithItsParents) {
  const std::vector<TwoForms> rows = rows_in_any_order(static_cast<unsigned>(GetParam()));
  RowSorter sorter(5'000, GetParam());
  PreparedChunk chunk;
  chunk.clear();
  std::map<std::int64_t, const PreparedRow*> left;
  for (const TwoForms& row : rows) {
    chunk.next_row() = row.prepared;
    chunk.add();
    left[row.whole.number] = &row.whole;
  }
  ASSERT_TRUE(sorter.add(chunk));
  ASSERT_TRUE(sorter.finish());

  std::array<PreparedEntity, 2> parents;
  std::vector<std::string> campaigns;  // in the order in which they come, without those that go on
  std::vector<std::string> groups;
  Result<bool> more = true;
  while (more && *more) {
    more = sorter.fill(chunk);
    ASSERT_TRUE(more);
    for (std::size_t i = 0; i < chunk.count; ++i) {
      const PreparedRow& row = chunk.rows[i];
      ASSERT_TRUE(left.contains(row.number));
      const PreparedRow& whole = *left[row.number];
      left.erase(row.number);
      EXPECT_EQ(row.line, whole.line);
      EXPECT_EQ(row.differences, whole.differences);
      ASSERT_EQ(row.deepest, whole.deepest);
      for (const KindNames& names : kKinds) {
        if (names.kind > row.deepest) break;
        const auto level = static_cast<std::size_t>(names.kind);
        if (names.kind < JobKind::ad && !row[names.kind].repeated) {
          parents[level] = row[names.kind];
          (level == 0 ? campaigns : groups).push_back(row[names.kind].key);
        }
        const PreparedEntity& entity = names.kind < JobKind::ad ? parents[level] : row[names.kind];
        EXPECT_EQ(entity.key, whole[names.kind].key);
        EXPECT_EQ(entity.body, whole[names.kind].body);
        EXPECT_EQ(entity.digest, whole[names.kind].digest);
      }
    }
  }
  EXPECT_TRUE(left.empty());
  if (GetParam() < 1000) return;
  std::vector<std::string> expected;
  for (const TwoForms& row : rows) {
    const std::string& key = row.whole[JobKind::campaign].key;
    if (std::find(expected.begin(), expected.end(), key) == expected.end()) expected.push_back(key);
  }
  EXPECT_EQ(campaigns, expected) << "each once, in the order of the file";
  std::sort(groups.begin(), groups.end());
  EXPECT_EQ(std::adjacent_find(groups.begin(), groups.end()), groups.end()) << "each once";
}

INSTANTIATE_TEST_SUITE_P(Places, SortedRows, ::testing::Values(0, 1, 2, 3, 5, 8, 13, 30, 1000));

std::string shuffled_sheet(int campaigns, unsigned seed) {
  const std::string ordered = big_sheet(campaigns);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < ordered.size();) {
    const std::size_t end = ordered.find('\n', begin) + 1;
    lines.push_back(ordered.substr(begin, end - begin));
    begin = end;
  }
  std::shuffle(lines.begin() + 1, lines.end(), std::mt19937(seed));
  std::string sheet;
  for (const std::string& line : lines) sheet += line;
  return sheet;
}

TEST(ScatteredSheet, IsLoadedCampaignByCampaignAndGivenBackAsItWas) {
  Program program;
  const std::string sheet = shuffled_sheet(20, 3);
  program.write("in.csv", sheet);
  const Ran ran = program.run({"in.csv"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "in.csv: batch 1: 2120 new, 0 unchanged (2000 rows)\n");
  EXPECT_EQ(program.ask("SELECT max(span) < 500 FROM (SELECT max(id) - min(id) AS span FROM job "
                        "GROUP BY root_id)"),
            "1")
      << "each campaign's jobs stand near to each other";
  const std::string first = sheet.substr(sheet.find('\n') + 1);
  EXPECT_EQ(program.ask("SELECT key FROM job WHERE id = 1"), first.substr(0, first.find(',')));
  EXPECT_EQ(program.ask("SELECT count(*) FROM batch_row WHERE line = row + 1"), "2000");

  const std::string results = program.run({"results"}).out;
  std::string users;
  for (std::size_t begin = 0; begin < results.size();) {
    const std::size_t end = results.find('\n', begin);
    std::string line = results.substr(begin, end - begin);
    for (int i = 0; i < 6; ++i) line.erase(line.rfind(','));
    users += line + "\n";
    begin = end + 1;
  }
  EXPECT_EQ(users, sheet);
  EXPECT_EQ(program.run({"in.csv"}).out, "in.csv: batch 2: 0 new, 2120 unchanged (2000 rows)\n");
}

TEST(ScatteredSheet, LeavesOutWhatItIsTold) {
  Program program;
  std::string sheet = shuffled_sheet(4, 5);
  const std::size_t third = sheet.find('\n', sheet.find('\n', sheet.find('\n') + 1) + 1) + 1;
  const std::size_t scheme = sheet.find("https://", third);
  sheet.replace(scheme, 8, "gopher://");
  program.write("in.csv", sheet);
  EXPECT_EQ(program.run({"in.csv"}).exit_code, 65);
  const Ran ran = program.run({"--on-error", "skip-row", "in.csv"});
  EXPECT_NE(ran.out.find("(400 rows, 1 left out)"), std::string::npos) << ran.out << ran.err;
  EXPECT_EQ(
      program.ask(
          "SELECT count(*) || ' ' || min(row) || ' ' || max(row) FROM batch_row WHERE row <> 3"),
      "399 1 400");
  EXPECT_EQ(program.ask("SELECT count(*) FROM batch_row WHERE row = 3"), "0");
}

}  // namespace
}  // namespace dl
