// The tree keeps its own rules, and each rule bites.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/support/tree.h"
#include "tests/tidy/rules.h"

namespace dl::tidy {
namespace {

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> files = read_tree(in_tree(""));
  return files;
}

std::string listed(const Complaints& complaints) {
  std::string text = std::to_string(complaints.size()) + " complaints:\n";
  for (const std::string& complaint : complaints) text += complaint + "\n";
  return text;
}

#define EXPECT_NONE(complaints) EXPECT_TRUE((complaints).empty()) << listed(complaints)

using Rule = Complaints (*)(const std::vector<SourceFile>&);

bool bites(Rule rule, const std::string& path, const std::string& text) {
  return !rule({{path, text}}).empty();
}

TEST(Tree, IsReadWhole) {
  EXPECT_GT(tree().size(), 150U);
  for (const std::string path : {"daemon/core/limiter.h", "storage/sql/lease_job.sql", "dev",
                                 "tests/tidy/tidy_test.cpp", "migrations/0001_tables.sql"}) {
    EXPECT_TRUE(std::any_of(tree().begin(), tree().end(), [&](const SourceFile& file) {
      return file.path == path && !file.text.empty();
    })) << path;
  }
}

TEST(Includes, PointInwardsOnly) { EXPECT_NONE(include_directions(tree())); }

TEST(Includes, AreSeenWhereTheyPointOutwards) {
  const auto includes = [](const std::string& path, const std::string& header) {
    return bites(include_directions, path, "// x\n  #  include \"" + header + "\"\n");
  };
  EXPECT_TRUE(includes("storage/model/job.h", "storage/database.h"));
  EXPECT_TRUE(includes("storage/store.cpp", "daemon/core/dsp.h"));
  EXPECT_TRUE(includes("storage/store.cpp", "ingest/row.h"));
  EXPECT_TRUE(includes("daemon/core/limiter.cpp", "storage/store.h"));
  EXPECT_TRUE(includes("daemon/core/limiter.cpp", "daemon/clock.h"));
  EXPECT_TRUE(includes("daemon/daemon.cpp", "ingest/row.h"));
  EXPECT_TRUE(includes("ingest/main.cpp", "daemon/log.h"));
  EXPECT_TRUE(includes("daemon/main.cpp", "tests/unit/brain.h"));
  EXPECT_TRUE(includes("daemon/core/limiter.cpp", "limiter.h")) << "paths start at the root";
  EXPECT_FALSE(includes("daemon/core/limiter.cpp", "storage/model/job.h"));
  EXPECT_FALSE(includes("tests/unit/brain.h", "daemon/core/dispatcher.h"));
}

TEST(Libraries, HaveOneDoorEach) { EXPECT_NONE(library_doors(tree())); }

TEST(Libraries, AreSeenOutsideTheirDoors) {
  const auto includes = [](const std::string& path, const std::string& header) {
    return bites(library_doors, path, "#include <" + header + ">\n");
  };
  EXPECT_TRUE(includes("daemon/daemon.cpp", "boost/beast/core.hpp"));
  EXPECT_TRUE(includes("daemon/core/eta.cpp", "boost/asio.hpp"));
  EXPECT_TRUE(includes("daemon/dsp/reply.cpp", "rapidjson/reader.h"));
  EXPECT_TRUE(includes("daemon/store_thread.cpp", "SQLiteCpp/SQLiteCpp.h"));
  EXPECT_TRUE(includes("ingest/load.cpp", "sqlite3.h"));
  EXPECT_TRUE(includes("daemon/dsp/connection.cpp", "spdlog/spdlog.h"));
  EXPECT_TRUE(includes("daemon/config.cpp", "toml++/toml.h"));
  EXPECT_TRUE(includes("daemon/main.cpp", "CLI/CLI.hpp"));
  EXPECT_TRUE(includes("ingest/json_reader.cpp", "csv.h"));
  EXPECT_TRUE(includes("daemon/log.cpp", "fmt/format.h")) << "a library without a door";
  EXPECT_TRUE(includes("storage/store.cpp", "gtest/gtest.h"));
  EXPECT_FALSE(includes("daemon/dsp/answer_reader.cpp", "boost/beast/http/parser.hpp"));
  EXPECT_FALSE(includes("daemon/host.cpp", "sys/stat.h"));
}

TEST(Libraries, LetBeastIntoOneFile) {
  const SourceFile a{"daemon/dsp/a.cpp", "#include <boost/beast/http/parser.hpp>\n"};
  const SourceFile b{"daemon/dsp/b.cpp", "#include <boost/beast/http/parser.hpp>\n"};
  EXPECT_EQ(library_doors({a, b}).size(), 2U);
  EXPECT_NONE(library_doors({a, {"tests/wire/b.cpp", b.text}}));
  EXPECT_TRUE(bites(library_doors, "daemon/dsp/a.h", a.text)) << "not into a header";
}

TEST(Core, IsPure) { EXPECT_NONE(purity(tree())); }

TEST(Core, IsSeenWhereItIsNotPure) {
  for (const std::string header : {"random", "thread", "mutex", "cstdio", "fstream", "iostream",
                                   "unistd.h", "ctime", "filesystem", "boost/asio.hpp"}) {
    EXPECT_TRUE(bites(purity, "daemon/core/eta.cpp", "#include <" + header + ">\n")) << header;
    EXPECT_TRUE(bites(purity, "storage/model/job.h", "#include <" + header + ">\n")) << header;
    EXPECT_FALSE(bites(purity, "daemon/host.cpp", "#include <" + header + ">\n")) << header;
  }
  EXPECT_TRUE(bites(purity, "daemon/core/eta.cpp", "auto t = std::chrono::steady_clock::now();\n"));
  EXPECT_FALSE(bites(purity, "daemon/core/eta.cpp", "int x;  // not a steady_clock\n"));
  EXPECT_FALSE(bites(purity, "storage/model/check.h", "#include <cstdio>\n"));
}

TEST(Files, AreNotLongerThanTheyMay) {
  EXPECT_NONE(file_lengths(tree()));
  for (const std::string& file : long_files(tree())) std::printf("long: %s\n", file.c_str());
}

TEST(Files, AreSeenWhereTheyAreTooLong) {
  std::string lines;
  for (int i = 0; i < 400; ++i) lines += "x\n";
  EXPECT_FALSE(bites(file_lengths, "daemon/a.cpp", lines));
  EXPECT_TRUE(bites(file_lengths, "daemon/a.cpp", lines + "x"));
  EXPECT_FALSE(bites(file_lengths, "migrations/a.sql", lines + "x"));
  EXPECT_TRUE(bites(long_files, "daemon/a.h", lines));
}

TEST(Tests, DoNotSleepAndHope) { EXPECT_NONE(sleeping_tests(tree())); }

TEST(Tests, AreSeenSleeping) {
  const std::string sleep = "std::this_thread::sleep_for(1s);";
  EXPECT_TRUE(bites(sleeping_tests, "tests/e2e/a.cpp", sleep));
  EXPECT_TRUE(bites(sleeping_tests, "tests/e2e/a.cpp", "  ::usleep(10);"));
  EXPECT_FALSE(bites(sleeping_tests, "tests/e2e/a.cpp", "// waits: for the port\n" + sleep));
  EXPECT_FALSE(bites(sleeping_tests, "tests/e2e/a.cpp", sleep + "  // waits: for the port"));
  EXPECT_FALSE(bites(sleeping_tests, "daemon/a.cpp", sleep));
}

TEST(Notes, AreNotLeftBehind) { EXPECT_NONE(notes_to_self(tree())); }

TEST(Notes, AreSeen) {
  EXPECT_TRUE(bites(notes_to_self, "daemon/a.cpp", "x\n// TODO: later\n"));
  EXPECT_TRUE(bites(notes_to_self, "dev", "# FIXME"));
  EXPECT_FALSE(bites(notes_to_self, "daemon/a.cpp", "mkdtemp(\"/tmp/a-XXXXXX\")"));
}

TEST(Sql, KeepsItsManners) { EXPECT_NONE(sql_manners(tree())); }

TEST(Sql, IsSeenWithoutManners) {
  const auto sql_bites = [](const std::string& text) {
    return bites(sql_manners, "storage/sql/a.sql", text);
  };
  EXPECT_TRUE(sql_bites("SELECT  *\nFROM job"));
  EXPECT_TRUE(sql_bites("select j.* from job j"));
  EXPECT_TRUE(sql_bites("UPDATE job SET at = datetime('now')"));
  EXPECT_TRUE(sql_bites("UPDATE job SET at = CURRENT_TIMESTAMP"));
  EXPECT_TRUE(sql_bites("SELECT id FROM job WHERE id = ?1"));
  EXPECT_FALSE(sql_bites("-- SELECT * of what is there now?\nSELECT count(*) FROM job"));
}

}  // namespace
}  // namespace dl::tidy
