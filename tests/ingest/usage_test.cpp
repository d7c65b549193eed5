// Files that are not there, verbs that are misspelt, flags that do not go together; through the
// real program.
#include <gtest/gtest.h>

#include "program.h"

namespace dl {
namespace {

TEST(BadInput, ThatIsNoFileEndsWith66) {
  Program program;
  std::filesystem::create_directory(program.path("folder"));
  Ran ran = program.run({"folder"});
  EXPECT_EQ(ran.exit_code, 66);
  EXPECT_EQ(ran.err, "dl-ingest: folder: is a directory; name the file in it\n");
  ran = program.run({"missing.csv"});
  EXPECT_EQ(ran.exit_code, 66);
  EXPECT_EQ(ran.err, "dl-ingest: missing.csv: No such file or directory\n");
  ran = program.run({"/dev/zero"});
  EXPECT_EQ(ran.exit_code, 66);
  EXPECT_EQ(ran.err, "dl-ingest: /dev/zero: is not a regular file\n");
  ran = program.run({"a\n\x1b[31mb"});
  EXPECT_EQ(ran.err, "dl-ingest: a\\x0a\\x1b[31mb: No such file or directory\n")
      << "one line, and no command to a terminal";
  EXPECT_FALSE(program.has_database());
}

// It is taken for a file; the sheet beside it must not be loaded.
TEST(BadInput, ThatIsAMisspeltVerbLoadsNothing) {
  const Program program;
  const std::string sheet = program.write("sheet.csv", sample());
  Ran ran = program.run({"chek", sheet});
  EXPECT_EQ(ran.exit_code, 66);
  EXPECT_EQ(ran.err,
            "dl-ingest: chek: No such file or directory; did you mean dl-ingest check? Nothing was "
            "loaded\n");
  ran = program.run({sheet, "plann"});
  EXPECT_EQ(ran.exit_code, 66);
  EXPECT_EQ(ran.err,
            "dl-ingest: plann: No such file or directory; did you mean dl-ingest plan? Nothing was "
            "loaded\n");
  EXPECT_FALSE(program.has_database());
}

// The sheets in front of it had been loaded by then.
TEST(BadInput, ThatIsNotThereLoadsNothingOfTheOtherFiles) {
  const Program program;
  const std::string sheet = program.write("sheet.csv", sample());
  std::filesystem::create_directory(program.path("folder"));
  const Ran ran = program.run({sheet, "gone.csv", "-", "folder", sheet}, sample());
  EXPECT_EQ(ran.exit_code, 66);
  EXPECT_EQ(ran.err,
            "dl-ingest: gone.csv: No such file or directory; nothing was loaded\n"
            "dl-ingest: folder: is a directory; name the file in it; nothing was loaded\n");
  EXPECT_EQ(ran.out, "");
  EXPECT_FALSE(program.has_database());
  EXPECT_EQ(program.run({sheet, "-"}, sample()).out,
            "sheet.csv: batch 1: 23 new, 0 unchanged (9 rows)\n"
            "stdin: batch 2: 0 new, 23 unchanged (9 rows)\n");
}

TEST(Usage, ThatIsWrongNamesProgramFlagAndValue) {
  const Program program;
  const std::string sheet = program.write("sheet.csv", sample());
  const std::string help = "; see dl-ingest --help\n";
  const std::vector<std::pair<std::vector<std::string>, std::string>> all = {
      {{"--priority", "high", sheet}, "--priority: \"high\" must be a whole number"},
      {{"--priority", "9999999999", sheet}, "--priority: \"9999999999\" is out of range"},
      {{"status", "last"}, "BATCH: \"last\" must be a whole number"},
      {{"--nosuch", sheet}, "The following argument was not expected: --nosuch"},
      {{"archive"}, "--older-than is required"},
      {{sheet, "status"},
       "\"sheet.csv\": status takes no FILE; to load it, first say dl-ingest sheet.csv"},
      {{"17.csv", "results", "2"},
       "\"17.csv\": results takes no FILE; to load it, first say dl-ingest 17.csv"},
      {{"errors", "1", "2"},
       "\"2\": errors takes one BATCH behind it; ask for others with commands of their own"},
      {{"template", "3"}, "\"3\": template takes no FILE; to load it, first say dl-ingest 3"},
      {{"status", "--line", "{}"}, "status takes no --line; load it with a command of its own"},
      {{"check", sheet, "--on-error", "skip-row", "--rejects", "zz"},
       "--rejects goes with loading, not with check"},
      {{"plan", sheet, "--on-error", "skip-row", "--rejects", "zz"},
       "--rejects goes with loading, not with plan"},
      {{"results", "--priority", "5", "--rejects", "zz"},
       "--rejects goes with loading, not with results"},
      {{"errors", "--priority", "0"}, "--priority goes with loading, not with errors"},
      {{"check", "--priority", "5", sheet}, "--priority goes with loading, not with check"},
      {{"status", "--on-error", "skip-row"},
       "--on-error goes with a FILE to be read, not with status"},
      {{"--format", "json", "archive", "--older-than", "1d"},
       "--format goes with a sheet to be read or written, not with archive"},
  };
  for (const auto& [arguments, words] : all) {
    const Ran ran = program.run(arguments);
    EXPECT_EQ(ran.exit_code, 64) << words;
    EXPECT_EQ(ran.err, "dl-ingest: " + words + help);
  }
  EXPECT_FALSE(program.has_database());
}

// The one before the verb was passed over.
TEST(Usage, TakesFilesOnBothSidesOfAVerb) {
  const Program program;
  const std::string sheet = program.write("sheet.csv", sample());
  const Ran ran = program.run({"missing.csv", "check", sheet});
  EXPECT_EQ(ran.exit_code, 66);
  EXPECT_NE(ran.err.find("missing.csv: No such file"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.out, "sheet.csv: 9 rows, 0 errors\n");
}

}  // namespace
}  // namespace dl
