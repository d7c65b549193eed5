// What ships holds nothing that was made for tests.
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/tree.h"

namespace dl::e2e {
namespace {

TEST(Product, HoldsNoFaultPoints) {
  for (const std::string program : {"dl-daemon", "dl-ingest"}) {
    const std::string bytes = text_of(built_program(program));
    ASSERT_FALSE(bytes.empty()) << program;
    for (const std::string trace : {"DL_FAULT: ", "intent.before_commit", "dl-failing-files"}) {
      EXPECT_EQ(bytes.find(trace), std::string::npos) << program << " holds \"" << trace << "\"";
    }
  }
}

}  // namespace
}  // namespace dl::e2e
