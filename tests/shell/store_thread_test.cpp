#include "daemon/store_thread.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/daemon.h"
#include "storage/database.h"
#include "tests/shell/scratch.h"
#include "tests/support/process.h"

namespace dl {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Store> new_store(const Scratch& scratch) {
  auto database = Database::open(scratch.path("jobs.db"), OpenMode::create);
  EXPECT_TRUE(database) << database.error().message;
  auto store = std::make_unique<Store>(std::move(*database), request_format(), StorePolicy{});
  InstanceFacts facts;
  facts.uuid = "test";
  facts.boot_key = "boot";
  EXPECT_TRUE(store->take_over(facts, Clock(1).now()));
  return store;
}

// Its look for other people's commits runs by a timer that cannot be cancelled once it has expired.
TEST(StoreThread, StopsWhileItsLookIsDue) {
  const Scratch scratch;
  std::promise<void> loading, stopping;
  StoreEvents events;
  events.loaded = [&](LoadedWork) {
    loading.set_value();
    stopping.get_future().wait();
    // waits: for several looks' time, so that one is due when this ends, after the stop
    std::this_thread::sleep_for(100ms);
  };
  events.failed = [](Error error, bool) { ADD_FAILURE() << error.message; };
  StoreThread store(new_store(scratch), Clock(1), std::move(events));
  store.load(LoadLimits{});
  loading.get_future().wait();
  std::packaged_task<void()> stop([&] { store.stop(); });
  std::future<void> stopped = stop.get_future();
  stopping.set_value();
  std::thread stopper(std::move(stop));
  if (stopped.wait_for(60s) != std::future_status::ready) {
    std::fprintf(stderr, "the store's thread does not stop\n");
    std::abort();  // nothing could be cleaned up
  }
  stopper.join();
}

// Asks until it has failed for good.
Error final_error(const Scratch& scratch, StoreWatch watch, const std::string& typed) {
  std::promise<Error> failure;
  StoreEvents events;
  events.tables_changed = [] {};
  events.failed = [&](Error error, bool fatal) {
    EXPECT_TRUE(fatal) << error.message;
    failure.set_value(std::move(error));
  };
  StoreThread store(new_store(scratch), Clock(1), std::move(events), watch);
  SQLite::Database(scratch.path("jobs.db"), SQLite::OPEN_READWRITE, 60'000).exec(typed);
  return failure.get_future().get();
}

TEST(StoreThread, NoticesAGuardThatIsDroppedWithoutWaitingForItsLookAtTheWholeSchema) {
  const Scratch scratch;
  const Error error = final_error(scratch, {.check_schema = 24h}, "DROP TRIGGER guard_job_update");
  EXPECT_EQ(error.code, Errc::config);
  EXPECT_NE(error.message.find("trigger guard_job_update is missing"), std::string::npos)
      << error.message;
}

TEST(StoreThread, NoticesAnEditOfTheSchemaThatMovesNoNumber) {
  const Scratch scratch;
  const Error error = final_error(
      scratch, {.check_schema = 1ms},
      "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'guard_job_update'");
  EXPECT_EQ(error.code, Errc::config);
}

// The disk was full, and had room again. What fails later fails for a reason of its own.
TEST(StoreThread, DoesNotTakeAChangedSchemaForTheFullDiskOfBefore) {
  const Scratch scratch;
  std::unique_ptr<Store> memory = new_store(scratch);
  SQLite::Database& own = memory->database().handle();
  const std::string most = own.execAndGet("PRAGMA max_page_count").getString();
  own.exec("PRAGMA max_page_count = 1");  // SQLite takes the present number of pages
  WorkBatch grows;
  grows.account.emplace();
  grows.account->writes_pause = true;
  grows.account->paused_by = "daemon";
  grows.account->paused_reason = std::string(100'000, 'x');
  std::promise<Error> failure;
  std::atomic<int> lacks = 0;
  std::unique_ptr<StoreThread> store;
  StoreEvents events;
  events.tables_changed = [] {};
  events.committed = [&](const WorkResult&) {
    SQLite::Database(scratch.path("jobs.db"), SQLite::OPEN_READWRITE, 60'000)
        .exec("DROP TRIGGER guard_job_update");
    store->commit(WorkBatch{});  // before the next look at the schema
  };
  events.failed = [&](Error error, bool fatal) {
    if (!fatal && lacks++ == 0) return own.exec("PRAGMA max_page_count = " + most), void();
    EXPECT_TRUE(fatal) << error.message;
    failure.set_value(std::move(error));
  };
  store = std::make_unique<StoreThread>(std::move(memory), Clock(1), std::move(events),
                                        StoreWatch{.check_schema = 24h});
  store->commit(std::move(grows));
  EXPECT_EQ(failure.get_future().get().code, Errc::config);
  EXPECT_EQ(lacks, 1);
}

// One warning while the same reader holds the log, and another one for the next reader.
TEST(StoreThread, WarnsOfALongLogOnceUntilItCouldBeCut) {
  const Scratch scratch;
  std::mutex mutex;
  std::vector<std::string> warnings;
  StoreEvents events;
  std::atomic<int> looks = 0;
  events.tables_changed = [&] { ++looks; };
  events.failed = [&](Error error, bool fatal) {
    EXPECT_FALSE(fatal) << error.message;
    const std::lock_guard lock(mutex);
    warnings.push_back(error.message);
  };
  const auto said = [&] {
    const std::lock_guard lock(mutex);
    return warnings.size();
  };
  StoreThread store(new_store(scratch), Clock(1), std::move(events),
                    {.long_log_bytes = 6 * 1024 * 1024});
  SQLite::Database writer(scratch.path("jobs.db"), SQLite::OPEN_READWRITE, 60'000);
  writer.exec("PRAGMA wal_autocheckpoint = 0; CREATE TABLE notes (text)");
  SQLite::Database reader(scratch.path("jobs.db"), SQLite::OPEN_READWRITE, 60'000);
  // Writes that the store's thread has seen: it looks at the log behind each.
  const auto write = [&](int times) {
    for (int i = 0; i < times; ++i) {
      const int before = looks;
      writer.exec("INSERT INTO notes VALUES (randomblob(1048576))");
      eventually("it looks", [&] { return looks > before; });
    }
  };
  for (const std::size_t reader_count : {1U, 2U}) {
    reader.exec("BEGIN; SELECT count(*) FROM notes");
    eventually("the log is long", [&] {
      write(1);
      return said() == reader_count;
    });
    write(3);
    EXPECT_EQ(said(), reader_count) << "once is enough";
    reader.exec("COMMIT");
    write(2);  // behind the second, the look at the first is complete: the log was cut
  }
  EXPECT_NE(warnings.front().find("jobs.db-wal is "), std::string::npos) << warnings.front();
  EXPECT_NE(warnings.front().find(" MiB long and cannot be cut"), std::string::npos)
      << warnings.front();
}

// The daemon looks now and then; but a permit that was recorded in between must not be used either.
TEST(StoreThread, GrantsNothingInADatabaseThatWasMovedAway) {
  const Scratch scratch;
  std::promise<Error> failure;
  StoreEvents events;
  events.committed = [](const WorkResult&) { ADD_FAILURE() << "what is granted can be sent"; };
  events.failed = [&](Error error, bool fatal) {
    EXPECT_TRUE(fatal);
    failure.set_value(std::move(error));
  };
  StoreThread store(new_store(scratch), Clock(1), std::move(events));
  std::filesystem::rename(scratch.path("jobs.db"), scratch.path("away.db"));
  store.commit(WorkBatch{});
  const Error error = failure.get_future().get();
  EXPECT_EQ(error.code, Errc::data);
  EXPECT_TRUE(error.message.starts_with(scratch.path("jobs.db") + ": is not there any more"))
      << error.message;
}

// Whoever has the lock now may have read the tables already. A daemon that waits for somebody's
// transaction hears of it, too.
TEST(StoreThread, CommitsNothingWithoutItsLock) {
  const Scratch scratch;
  std::atomic<bool> is_ours = true;
  std::promise<void> waits;
  std::promise<Error> failure;
  StoreEvents events;
  events.tables_changed = [] {};
  events.committed = [](const WorkResult&) { ADD_FAILURE() << "what is granted can be sent"; };
  events.failed = [&](Error error, bool fatal) {
    if (!fatal) return waits.set_value();
    failure.set_value(std::move(error));
  };
  std::unique_ptr<Store> memory = new_store(scratch);
  memory->database().set_busy_wait(1ms);
  const StoreWatch watch{.check_lock = [&] {
    return is_ours ? Status(Done{}) : Status(Error{Errc::busy, "the lock is lost"});
  }};
  StoreThread store(std::move(memory), Clock(1), std::move(events), watch);
  SQLite::Database other(scratch.path("jobs.db"), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  store.commit(WorkBatch{});
  waits.get_future().wait();
  is_ours = false;
  EXPECT_EQ(failure.get_future().get().message, "the lock is lost");
  other.exec("ROLLBACK");
  store.commit(WorkBatch{});
  store.stop();
  EXPECT_EQ(other.execAndGet("SELECT count(*) FROM instance WHERE stopped_at IS NOT NULL").getInt(),
            0)
      << "it has died";
}

TEST(StoreThread, LooksForItsLockWhileIdle) {
  const Scratch scratch;
  std::promise<Error> failure;
  StoreEvents events;
  events.failed = [&](Error error, bool fatal) {
    EXPECT_TRUE(fatal);
    failure.set_value(std::move(error));
  };
  const StoreWatch watch{.check_lock = [] {
    return Status(Error{Errc::busy, "the lock is lost"});
  }};
  StoreThread store(new_store(scratch), Clock(1), std::move(events), watch);
  EXPECT_EQ(failure.get_future().get().message, "the lock is lost");
}

// Of two names the daemon was given one, and SQLite keeps the log beside the other.
TEST(StoreThread, NoticesThatASymbolicLinkLeadsElsewhere) {
  const Scratch scratch;
  std::filesystem::create_directory(scratch.path("disk"));
  std::filesystem::create_symlink("disk/jobs.db", scratch.path("jobs.db"));
  std::ofstream(scratch.path("disk/jobs.db"));
  std::promise<Error> failure;
  StoreEvents events;
  events.committed = [&](const WorkResult&) { std::filesystem::remove(scratch.path("jobs.db")); };
  events.failed = [&](Error error, bool) { failure.set_value(std::move(error)); };
  StoreThread store(new_store(scratch), Clock(1), std::move(events));
  store.commit(WorkBatch{});
  const Error error = failure.get_future().get();
  EXPECT_TRUE(error.message.starts_with(scratch.path("jobs.db") + ": is not there any more"))
      << error.message;
}

TEST(StoresHeartbeat, IsGivenBetweenTwoWorks) {
  const Scratch scratch;
  std::promise<void> is_busy, goes_on;
  StoreEvents events;
  events.loaded = [&](LoadedWork) {
    is_busy.set_value();
    goes_on.get_future().wait();
  };
  events.failed = [](Error error, bool) { ADD_FAILURE() << error.message; };
  StoreThread store(new_store(scratch), Clock(1), std::move(events));
  store.load(LoadLimits{});
  is_busy.get_future().wait();
  store.ask();
  EXPECT_FALSE(store.has_answered());
  goes_on.set_value();
  eventually("it has come back", [&] { return store.has_answered(); });
}

// Who waits for somebody's transaction does not hang: the watchdog must not end him over it.
TEST(StoresHeartbeat, IsGivenBetweenTwoTriesToo) {
  const Scratch scratch;
  std::promise<void> waits, committed;
  StoreEvents events;
  events.committed = [&](const WorkResult&) { committed.set_value(); };
  events.failed = [&](Error error, bool fatal) {
    EXPECT_FALSE(fatal) << error.message;
    waits.set_value();
  };
  StoreThread store(new_store(scratch), Clock(1), std::move(events));
  SQLite::Database other(scratch.path("jobs.db"), SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  store.commit(WorkBatch{});
  waits.get_future().wait();
  store.ask();
  eventually("it says that it lives", [&] { return store.has_answered(); });
  other.exec("ROLLBACK");
  committed.get_future().wait();
}

}  // namespace
}  // namespace dl
