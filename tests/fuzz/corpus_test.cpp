// The kept corpus guards every build: each of its files goes through the entry point that found it
// worth keeping, here without libFuzzer. A failure aborts; the last file named is the culprit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/sql_grammar.h"
#include "tests/fuzz/target.h"
#include "tests/support/tree.h"

namespace dl::fuzz {

// For the name of a test: beside Target, where gtest looks.
void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> corpus_of(std::string_view target) {
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::directory_iterator(fs::path(in_tree("tests/fuzz/corpus")) / target)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

class Corpus : public ::testing::TestWithParam<Target> {};

TEST_P(Corpus, IsHandled) {
  const std::vector<fs::path> files = corpus_of(GetParam().name);
  ASSERT_FALSE(files.empty());
  GetParam().run("");
  for (const fs::path& file : files) {
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);
    std::ifstream bytes(file, std::ios::binary);
    const std::string input((std::istreambuf_iterator<char>(bytes)), {});
    GetParam().run(input);
  }
}

// A thousand statements that no corpus has kept.
TEST(SqlGuards, HoldAgainstGeneratedScripts) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SqlGrammar grammar(operator_database().tables(), seed);
    std::string script;
    for (int i = 0; i < 5; ++i) script += grammar.statement();
    std::printf("seed %d\n", static_cast<int>(seed));
    sql_guards(script);
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Corpus, ::testing::ValuesIn(kTargets),
                         [](const auto& target) { return std::string(target.param.name); });

}  // namespace
}  // namespace dl::fuzz
