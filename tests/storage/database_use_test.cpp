// An open database: damage, transactions and what stands in their way, the log and its checkpoints.
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "storage/database.h"
#include "tests/storage/sql_fixture.h"

namespace dl {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

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
      "INSERT INTO job_history (job_id, at, rule_id, attempt, reason) SELECT 1, i, 1, 1, "
      "hex(randomblob(100)) FROM n");
  stranger_.reset();
  database_.reset();
  std::string bytes = text_of(path());
  const std::size_t last = bytes.size() - 4096;  // of job_history
  for (std::size_t i = last; i < last + 4096; ++i) bytes[i] = static_cast<char>(~bytes[i]);
  std::ofstream(path(), std::ios::binary) << bytes;
  auto damaged = Database::open(path(), OpenMode::existing);
  ASSERT_TRUE(damaged) << damaged.error().message;
  const auto size = static_cast<std::int64_t>(bytes.size());
  EXPECT_TRUE((*damaged)->check_integrity(size - 1))
      << "a long file: the small tables alone, which are sound";
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
    as_daemon("INSERT INTO property (name, value) VALUES ('x" + std::to_string(bytes) +
              "', hex(randomblob(" + std::to_string(bytes / 2) + ")))");
    look();
    if (bytes == 1'000'000 && info.st_blocks * 512 < size_before + 500'000)
      GTEST_SKIP() << "this file system cannot reserve";
    const std::int64_t needed =
        database_->handle().execAndGet("PRAGMA page_count").getInt64() * 4096;
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
  EXPECT_TRUE(database_->checkpoint_after_others(100))
      << "who cannot know how much is in use goes by the file";
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
  EXPECT_EQ(written, std::filesystem::last_write_time(path()))
      << "a reader is not waited for at each commit";
  as_daemon("INSERT INTO property (name, value) VALUES ('c', hex(randomblob(100000)))");
  EXPECT_TRUE(database_->checkpoint_if_longer_than(1));
  EXPECT_NE(written, std::filesystem::last_write_time(path()));
}

}  // namespace
}  // namespace dl
