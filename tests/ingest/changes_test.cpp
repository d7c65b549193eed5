// What a sheet changes is told value by value, and two files of one command that contradict each
// other do not end with 0. Through the real program.
#include <gtest/gtest.h>

#include <algorithm>

#include "program.h"

namespace dl {
namespace {

std::string budget(const std::string& value) {
  return sheet_of({row_with(1, "campaign_budget", value)});
}

TEST(Changes, AreToldWithTheirLineColumnAndBothValues) {
  const Program program;
  program.run({"-"}, budget("10"));
  program.write("in", budget("99"));
  const Ran planned = program.run({"plan", "in"});
  EXPECT_EQ(planned.err,
            "in:2: campaign_budget: changed: is \"10\", and would be: \"99\" (warning)\n");
  EXPECT_EQ(planned.exit_code, 0);
  const Ran loaded = program.run({"in"});
  EXPECT_EQ(loaded.err,
            "in:2: campaign_budget: changed: was \"10\", and is now: \"99\" (warning)\n");
  EXPECT_EQ(loaded.exit_code, 0) << "a correction is no contradiction";
  EXPECT_EQ(program.run({"in"}).err, "") << "nothing changes any more";
}

TEST(Changes, AreToldUnderTheUsersNamesOfTheColumns) {
  const Program program;
  std::string sheet = budget("99");
  sheet.replace(sheet.find("campaign_budget"), 15, "Campaign Budget");
  program.run({"-"}, budget("10"));
  EXPECT_EQ(program.run({"-"}, sheet).err,
            "stdin:2: Campaign Budget: changed: was \"10\", and is now: \"99\" (warning)\n");
}

TEST(Changes, OfAFileThatThisCommandLoadedBeforeAreContradictions) {
  const Program program;
  program.write("s.csv", budget("10"));
  program.write("s2.csv", budget("99"));
  EXPECT_EQ(program.run({"plan", "s.csv", "s2.csv"}).exit_code, 1);
  const Ran loaded = program.run({"s.csv", "s2.csv"});
  EXPECT_EQ(loaded.exit_code, 1);
  EXPECT_EQ(loaded.err,
            "s2.csv:2: campaign_budget: changed: was \"10\" in line 2 of s.csv, which this command "
            "loaded before, and is now: "
            "\"99\" (warning)\n"
            "s2.csv: 1 of the changed stood with other values in a file that this command loaded "
            "before; the last one holds: "
            "load the right one again\n");
  EXPECT_EQ(program.run({"s.csv"}).exit_code, 0) << "a command of its own";
}

// What the first file finds there already, it says as well.
TEST(Changes, OfWhatTheFirstFileLeftUnchangedAreContradictionsToo) {
  const Program program;
  program.write("s.csv", budget("10"));
  program.write("s2.csv", sheet_of({row_with(2, "campaign_id", "another"),
                                    row_with(1, "campaign_budget", "99")}));
  program.run({"s.csv"});
  EXPECT_EQ(program.run({"plan", "s.csv", "s2.csv"}).exit_code, 1);
  const Ran loaded = program.run({"s.csv", "s2.csv"});
  EXPECT_EQ(loaded.exit_code, 1);
  EXPECT_NE(loaded.err.find("s2.csv:3: campaign_budget: changed: was \"10\" in line 2 of s.csv, "),
            std::string::npos)
      << loaded.err;
}

TEST(Changes, AreCountedWhereTheyAreTooManyToTell) {
  const Program program;
  const std::string before = big_sheet(11);
  std::string after = before;
  for (std::size_t at = 0; (at = after.find(",pending\n", at)) != std::string::npos;)
    after.replace(at, 9, ",active\n");
  program.run({"-"}, before);
  program.write("in", after);
  for (const char* verb : {"plan", "load"}) {
    const Ran ran = std::string(verb) == "plan" ? program.run({verb, "in"}) : program.run({"in"});
    EXPECT_EQ(std::ranges::count(ran.err, '\n'), 1'001) << verb;
    EXPECT_NE(ran.err.find("\nin: and 100 changes more\n"), std::string::npos) << verb;
    EXPECT_EQ(ran.exit_code, 0) << verb;
  }
}

}  // namespace
}  // namespace dl
