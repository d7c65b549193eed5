// What ships holds nothing that was made for tests.
#include <gmock/gmock.h>
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

// What makes a fault in memory a crash and not a way in. The linker drops such a flag without a
// word where one object is not made for it.
TEST(Product, IsHardened) {
  for (const std::string program : {"dl-daemon", "dl-ingest"}) {
    const Finish read = run(Launch{.program = "readelf",
                                   .arguments = {"-hldW", built_program(program)},
                                   .environment = {},
                                   .errors_to = ErrorsTo::file});
    ASSERT_EQ(read.exit_code, 0) << read.err;
    EXPECT_THAT(read.out, testing::ContainsRegex("FLAGS_1.*NOW.*PIE"))
        << program << ": as a PIE, bound at the start";
    EXPECT_THAT(read.out, testing::ContainsRegex("GNU_RELRO ")) << program;
    EXPECT_THAT(read.out, testing::ContainsRegex("GNU_STACK [ 0-9a-fx]* RW "))
        << program << ": nothing on the stack is run";
  }
}

}  // namespace
}  // namespace dl::e2e
