// Who cuts the log: the daemon where one lives, dl-ingest where none does, never both. One lives
// where its lock is held: its pid says nothing, for it may be of another namespace (two containers
// over one folder), or be used again.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "program.h"
#include "storage/batch_writer.h"
#include "storage/live_daemon.h"
#include "tests/support/tree.h"

namespace dl {
namespace {

const std::string kSample = in_tree("examples/sample.csv");

// As the daemon holds it, or a loader the other one.
class HeldLock {
 public:
  explicit HeldLock(const Program& program, std::string_view name = "jobs.db.lock")
      : fd_(::open(program.path(name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660)) {
    EXPECT_EQ(::flock(fd_, LOCK_EX | LOCK_NB), 0);
  }
  ~HeldLock() { ::close(fd_); }
  HeldLock(const HeldLock&) = delete;
  HeldLock& operator=(const HeldLock&) = delete;

 private:
  int fd_;
};

// The salts in the head of the log: others each time that it is started anew.
std::string start_of_log(const Program& program) {
  return program.read("jobs.db-wal").substr(16, 8);
}

// The sample is loaded, and its log goes on when dl-ingest ends, for this has the database open.
class BesideADaemon : public testing::Test {
 protected:
  BesideADaemon() {
    program.run({kSample});
    auto opened = Database::open(program.path("jobs.db").string(), OpenMode::existing);
    EXPECT_TRUE(opened);
    database = std::move(*opened);
    write_something();  // which begins the log
    start = start_of_log(program);
  }
  void write_something() const {
    EXPECT_TRUE(database->transaction(Writer::ingest, [&]() -> Status {
      database->handle().exec("UPDATE batch SET row_count = row_count");
      return Done{};
    }));
  }
  // Between two transactions of a loader, of which the first has made the log long enough.
  void expect_log_is_cut(bool is_cut) const {
    const Result<bool> beside_daemon = leave_room_for_daemon(*database, 1);
    ASSERT_TRUE(beside_daemon) << beside_daemon.error().message;
    EXPECT_EQ(*beside_daemon, !is_cut);
    write_something();
    EXPECT_EQ(start_of_log(program) != start, is_cut);
  }
  const Program program;
  std::unique_ptr<Database> database;
  std::string start;
};

TEST_F(BesideADaemon, TheLogOfALongSheetIsLeftToIt) {
  const HeldLock daemon(program);
  const Ran ran = program.run({program.write("big.csv", big_sheet(1'500))});
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_GT(std::filesystem::file_size(program.path("jobs.db-wal")), 6'000U * 4'096)
      << "half as much again as a loader would cut";
  EXPECT_EQ(start_of_log(program), start);
}

TEST_F(BesideADaemon, TheLogIsLeftToIt) {
  const HeldLock daemon(program);
  expect_log_is_cut(false);
}

// As a link the lock is none of ours, and cannot be asked.
TEST_F(BesideADaemon, TheLogIsLeftToItWhereNobodyCanTell) {
  std::filesystem::create_symlink("nowhere", program.path("jobs.db.lock"));
  expect_log_is_cut(false);
}

TEST_F(BesideADaemon, TheLogIsCutWhereThereWasNone) { expect_log_is_cut(true); }

TEST_F(BesideADaemon, ThatHasDiedTheLogIsCutWhoeverHasItsPidNow) {
  { const HeldLock daemon(program); }
  program.as_daemon(
      "INSERT INTO instance (uuid, pid, host, version, boot_key, machine_id, lock_device, "
      "lock_inode, started_at, started_boot_ms) "
      "VALUES ('u', " +
      std::to_string(::getpid()) + ", 'h', 'v', 'b', 'm', 1, 1, 1, 1)");
  expect_log_is_cut(true);
}

// 1,500 jobs of 4 KB, which nobody will publish.
void leave_a_big_orphan(Database& database) {
  BatchHead head;
  head.format = "csv";
  auto writer = BatchWriter::begin(database, head);
  ASSERT_TRUE(writer);
  const Status placed = (*writer)->transaction([&]() -> Status {
    for (int i = 0; i < 1'500; ++i) {
      const std::string key = "orphan_" + std::to_string(i);
      const std::string body = "{\"id\":\"" + key + std::string(4'096, 'x') + "\"}";
      const Sha256 digest = sha256(body);
      const JobText root{JobKind::campaign, key, body, digest, 1, nullptr};
      PlacedJob job;
      if (Status ok = (*writer)->place({&root, 1}, {&job, 1}); !ok) return ok;
    }
    return Done{};
  });
  ASSERT_TRUE(placed) << placed.error().message;
}

// A daemon that begins removes what a dead loader left. Its own lock is held.
TEST_F(BesideADaemon, OnlyTheDaemonCutsTheLogWhileItRemovesOrphans) {
  const HeldLock daemon(program);
  leave_a_big_orphan(*database);
  EXPECT_EQ(*remove_orphaned_batches(*database), 1);
  EXPECT_EQ(start_of_log(program), start);
  leave_a_big_orphan(*database);
  EXPECT_EQ(*remove_orphaned_batches(*database, Writer::daemon), 1);
  EXPECT_NE(start_of_log(program), start);
}

// As a file with an older schema looks from outside. Which one.
std::string make_older(const Program& program) {
  std::string older = program.ask("SELECT max(version) - 1 FROM migration");
  SQLite::Database file(program.path("jobs.db").string(), SQLite::OPEN_READWRITE);
  sqlite3_db_config(file.getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  file.exec("DELETE FROM migration WHERE version > " + older + "; PRAGMA user_version = " + older);
  return older;
}

// Its loader would go on under a schema that it does not know.
TEST(Upgrade, IsNotMadeUnderAnOlderProgramsLoad) {
  const Program program;
  program.run({kSample});
  const std::string older = make_older(program);
  {
    const HeldLock loader(program, "jobs.db.ingest.lock");
    for (const std::vector<std::string>& beside :
         std::vector<std::vector<std::string>>{{kSample}, {"archive", "--older-than", "365d"}}) {
      const Ran refused = program.run(beside);
      EXPECT_EQ(refused.exit_code, 75) << refused.out;
      EXPECT_NE(refused.err.find("another dl-ingest is loading"), std::string::npos) << refused.err;
      EXPECT_EQ(program.ask("PRAGMA user_version"), older);
    }
  }
  EXPECT_EQ(program.run({kSample}).exit_code, 0);
  EXPECT_NE(program.ask("PRAGMA user_version"), older);
}

// Its survey asks the database for the ids that the sheet has.
TEST(Upgrade, IsMadeByASheetOfResultsAsByAnyOther) {
  const Program program;
  program.run({kSample});
  const std::string results = program.run({"results"}).out;
  make_older(program);
  const Ran ran = program.run({"-"}, results);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find(": 0 new, 23 unchanged (9 rows)"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace dl
