// A sheet that is loaded while its survey still goes on: the tables are those of the two passes one
// after the other, and where the survey ends otherwise than hoped nothing is left.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <random>

#include "ingest/load.h"
#include "program.h"
#include "storage/batch_writer.h"

namespace dl {
namespace {

const ProgressSink kNoProgress = [](std::int64_t) {};
const SurveySink kNoNews = [](const SurveySoFar&) {};

// A survey that ends when its result is asked for, that is after all rows are written.
class LateSurvey final : public OngoingSurvey {
 public:
  explicit LateSurvey(std::function<Result<Survey>()> end) : end_(std::move(end)) {}
  bool has_doubts() const override { return false; }
  const Result<Survey>& found() override {
    if (!found_) found_.emplace(end_());
    return *found_;
  }

 private:
  std::function<Result<Survey>()> end_;
  std::optional<Result<Survey>> found_;
};

// A sheet in a database of its own.
class Desk {
 public:
  explicit Desk(std::string_view sheet) { take(sheet); }

  void take(std::string_view sheet) {
    program.write("in.csv", sheet);
    file_.emplace(InputFile::open(program.path("in.csv").string()));
  }
  const InputFile& file() const { return **file_; }
  Database& database() {
    if (database_ == nullptr) {
      auto opened = Database::open(program.path("jobs.db").string(), OpenMode::create);
      EXPECT_TRUE(opened);
      database_ = std::move(*opened);
    }
    return *database_;
  }

  Result<Survey> look() const {
    return survey(file(), InputFormat::csv, OnError::skip_row, kNoNews);
  }
  Result<std::optional<Loaded>> load_before(const std::function<Result<Survey>()>& end) {
    LateSurvey late(end);
    return load_ahead(file(), InputFormat::csv, late, database(), how_, kNoProgress);
  }
  Result<std::optional<Loaded>> load_before_survey() {
    return load_before([this] { return look(); });
  }
  Result<Loaded> load_in_two_passes() {
    Result<Survey> found = look();
    EXPECT_TRUE(found && found->loadable);
    return load(file(), *found, database(), how_, kNoProgress);
  }
  bool is_empty() const {
    return program.ask(
               "SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM job) + (SELECT "
               "count(*) FROM job_edge)"
               " + (SELECT count(*) FROM job_payload) + (SELECT count(*) FROM batch_row)"
               " + (SELECT count(*) FROM job_count)") == "0";
  }

  Program program;

 private:
  LoadOptions how_{OnError::skip_row, std::nullopt, 0, "me", std::nullopt};
  std::optional<Result<InputFile>> file_;
  std::unique_ptr<Database> database_;
};

// All that loading writes, but for times.
std::vector<std::string> tables(Desk& desk) {
  std::vector<std::string> rows;
  for (const char* table :
       {"job", "job_edge", "job_payload", "job_count", "job_history", "batch", "batch_row"}) {
    SQLite::Statement all(desk.database().handle(),
                          std::string("SELECT * FROM ") + table + " ORDER BY 1, 2");
    while (all.executeStep()) {
      std::string row = table;
      for (int i = 0; i < all.getColumnCount(); ++i) {
        const std::string name = all.getColumnName(i);
        // source: the folder of each
        if (name == "at" || name.ends_with("_at") || name == "source") continue;
        row += '|' + name + '=' + all.getColumn(i).getString();
      }
      rows.push_back(row);
    }
  }
  return rows;
}

// Where the tables of two desks differ first; empty: nowhere.
std::string first_difference(Desk& a, Desk& b) {
  std::vector<std::string> of_a = tables(a);
  std::vector<std::string> of_b = tables(b);
  const std::size_t rows = std::max(of_a.size(), of_b.size());
  of_a.resize(rows);
  of_b.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    if (of_a[i] != of_b[i]) return of_a[i] + "\n" + of_b[i];
  }
  return "";
}

// What a sheet is made of. Numbers are chances in 1000, a row.
struct Recipe {
  unsigned next_group = 30;
  unsigned next_campaign = 8;
  unsigned comes_back = 0;  // to a campaign before
  unsigned repeated_ad = 20;
  unsigned other_form = 10;  // 2.50 for 2.5
  unsigned bad = 0;
  std::string budget = "15000";
};

std::string random_sheet(unsigned seed, int rows, const Recipe& recipe) {
  std::mt19937 random(seed);
  const auto by_chance = [&](unsigned chance) { return random() % 1000 < chance; };
  std::string text = sample_lines()[0] + "\n";
  int campaign = 0;
  int last_campaign = 0;
  int group = 0;
  int ad = 0;
  for (int i = 0; i < rows; ++i) {
    if (by_chance(recipe.next_campaign)) campaign = ++last_campaign, group = 0;
    if (by_chance(recipe.next_group)) ++group;
    if (by_chance(recipe.comes_back))
      campaign = static_cast<int>(random() % static_cast<unsigned>(last_campaign + 1));
    if (!by_chance(recipe.repeated_ad)) ++ad;
    text += "c" + std::to_string(campaign) + ",N," + recipe.budget +
            ",2025-07-01,2025-08-15,engagement,g" + std::to_string(group) + ",G," +
            (by_chance(recipe.bad)          ? "much"
             : by_chance(recipe.other_form) ? "2.50"
                                            : "2.5") +
            ",18-24,fashion,UK,a" + std::to_string(ad) +
            ",banner,https://cdn.example.com/a.jpg,https://shop.example.com/a,pending\n";
  }
  return text;
}

class AnySheet : public ::testing::TestWithParam<unsigned> {};

TEST_P(AnySheet, LeavesTheSameTablesAsInTwoPasses) {
  std::mt19937 random(GetParam());
  Recipe recipe;
  recipe.comes_back = GetParam() % 3 == 1 ? 5 : 0;
  recipe.bad = GetParam() % 4 == 3 ? 1 : 0;
  const int rows = 1 + static_cast<int>(random() % 3500);
  const std::string first = random_sheet(GetParam(), rows / 2, recipe);
  recipe.budget = "16000";  // so that campaigns change
  const std::string second = random_sheet(GetParam(), rows, recipe);
  Desk ahead(first);
  Desk in_two_passes(first);
  for (const std::string& sheet : {first, second}) {
    ahead.take(sheet);
    in_two_passes.take(sheet);
    Result<std::optional<Loaded>> loaded = ahead.load_before_survey();
    ASSERT_TRUE(loaded) << loaded.error().message;
    const bool is_in_order = ahead.look()->is_in_order();
    EXPECT_EQ(loaded->has_value(), is_in_order);
    EXPECT_TRUE(is_in_order || recipe.bad > 0 || recipe.comes_back > 0);
    if (!*loaded) *loaded = *ahead.load_in_two_passes();
    const Result<Loaded> expected = in_two_passes.load_in_two_passes();
    ASSERT_TRUE(expected);
    EXPECT_EQ((*loaded)->batch.value, expected->batch.value);
    EXPECT_EQ((*loaded)->left_out, expected->left_out);
    EXPECT_EQ((*loaded)->counts.changed, expected->counts.changed);
    EXPECT_EQ((*loaded)->conflicts.size(), expected->conflicts.size());
    ASSERT_EQ(first_difference(ahead, in_two_passes), "");
    EXPECT_EQ(ahead.program.ask("PRAGMA integrity_check"), "ok")
        << "CHECKs are not run while rows are written";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnySheet, ::testing::Range(0U, 12U));

TEST(LoadAhead, IsTakenBackWhenTheLastRowIsBad) {
  std::string sheet = random_sheet(1, 5000, {});
  sheet += row_with(1, "bid", "much") + "\n";
  Desk desk(sheet);
  const Result<std::optional<Loaded>> loaded = desk.load_before_survey();
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_FALSE(loaded->has_value());
  EXPECT_TRUE(desk.is_empty());
}

// 15.000 is found out at the end alone: no budget has shown a decimal point, or the last row shows
// a comma.
TEST(LoadAhead, IsTakenBackWhenPointsTurnOutToBeDoubtful) {
  Recipe recipe;
  recipe.budget = "15.000";
  const std::string alone = random_sheet(7, 3000, recipe);
  const std::string proved = alone + row_with(1, "campaign_budget", "0.500") + "\n";
  for (const std::string& sheet :
       {alone, proved + row_with(2, "campaign_budget", "1.500.000") + "\n"}) {
    Desk desk(sheet);
    const Result<std::optional<Loaded>> loaded = desk.load_before_survey();
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_FALSE(loaded->has_value());
    EXPECT_TRUE(desk.is_empty());
  }
  const Result<std::optional<Loaded>> loaded = Desk(proved).load_before_survey();
  EXPECT_TRUE(loaded && loaded->has_value());
}

TEST(LoadAhead, IsTakenBackWhenTheLastRowContradictsTheFirst) {
  std::string sheet = random_sheet(2, 5000, {});
  sheet +=
      "c0,Other,15000,2025-07-01,2025-08-15,engagement,g0,G,2.5,18-24,fashion,UK,z,banner,https://"
      "cdn.example.com/a,"
      "https://shop.example.com/a,pending\n";
  Desk desk(sheet);
  int written = 0;
  const Result<std::optional<Loaded>> loaded = desk.load_before([&] {
    written = std::stoi(desk.program.ask("SELECT count(*) FROM job_payload"));
    return desk.look();
  });
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_FALSE(loaded->has_value());
  EXPECT_GT(written, 4000);
  EXPECT_TRUE(desk.is_empty());
}

TEST(LoadAhead, IsTakenBackWhenTheRowsAreScatteredInTheEnd) {
  std::string sheet = random_sheet(3, 4000, {});
  Recipe scattered;
  scattered.comes_back = 600;
  sheet += random_sheet(3, 4000, scattered).substr(sample_lines()[0].size() + 1);
  Desk desk(sheet);
  const Result<std::optional<Loaded>> loaded = desk.load_before_survey();
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_FALSE(loaded->has_value());
  EXPECT_TRUE(desk.is_empty());
  Desk expected(sheet);
  ASSERT_TRUE(desk.load_in_two_passes() && expected.load_in_two_passes());
  EXPECT_EQ(first_difference(desk, expected), "");
}

TEST(LoadAhead, OfAFileThatChangesMeanwhileIsRefused) {
  Desk desk(random_sheet(4, 3000, {}));
  const Result<std::optional<Loaded>> loaded = desk.load_before([&] {
    desk.program.write("in.csv", random_sheet(5, 3000, {}));
    return desk.look();
  });
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::busy);
  EXPECT_TRUE(desk.is_empty());
}

TEST(LoadAhead, KilledBeforeTheSurveyHasEndedLeavesAnOrphanThatTheNextLoadRemoves) {
  Desk desk(random_sheet(6, 3000, {}));
  const pid_t child = ::fork();
  if (child == 0) {
    static_cast<void>(desk.load_before([]() -> Result<Survey> {
      ::kill(::getpid(), SIGKILL);
      return Survey{};
    }));
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(desk.program.ask("SELECT state FROM batch"), "loading");
  EXPECT_EQ(desk.program.ask("SELECT count(*) > 2500 AND max(state) = 'blocked' FROM job"), "1");

  const Ran ran = desk.program.run({"in.csv"});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.err, "removed what an interrupted dl-ingest had left\n");
  Desk expected(random_sheet(6, 3000, {}));
  ASSERT_TRUE(expected.load_in_two_passes());
  EXPECT_EQ(desk.program.ask("SELECT count(*) || ' ' || max(id) FROM job"),
            expected.program.ask("SELECT count(*) || ' ' || max(id) FROM job"));
  EXPECT_EQ(desk.program.ask("PRAGMA integrity_check"), "ok");
}

// The program itself, with a sheet so long that it is loaded while it is surveyed.
TEST(LoadAhead, OfALongSheetTellsAllThatIsWrongAndLoadsNothing) {
  Program program;
  std::string sheet = big_sheet(200);
  sheet += row_with(1, "bid", "much") + "\n" + row_with(2, "end_date", "soon") + "\n";
  program.write("in.csv", sheet);
  const std::string told = program.run({"check", "in.csv"}).err;
  EXPECT_NE(told.find("in.csv:20002: bid: bad_number"), std::string::npos) << told;
  EXPECT_NE(told.find("in.csv:20003: end_date: "), std::string::npos) << told;
  const Ran ran = program.run({"in.csv"});
  EXPECT_EQ(ran.exit_code, 65);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, told + "in.csv: 2 errors, nothing was loaded\n");
  if (program.has_database()) {
    EXPECT_EQ(program.ask("SELECT (SELECT count(*) FROM batch) + (SELECT count(*) FROM job)"), "0");
  }

  const Ran rest = program.run({"--on-error", "skip-row", "--rejects", "rejects.csv", "in.csv"});
  EXPECT_EQ(rest.exit_code, 1);
  EXPECT_EQ(rest.out, "in.csv: batch 1: 21200 new, 0 unchanged (20002 rows, 2 left out)\n");
  EXPECT_EQ(rest.err, told);
  const std::string rejects = program.read("rejects.csv");
  EXPECT_EQ(std::count(rejects.begin(), rejects.end(), '\n'), 3);
  EXPECT_EQ(program.run({"in.csv"}).exit_code, 65);
  program.write("in.csv", big_sheet(200));
  EXPECT_EQ(program.run({"in.csv"}).out, "in.csv: batch 2: 0 new, 21200 unchanged (20000 rows)\n");
}

TEST(SurveyThread, SaysWhetherAllIsWellAfterSoManyRows) {
  const auto is_well_after = [](const std::string& sheet, std::int64_t rows) {
    Desk desk(sheet);
    SurveyThread surveying(desk.file(), InputFormat::csv, OnError::reject_file, kNoProgress);
    const bool is_well = surveying.is_well_after(rows);
    EXPECT_TRUE(surveying.take());
    return is_well;
  };
  Recipe scattered;
  scattered.comes_back = 300;
  EXPECT_FALSE(is_well_after(random_sheet(7, 3000, {}), 5000)) << "it has ended before";
  EXPECT_FALSE(is_well_after(random_sheet(7, 9000, scattered), 5000));
  EXPECT_FALSE(is_well_after(
      sheet_of({row_with(1, "bid", "much")}) + big_sheet(60).substr(sheet_of({}).size()), 5000));
}

TEST(SurveyThread, HasDoubtsAtTheEndAtTheLatest) {
  for (const std::string& sheet :
       {random_sheet(8, 10, {}) + row_with(1, "bid", "much") + "\n", sheet_of({}),
        sheet_of({row_with(1, "campaign_name", "x"), row_with(1, "ad_id", "other")})}) {
    Desk desk(sheet);
    SurveyThread surveying(desk.file(), InputFormat::csv, OnError::reject_file, kNoProgress);
    const Result<Survey>& found = surveying.found();
    ASSERT_TRUE(found);
    EXPECT_FALSE(found->problems.empty()) << sheet;
    EXPECT_TRUE(surveying.has_doubts()) << sheet;
  }
}

}  // namespace
}  // namespace dl
