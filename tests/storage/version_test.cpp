#include "storage/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>

namespace dl {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

TEST(Version, NamesTheProgramEveryLibraryAndWhatIsDangerous) {
  const std::array<LibraryVersion, 1> its_own = {{{"mine", "1.2"}}};
  const std::string text = version_text("dl-x", its_own);
  EXPECT_EQ(text.rfind("dl-x " + std::string(program_version()) + "\n", 0), 0U);
  EXPECT_THAT(text, HasSubstr("SQLite     " + std::string(sqlite3_libversion()) + "\n"));
  for (const char* library : {"SQLiteCpp", "OpenSSL", "Boost", "toml\\+\\+", "mine"}) {
    EXPECT_THAT(text, ContainsRegex("\n  " + std::string(library) + " +[0-9]+")) << library;
  }
  EXPECT_EQ(text.find("\nwarning: SQLite ") != std::string::npos, sqlite_warning().has_value());
}

TEST(Version, WarnsOfAnSqliteThatCanLoseATransaction) {
  ASSERT_TRUE(sqlite_warning(3'040'001));
  EXPECT_THAT(*sqlite_warning(3'040'001), HasSubstr("SQLite 3.40.1 is older than 3.51.3"));
  EXPECT_TRUE(sqlite_warning(3'051'002));
  EXPECT_FALSE(sqlite_warning(3'051'003));
  EXPECT_FALSE(sqlite_warning(4'000'000));
  EXPECT_EQ(sqlite_warning(), sqlite_warning(sqlite3_libversion_number()));
}

}  // namespace
}  // namespace dl
