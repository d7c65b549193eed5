#include "storage/config_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/shell/scratch.h"

namespace dl {
namespace {

class ConfigFileTest : public testing::Test {
 protected:
  std::string refusal(std::string_view text) {
    const Result<ConfigFile> file = ConfigFile::load(scratch_.write("c.toml", text));
    if (file) return "no error";
    EXPECT_EQ(file.error().code, Errc::config);
    const std::string prefix = scratch_.path("c.toml") + ":";
    EXPECT_EQ(file.error().message.substr(0, prefix.size()), prefix);
    return file.error().message.substr(prefix.size());
  }
  const Scratch scratch_;
};

TEST_F(ConfigFileTest, KeepsEachValueAsTextWithItsLine) {
  const std::string path = scratch_.write(
      "c.toml", "# a comment\nworkers = 5\nrate_limit = \"10/1s\"\n\nstandby = true\n");
  const Result<ConfigFile> file = ConfigFile::load(path);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->path(), path);
  ASSERT_NE(file->find("workers"), nullptr);
  EXPECT_EQ(file->find("workers")->text, "5");
  EXPECT_EQ(file->find("workers")->origin, path + ":2");
  EXPECT_EQ(file->find("rate_limit")->text, "10/1s");
  EXPECT_EQ(file->find("rate_limit")->origin, path + ":3");
  EXPECT_EQ(file->find("standby")->text, "true");
  EXPECT_EQ(file->find("settle"), nullptr);
}

TEST_F(ConfigFileTest, NamesLineAndColumnOfAnUnknownKeyAndTheNearestKnownOne) {
  EXPECT_EQ(refusal("db = \"a.db\"\n  wrokers = 3\n"),
            "2:3: unknown key \"wrokers\"; did you mean workers?");
  EXPECT_EQ(refusal("colour = \"red\"\n"), "1:1: unknown key \"colour\"");
}

TEST_F(ConfigFileTest, ShowsAnUnknownKeyOnOneLine) {
  EXPECT_EQ(refusal("\"a\\n\\u001b[31m\" = 1\n"), "1:1: unknown key \"a??[31m\"");
  EXPECT_EQ(refusal(std::string(100'000, 'k').append(" = 1\n")),
            "1:1: unknown key \"" + std::string(80, 'k') + "...\"");
}

TEST_F(ConfigFileTest, RefusesKeysNestedWithoutEnd) {
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += ".a";
  EXPECT_EQ(refusal("db = \"a.db\"\n" + deep + " = 1\n"),
            "2: more than 1000 dots; no key here is nested");
  EXPECT_EQ(refusal("[" + deep + "]"), "1: more than 1000 dots; no key here is nested");
  EXPECT_EQ(refusal(deep.substr(0, 2001) + " = 1\n"), "1:1: unknown key \"a\"");
}

TEST_F(ConfigFileTest, RefusesTables) {
  EXPECT_EQ(refusal("[daemon]\nworkers = 3\n"), "1:2: unknown key \"daemon\"");
  EXPECT_EQ(refusal("workers.http = 3\n"),
            "1:1: workers must be a string, a whole number, true or false");
}

TEST_F(ConfigFileTest, RefusesValuesOfOtherTypes) {
  for (const std::string_view value : {"3.5", "[3]", "2025-07-01", "{ n = 3 }"}) {
    EXPECT_EQ(refusal("workers = " + std::string(value) + "\n"),
              "1:11: workers must be a string, a whole number, true or false")
        << value;
  }
}

TEST_F(ConfigFileTest, PointsAtWhatIsNotToml) {
  EXPECT_EQ(refusal("workers = 3\nsettle = 180s\n").substr(0, 2), "2:");
  EXPECT_EQ(refusal("workers = 3\nworkers = 4\n").substr(0, 2), "2:");
  EXPECT_EQ(refusal("db = \"\xFF\"\n").substr(0, 2), "1:");
}

TEST_F(ConfigFileTest, RefusesAFileTooLongToBeOne) {
  EXPECT_EQ(refusal(std::string((1 << 20) + 1, '\n')), " longer than 1 MiB");
}

TEST_F(ConfigFileTest, MustExistWhereItIsNamed) {
  for (const std::string& path : {scratch_.path("none.toml"), scratch_.path(".")}) {
    const Result<ConfigFile> file = ConfigFile::choose(path, {});
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().code, Errc::no_input);
    EXPECT_NE(file.error().message.find(path), std::string::npos);
    EXPECT_FALSE(ConfigFile::choose(std::nullopt, {{"DL_CONFIG", path}}));
  }
}

TEST_F(ConfigFileTest, IsChosenByFlagThenEnvironmentThenPlace) {
  const std::string by_flag = scratch_.write("flag.toml", "workers = 1\n");
  const std::string by_variable = scratch_.write("variable.toml", "workers = 2\n");
  const std::string by_place = scratch_.write("place.toml", "workers = 3\n");
  const Environment environment = {{"DL_CONFIG", by_variable}};
  EXPECT_EQ(ConfigFile::choose(by_flag, environment, by_place)->path(), by_flag);
  EXPECT_EQ(ConfigFile::choose(std::nullopt, environment, by_place)->path(), by_variable);
  EXPECT_EQ(ConfigFile::choose(std::nullopt, {}, by_place)->path(), by_place);
  EXPECT_EQ(ConfigFile::choose(std::nullopt, {}, scratch_.path("none.toml"))->path(), "");
  EXPECT_EQ(ConfigFile::choose(std::nullopt, {{"DL_CONFIG", ""}}, by_place)->path(), "");
}

TEST(ConfigKeys, AreSortedAndDistinct) {
  EXPECT_TRUE(std::is_sorted(kConfigKeys.begin(), kConfigKeys.end()));
  EXPECT_EQ(std::adjacent_find(kConfigKeys.begin(), kConfigKeys.end()), kConfigKeys.end());
}

TEST(Environment, TakesTheFirstOfTwoAndKeepsEqualsSigns) {
  const char* const raw[] = {"A=1", "A=2", "B=x=y", "C=", "nonsense", nullptr};
  EXPECT_EQ(read_environment(raw), (Environment{{"A", "1"}, {"B", "x=y"}, {"C", ""}}));
}

}  // namespace
}  // namespace dl
