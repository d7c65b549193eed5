// Printed documents are fresh. With DL_UPDATE_DOCS=1 in the environment they are written anew.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/tree.h"
#include "tests/tidy/print_docs.h"

namespace dl::tidy {
namespace {

void expect_fresh(const std::string& name, const std::string& text) {
  const std::string path = in_tree("docs/" + name);
  const char* const update = std::getenv("DL_UPDATE_DOCS");
  if (update != nullptr && std::string(update) == "1") {
    std::ofstream(path, std::ios::binary) << text;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string found{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(found == text) << path << " is stale: run tidy_tests with DL_UPDATE_DOCS=1";
}

TEST(Docs, StateMachineIsFresh) { expect_fresh("state_machine.md", state_machine_page()); }
TEST(Docs, OutcomesAreFresh) { expect_fresh("OUTCOMES.md", outcomes_page()); }

TEST(Docs, SayEverythingTheyPrint) {
  for (const std::string& page : {state_machine_page(), outcomes_page()}) {
    EXPECT_EQ(page.find("`?`"), std::string::npos);
    EXPECT_EQ(page.find("|  |"), std::string::npos) << "a cell is empty";
  }
}

}  // namespace
}  // namespace dl::tidy
