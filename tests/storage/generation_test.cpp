// Whether a restored or copied database is told from the one that was sent from, and what happens
// then.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "storage/generation_file.h"
#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Generation : public StoreTest {
 protected:
  Generation() { begin(); }

  // As dl-daemon starts.
  void begin() {
    store_.reset();
    auto database = Database::open(path(), OpenMode::existing);
    ASSERT_TRUE(database) << database.error().message;
    store_ = std::make_unique<Store>(std::move(*database), test_format(), policy_);
    auto file = GenerationFile::open(path());
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE(store_->trust_or_hold(std::move(*file)));
    const Result<Recovery> recovery = store_->take_over(facts_, now_);
    ASSERT_TRUE(recovery) << recovery.error().message;
    recovery_ = *recovery;
    ASSERT_TRUE(store_->keep_generation(now_));
  }
  // The daemon dies without a word, and somebody does something to its files; then it starts again.
  template <class Deed>
  void begin_after(const Deed& deed) {
    store_.reset();
    stranger_.reset();
    database_.reset();
    deed();
    auto database = Database::open(path(), OpenMode::existing);
    ASSERT_TRUE(database) << database.error().message;
    database_ = std::move(*database);
    stranger_ = std::make_unique<SQLite::Database>(path(), SQLite::OPEN_READWRITE);
    begin();
  }
  // sqlite3's own way of taking a backup while everything runs.
  fs::path backup() {
    const fs::path copy = folder() / "backup.db";
    fs::remove(copy);
    const ShellResult made = shell("VACUUM INTO '" + copy.string() + "';");
    EXPECT_EQ(0, made.exit_code) << made.err;
    return copy;
  }
  void restore(const fs::path& copy) {
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(path() + end);
    fs::copy_file(copy, path());
  }
  void post(int job) {
    grant(job);
    ASSERT_TRUE(store_->keep_generation(now_));
  }
  std::string paused() { return value("SELECT coalesce(paused_by, '') FROM account"); }
  std::string reason() { return value("SELECT coalesce(paused_reason, '') FROM account"); }

  Recovery recovery_;
};

TEST_F(Generation, HoldsNothingWhereNothingWasSentYet) {
  EXPECT_EQ(paused(), "");
  begin();
  EXPECT_EQ(paused(), "") << "a restart is no reason";
  EXPECT_EQ(recovery_.sends_from_boot_ms, 0);
}

TEST_F(Generation, MovesAtEveryTakeOverAndCleanStop) {
  const auto number = [this] {
    return std::stoi(value("SELECT value FROM property WHERE name = 'generation'"));
  };
  const int before = number();
  post(kCampaign);
  EXPECT_EQ(number(), before) << "a permit is noted in the file alone";
  ASSERT_TRUE(store_->stop(now_));
  EXPECT_EQ(number(), before + 1);
  begin();
  EXPECT_EQ(number(), before + 2);
  EXPECT_EQ(paused(), "") << "killed between the tables and the file, it is one behind";
}

// However short a time ago it was taken, and whatever left since.
TEST_F(Generation, NoticesABackupThatLacksNoMoreThanOneRequest) {
  post(kCampaign);
  const fs::path copy = backup();
  post(kOther);
  begin_after([&] { restore(copy); });
  EXPECT_EQ(paused(), "generation check");
  EXPECT_THAT(reason(), HasSubstr("it does not know request 2, the last that left"));
}

TEST_F(Generation, TrustsABackupThatLacksNone) {
  post(kCampaign);
  const fs::path copy = backup();
  commit({});
  ASSERT_TRUE(store_->keep_generation(now_));
  begin_after([&] { restore(copy); });
  EXPECT_EQ(paused(), "") << "nothing has left since";
}

// The id alone is no proof: the copy went its own way since.
TEST_F(Generation, TellsARequestOfTheSameIdFromTheOneThatLeft) {
  const fs::path copy = backup();
  post(kCampaign);
  begin_after([&] {
    restore(copy);
    SQLite::Database other(path(), SQLite::OPEN_READWRITE);
    other.exec(
        "DROP TRIGGER guard_request_insert; INSERT INTO request (job_id, attempt, purpose, method, "
        "path, instance_id, "
        "worker, sent_at, sent_boot_ms) SELECT 5, 1, 'status', 'GET', '/', max(id), 0, 1, 1 FROM "
        "instance");
  });
  EXPECT_EQ(value("SELECT max(id) FROM request"), "1");
  EXPECT_EQ(paused(), "generation check");
}

TEST_F(Generation, NoticesABackupThatWasTakenWhileTheDaemonRan) {
  const fs::path copy = backup();
  post(kCampaign);
  begin_after([&] { restore(copy); });
  EXPECT_EQ(state_of(kCampaign), "ready") << "the POST is forgotten";
  EXPECT_EQ(paused(), "generation check");
  EXPECT_THAT(reason(), HasSubstr("an older copy of what was sent from"));
  EXPECT_THAT(reason(), HasSubstr("operator_act resume"));
  EXPECT_THAT(store_->forgotten(), HasSubstr("an older copy"));
  EXPECT_GE(recovery_.sends_from_boot_ms, now_.boot_ms + 60'000)
      << "and so is the limiter's memory";
  for (const char* who : {"maria", "jo"}) {
    EXPECT_EQ("", as_stranger("INSERT INTO operator_act (act, who, why) VALUES ('pause', '" +
                              std::string(who) + "', 'client call')"));
    EXPECT_EQ(paused(), "generation check") << "seen: her resume created everything twice";
  }
  EXPECT_THAT(reason(), HasSubstr("operator_act resume; also paused by maria: client call; also "
                                  "paused by jo: client call"));
  begin();
  EXPECT_EQ(paused(), "generation check") << "a restart decides nothing";
  const char* resume =
      "INSERT INTO operator_act (act, who, why) VALUES ('resume', 'maria', 'compared')";
  EXPECT_EQ("", as_stranger(resume));
  EXPECT_EQ(paused(), "generation check") << "seen: a resume of her own pause released it";
  EXPECT_EQ("", as_stranger(resume));
  begin();
  EXPECT_EQ(paused(), "");
}

TEST_F(Generation, NoticesABackupFromBeforeACleanStop) {
  const fs::path copy = backup();
  ASSERT_TRUE(store_->stop(now_));
  ASSERT_TRUE(store_->keep_generation(now_));
  begin_after([&] { restore(copy); });
  EXPECT_EQ(paused(), "generation check");
}

TEST_F(Generation, NoticesACopyFromBeforeTheFirstStart) {
  as_daemon("UPDATE property SET value = '1' WHERE name = 'generation'");
  begin();
  EXPECT_EQ(paused(), "generation check");
}

TEST_F(Generation, StandsBeforeAPersonsPause) {
  EXPECT_EQ("", as_stranger(
                    "INSERT INTO operator_act (act, who, why) VALUES ('pause', 'maria', 'lunch')"));
  const fs::path copy = backup();
  pass(1'000);
  post(kCampaign);
  begin_after([&] { restore(copy); });
  EXPECT_EQ(paused(), "generation check") << "back from lunch, she would resume";
  EXPECT_THAT(reason(), HasSubstr("operator_act resume; also paused by maria: lunch"));
}

TEST_F(Generation, NoticesADatabaseWithoutItsFile) {
  begin_after([&] { fs::remove(path() + ".generation"); });
  EXPECT_EQ(paused(), "generation check");
  EXPECT_THAT(reason(), HasSubstr("is missing"));
}

TEST_F(Generation, NoticesAFolderThatWasCopiedOrRestoredAsAWhole) {
  begin_after([&] {
    fs::copy_file(path() + ".generation", path() + ".new");
    fs::rename(path() + ".new", path() + ".generation");
  });
  EXPECT_EQ(paused(), "generation check");
  EXPECT_THAT(reason(), HasSubstr("is a copy"));
}

TEST_F(Generation, NoticesTheFileOfAnotherDatabaseAndOneThatCannotBeRead) {
  const auto rewrite = [&](const std::string& what, const std::string& with) {
    std::stringstream text;
    text << std::ifstream(path() + ".generation").rdbuf();
    std::string all = text.str();
    all.replace(all.find(what), what.size(), with);
    std::fstream(path() + ".generation", std::ios::in | std::ios::out) << all;
  };
  const std::string id = store_->database().database_id();
  begin_after([&] { rewrite(id, std::string(id.size(), 'f')); });
  EXPECT_THAT(reason(), HasSubstr("belongs to another database"));
  begin_after([&] { rewrite("demandlink", "DEMANDLINK"); });
  EXPECT_THAT(reason(), HasSubstr("cannot be read"));
}

TEST_F(Generation, LosesNothingWhereverItIsKilledBetweenTablesAndFile) {
  for (const int job : {kCampaign, kOther}) {
    pass(1'000);
    grant(job);  // killed before the file is written
    begin();
    EXPECT_EQ(paused(), "") << job;
  }
  for (int i = 0; i < 3; ++i) {
    store_.reset();
    auto database = Database::open(path(), OpenMode::existing);
    store_ = std::make_unique<Store>(std::move(*database), test_format(), policy_);
    ASSERT_TRUE(store_->trust_or_hold(std::move(*GenerationFile::open(path()))));
    ASSERT_TRUE(store_->take_over(facts_, now_));  // killed right here
  }
  begin();
  EXPECT_EQ(paused(), "");
}

TEST_F(Generation, MayMoveWithItsFile) {
  begin_after([&] {
    fs::create_directory(folder() / "elsewhere");
    for (const char* end : {"", "-wal", "-shm", ".generation"}) {
      if (fs::exists(path() + end))
        fs::rename(path() + end, folder() / "elsewhere" / ("jobs.db" + std::string(end)));
    }
    fs::rename(folder() / "elsewhere" / "jobs.db", path());
    fs::rename(folder() / "elsewhere" / "jobs.db.generation", path() + ".generation");
  });
  EXPECT_EQ(paused(), "") << "renamed on the same file system it is still itself";
}

}  // namespace
}  // namespace dl
