// Opening a database: the rules every connection keeps, and the files that are refused.
#include "storage/database.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>
#include <string_view>

#include "tests/storage/sql_fixture.h"

namespace dl {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Folder : public ::testing::Test {
 protected:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "dl-db-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~Folder() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string file(const char* name = "jobs.db") const { return (folder_ / name).string(); }
  void write(const std::string& bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }
  // Opens and expects a refusal; the bytes of the file stay as they were.
  Error refused(OpenMode mode = OpenMode::create) const {
    const std::string before = text_of(file());
    auto opened = Database::open(file(), mode);
    EXPECT_FALSE(opened) << "was opened";
    EXPECT_EQ(before, text_of(file())) << "a refused file is not touched";
    return opened ? Error{Errc::software, ""} : opened.error();
  }
  std::filesystem::path folder_;
};

std::unique_ptr<Database> opened(const std::string& path, OpenMode mode = OpenMode::create) {
  auto database = Database::open(path, mode);
  if (!database) {
    ADD_FAILURE() << database.error().message;
    std::abort();
  }
  return std::move(*database);
}

int pragma(Database& database, const std::string& name) {
  return database.handle().execAndGet("PRAGMA " + name).getInt();
}

using DatabaseOpen = Folder;

TEST_F(DatabaseOpen, KeepsTheProjectsRulesOnEveryConnection) {
  for (const OpenMode mode : {OpenMode::create, OpenMode::existing}) {
    const auto database = opened(file(), mode);
    EXPECT_EQ(database->handle().execAndGet("PRAGMA journal_mode").getString(), "wal");
    EXPECT_EQ(pragma(*database, "synchronous"), 2)
        << "FULL: under NORMAL a power cut makes duplicates";
    EXPECT_EQ(pragma(*database, "wal_autocheckpoint"), 0);
    EXPECT_EQ(pragma(*database, "foreign_keys"), 1);
    EXPECT_EQ(pragma(*database, "trusted_schema"), 0);
    EXPECT_EQ(pragma(*database, "mmap_size"), 0);
    EXPECT_EQ(pragma(*database, "cell_size_check"), 1);
    EXPECT_THROW(database->handle().exec("ATTACH ':memory:' AS other"), SQLite::Exception);
    EXPECT_THROW(database->handle().exec("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema"),
                 SQLite::Exception);
  }
}

TEST_F(DatabaseOpen, RefusesAnSqliteThatDoesNotTakeARule) {
  const auto deaf = [](sqlite3* db, char**, const sqlite3_api_routines*) {
    const auto ignores = [](void*, int action, const char* pragma, const char* value, const char*,
                            const char*) {
      const bool is_set = action == SQLITE_PRAGMA && value != nullptr;
      return is_set && std::string_view(pragma) == "foreign_keys" ? SQLITE_IGNORE : SQLITE_OK;
    };
    return sqlite3_set_authorizer(db, ignores, nullptr);
  };
  int (*const at_open)(sqlite3*, char**, const sqlite3_api_routines*) = deaf;
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(at_open));
  const auto database = Database::open(file(), OpenMode::create);
  sqlite3_reset_auto_extension();
  ASSERT_FALSE(database) << "it would not have been noticed";
  EXPECT_EQ(database.error().code, Errc::config);
  EXPECT_THAT(database.error().message, HasSubstr("foreign_keys = 1 was not accepted (it is 0)"));
}

TEST_F(DatabaseOpen, GivesEachDatabaseAnIdOfItsOwnThatStays) {
  const std::string id = opened(file())->database_id();
  EXPECT_THAT(id, ::testing::MatchesRegex(
                      "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
  EXPECT_EQ(id, opened(file(), OpenMode::existing)->database_id());
  EXPECT_EQ(id, opened(file(), OpenMode::read_only)->database_id());
  EXPECT_NE(id, opened(file("other.db"))->database_id());
}

TEST_F(DatabaseOpen, MakesFilesForTheGroupAndForNobodyElse) {
  const mode_t before = umask(0);
  {
    const auto database = opened(file());
    const auto mode_of = [](const std::string& path) {
      struct stat info {};
      EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
      return info.st_mode & 0777U;
    };
    EXPECT_EQ(mode_of(file()), 0660U);
    EXPECT_EQ(mode_of(file() + "-wal"), 0660U);
    EXPECT_EQ(mode_of(file() + "-shm"), 0660U);
  }
  umask(before);
}

TEST_F(DatabaseOpen, TakesAnEmptyFileForANewDatabase) {
  write("");
  EXPECT_FALSE(opened(file())->database_id().empty());
}

TEST_F(DatabaseOpen, RefusesAFileThatIsNoDatabase) {
  for (const std::string& bytes : {std::string("hello"), std::string(100'000, 'x')}) {
    write(bytes);
    for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
      const Error error = refused(mode);
      EXPECT_EQ(error.code, Errc::data);
      EXPECT_EQ(error.message, file() + ": is not a DemandLink database");
    }
  }
}

TEST_F(DatabaseOpen, RefusesADatabaseOfAnotherProgram) {
  SQLite::Database(file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("CREATE TABLE song (title)");
  for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
    const Error error = refused(mode);
    EXPECT_EQ(error.code, Errc::data);
    EXPECT_THAT(error.message, HasSubstr("is not a DemandLink database"));
  }
}

TEST_F(DatabaseOpen, RefusesAForeignApplicationIdEvenInAnEmptyDatabase) {
  SQLite::Database(file(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
      .exec("PRAGMA application_id = 17");
  EXPECT_EQ(refused().code, Errc::data);
}

TEST_F(DatabaseOpen, RefusesANewerSchema) {
  opened(file()).reset();
  SQLite::Database(file(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
  for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
    auto database = Database::open(file(), mode);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Errc::config);
    EXPECT_THAT(database.error().message, HasSubstr("made by a newer DemandLink (schema 99"));
  }
}

TEST_F(DatabaseOpen, SaysWhichFileIsMissing) {
  for (const OpenMode mode : {OpenMode::existing, OpenMode::read_only}) {
    auto database = Database::open(file(), mode);
    ASSERT_FALSE(database);
    EXPECT_EQ(database.error().code, Errc::no_input);
    EXPECT_THAT(database.error().message, StartsWith(file() + ": there is no such database"));
    EXPECT_FALSE(std::filesystem::exists(file())) << "looking at a file does not make it";
  }
}

TEST_F(DatabaseOpen, RefusesAFolderAndAMissingFolder) {
  for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
    EXPECT_EQ(Database::open(folder_.string(), mode).error().code, Errc::no_input);
  }
  const auto missing = Database::open(file("no/such/folder/jobs.db"), OpenMode::create);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::cant_create);
  EXPECT_THAT(missing.error().message, HasSubstr("the folder does not exist"));
}

TEST_F(DatabaseOpen, RefusesAFileSystemThatIsNotKnownToBeLocal) {
  const auto database = Database::open("/proc/jobs.db", OpenMode::create);
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, Errc::config);
  EXPECT_THAT(database.error().message, HasSubstr("not on a local file system"));
}

TEST_F(DatabaseOpen, ReadsWithoutWriting) {
  opened(file()).reset();
  const auto database = opened(file(), OpenMode::read_only);
  EXPECT_EQ(database->handle().execAndGet("SELECT count(*) FROM v_failed").getInt(), 0);
  const Status written = database->guard("x", [&]() -> Status {
    database->handle().exec("UPDATE writer SET actor = 'daemon'");
    return Done{};
  });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::no_permission);
}

TEST_F(DatabaseOpen, DoesNotWaitForAWriterWhenThereIsNothingToMigrate) {
  opened(file()).reset();
  SQLite::Database other(file(), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  EXPECT_TRUE(Database::open(file(), OpenMode::create));
  EXPECT_TRUE(Database::open(file(), OpenMode::read_only));
}

}  // namespace
}  // namespace dl
