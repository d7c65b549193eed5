#include "daemon/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

namespace dl {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

TEST(Version, NamesTheProgramAndEveryLibrary) {
  const std::string text = version_text();
  EXPECT_EQ(text.rfind("dl-daemon " + std::string(program_version()) + "\n", 0), 0U);
  EXPECT_THAT(text, HasSubstr("SQLite     " + std::string(sqlite3_libversion()) + "\n"));
  for (const char* library : {"SQLiteCpp", "Boost", "OpenSSL", "spdlog", "RapidJSON", "systemd"}) {
    EXPECT_THAT(text, ContainsRegex("\n  " + std::string(library) + " +[0-9]+")) << library;
  }
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
