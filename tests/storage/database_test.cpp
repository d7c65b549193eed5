// Opening a database: the rules every connection keeps, the files that are refused, and what stands
// in the way of a transaction.
#include "storage/database.h"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <fstream>
#include <string_view>

#include "tests/storage/sql_fixture.h"

namespace dl {
namespace {

using std::chrono::milliseconds;
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
    const auto ignores = [](void*, int action, const char* pragma, const char* value, const char*, const char*) {
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

class DatabaseUse : public SqlTest {
 protected:
  std::string wal() const { return path() + "-wal"; }
};

TEST_F(DatabaseUse, NoticesADamagedFile) {
  as_daemon(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
      "INSERT INTO property (name, value) SELECT 'filler ' || i, hex(randomblob(100)) FROM n");
  EXPECT_TRUE(database_->check_integrity());
  stranger_.reset();
  database_.reset();  // the last connection moves the log into the file
  const std::string file = path();
  std::string bytes = text_of(file);
  ASSERT_GT(bytes.size(), 100'000U);
  const std::size_t middle = bytes.size() / 2 / 4096 * 4096;
  for (std::size_t i = middle; i < middle + 4096; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  std::ofstream(file, std::ios::binary) << bytes;
  auto damaged = Database::open(file, OpenMode::existing);
  ASSERT_TRUE(damaged) << damaged.error().message;
  const Status verdict = (*damaged)->check_integrity();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, Errc::data);
  EXPECT_THAT(verdict.error().message, HasSubstr("damaged"));
}

TEST_F(DatabaseUse, ReadsALongFileThroughOnlyWhereItIsAskedTo) {
  as_daemon(
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
      "INSERT INTO job_history (job_id, at, rule_id, attempt, reason) SELECT 1, i, 1, 1, hex(randomblob(100)) FROM n");
  stranger_.reset();
  database_.reset();
  std::string bytes = text_of(path());
  const std::size_t last = bytes.size() - 4096;  // of job_history
  for (std::size_t i = last; i < last + 4096; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  std::ofstream(path(), std::ios::binary) << bytes;
  auto damaged = Database::open(path(), OpenMode::existing);
  ASSERT_TRUE(damaged) << damaged.error().message;
  const auto size = static_cast<std::int64_t>(bytes.size());
  EXPECT_TRUE((*damaged)->check_integrity(size - 1)) << "a long file: the small tables alone, which are sound";
  EXPECT_FALSE((*damaged)->check_integrity(size));
}

TEST_F(DatabaseUse, SaysBusyAfterTheWaitAndGoesOnWhenTheOtherIsDone) {
  database_->set_busy_wait(milliseconds{20});
  stranger_->exec("BEGIN IMMEDIATE");
  const auto before = std::chrono::steady_clock::now();
  bool worked = false;
  const auto work = [&]() -> Status {
    worked = true;
    return Done{};
  };
  const Status refused = database_->transaction(Writer::daemon, work);
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds{20});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::busy);
  EXPECT_THAT(refused.error().message, HasSubstr("another program holds the database; try again"));
  EXPECT_EQ(refused.error().sqlite_code & 0xFF, SQLITE_BUSY);
  EXPECT_FALSE(worked);
  stranger_->exec("ROLLBACK");
  EXPECT_TRUE(database_->transaction(Writer::daemon, work));
  EXPECT_TRUE(worked);
}

TEST_F(DatabaseUse, NamesTheWriterOnlyInsideItsTransactions) {
  for (const auto& [writer, name] :
       {std::pair{Writer::daemon, "daemon"}, std::pair{Writer::ingest, "ingest"}}) {
    std::string seen;
    EXPECT_TRUE(database_->transaction(writer, [&]() -> Status {
      seen = database_->handle().execAndGet("SELECT actor FROM writer").getString();
      return Done{};
    }));
    EXPECT_EQ(seen, name);
    EXPECT_EQ("NULL", value("SELECT actor FROM writer"));
  }
}

TEST_F(DatabaseUse, RollsBackOnAnErrorOnAnExceptionAndOnAFailedCommit) {
  const auto write = [&] {
    database_->handle().exec("INSERT INTO property (name, value) VALUES ('a', 'b')");
  };
  const Status error = database_->transaction(Writer::daemon, [&]() -> Status {
    write();
    return Error{Errc::data, "changed my mind"};
  });
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().message, "changed my mind");
  const Status exception = database_->transaction(Writer::daemon, [&]() -> Status {
    write();
    database_->handle().exec("INSERT INTO property (name, value) VALUES ('a', 'again')");
    return Done{};
  });
  EXPECT_FALSE(exception);
  sqlite3* raw = database_->handle().getHandle();
  sqlite3_commit_hook(
      raw, [](void*) { return 1; }, nullptr);
  EXPECT_FALSE(database_->transaction(Writer::daemon, [&]() -> Status {
    write();
    return Done{};
  }));
  sqlite3_commit_hook(raw, nullptr, nullptr);
  EXPECT_EQ("0", value("SELECT count(*) FROM property WHERE name = 'a'"));
  EXPECT_EQ("NULL", value("SELECT actor FROM writer")) << "the name is rolled back with the rest";
  EXPECT_TRUE(database_->transaction(Writer::daemon, [&]() -> Status {
    write();
    return Done{};
  }));
}

TEST_F(DatabaseUse, SeesOtherConnectionsCommitsAndNotItsOwn) {
  const int before = database_->data_version();
  as_daemon("INSERT INTO property (name, value) VALUES ('a', 'b')");
  EXPECT_EQ(before, database_->data_version());
  EXPECT_EQ("", as_stranger(
                    "INSERT INTO operator_act (act, who, why) VALUES ('pause', 'maria', 'lunch')"));
  EXPECT_NE(before, database_->data_version());
}

TEST_F(DatabaseUse, MovesALongLogIntoTheFileAndStartsItAnew) {
  const auto grow = [&] {
    as_daemon(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
        "REPLACE INTO property (name, value) SELECT 'filler ' || i, hex(randomblob(100)) FROM n");
  };
  grow();
  const auto long_log = std::filesystem::file_size(wal());
  EXPECT_TRUE(database_->checkpoint_if_longer_than(1'000'000));
  const auto frames = [&] {
    return database_->handle().execAndGet("SELECT 1").getInt() == 1
               ? std::filesystem::file_size(wal())
               : 0;
  };
  EXPECT_EQ(frames(), long_log) << "short enough: nothing was done";
  EXPECT_TRUE(database_->checkpoint_if_longer_than(10));
  grow();
  EXPECT_LE(frames(), long_log + long_log / 2) << "the log is used from its beginning again";
}

// Else a log that fills the disk could not be moved, and would fill it for ever.
TEST_F(DatabaseUse, ReservesRoomInTheFileForWhatIsOnlyInTheLogSoFar) {
  struct stat info {};
  const auto look = [&] { ASSERT_EQ(::stat(path().c_str(), &info), 0); };
  look();
  const auto size_before = info.st_size;
  for (const int bytes : {1'000'000, 10, 3'000'000}) {
    as_daemon("INSERT INTO property (name, value) VALUES ('x" + std::to_string(bytes) + "', hex(randomblob(" + std::to_string(bytes / 2) + ")))");
    look();
    if (bytes == 1'000'000 && info.st_blocks * 512 < size_before + 500'000) GTEST_SKIP() << "this file system cannot reserve";
    const std::int64_t needed = database_->handle().execAndGet("PRAGMA page_count").getInt64() * 4096;
    EXPECT_GE(info.st_blocks * 512, needed) << bytes;
    EXPECT_EQ(info.st_size, size_before) << "the file itself is left as it is";
  }
  EXPECT_TRUE(database_->give_log_back());
  EXPECT_EQ(std::filesystem::file_size(wal()), 0U);
  look();
  EXPECT_EQ(info.st_size, database_->handle().execAndGet("PRAGMA page_count").getInt64() * 4096);
  EXPECT_EQ(database_->handle().execAndGet("PRAGMA integrity_check").getString(), "ok");
}

TEST_F(DatabaseUse, LooksAtTheLogInUseAndNotAtTheFileWhichStaysLong) {
  as_daemon("INSERT INTO property (name, value) VALUES ('x', hex(randomblob(1000000)))");
  ASSERT_GT(std::filesystem::file_size(wal()), 100U * 4096);
  EXPECT_TRUE(database_->checkpoint_if_longer_than(100));
  as_daemon("INSERT INTO property (name, value) VALUES ('y', 'short')");
  ASSERT_GT(std::filesystem::file_size(wal()), 100U * 4096) << "the file keeps its length";
  const auto written = std::filesystem::last_write_time(path());
  EXPECT_TRUE(database_->checkpoint_if_longer_than(100));
  EXPECT_EQ(written, std::filesystem::last_write_time(path())) << "there is next to nothing in it";
  EXPECT_TRUE(database_->checkpoint_after_others(100)) << "who cannot know how much is in use goes by the file";
  EXPECT_NE(written, std::filesystem::last_write_time(path()));
}

TEST_F(DatabaseUse, PutsACheckpointOffWhileAReaderHoldsAnOldPage) {
  as_daemon("INSERT INTO property (name, value) VALUES ('a', hex(randomblob(100000)))");
  stranger_->exec("BEGIN; SELECT count(*) FROM property;");
  as_daemon("INSERT INTO property (name, value) VALUES ('b', hex(randomblob(100000)))");
  EXPECT_TRUE(database_->checkpoint_if_longer_than(1)) << "next time";
  stranger_->exec("COMMIT");
  const auto written = std::filesystem::last_write_time(path());
  EXPECT_TRUE(database_->checkpoint_if_longer_than(1));
  EXPECT_EQ(written, std::filesystem::last_write_time(path())) << "a reader is not waited for at each commit";
  as_daemon("INSERT INTO property (name, value) VALUES ('c', hex(randomblob(100000)))");
  EXPECT_TRUE(database_->checkpoint_if_longer_than(1));
  EXPECT_NE(written, std::filesystem::last_write_time(path()));
}

}  // namespace
}  // namespace dl
