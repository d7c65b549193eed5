#include "daemon/store_thread.h"

#include <pthread.h>
#include <sqlite3.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/dsp/heartbeat.h"
#include "daemon/dsp/inbox.h"
#include "storage/files_in_place.h"

namespace dl {
namespace {

namespace net = boost::asio;
using TimePoint = std::chrono::steady_clock::time_point;
// Each look costs an idle daemon about 0.15 ms, most of it for waking up: 40 ms keep it below half
// a percent of a core, and a sheet that is loaded still leaves within 60.
constexpr std::chrono::milliseconds kLookForChanges{40};
constexpr std::chrono::milliseconds kTryAgain{100};
constexpr std::chrono::seconds kLeave{3};
constexpr int kCheckpointPages = 1'000;
// Moving a log of gigabytes, once the reader who held it has gone, is one call.
constexpr std::chrono::minutes kMovesLongLog{10};

// What SQLite lacks comes back. A lock that was lost, though it is Errc::busy too, does not.
bool passes_by_itself(const Error& error) {
  const int primary = error.sqlite_code & 0xFF;
  return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_FULL ||
         primary == SQLITE_NOMEM;
}

}  // namespace

struct StoreThread::Impl {
  Impl(std::unique_ptr<Store> given, Clock the_clock, StoreEvents the_events, StoreWatch the_watch)
      : store(std::move(given)),
        clock(the_clock),
        events(std::move(the_events)),
        watch(the_watch),
        files(FilesInPlace::remember(store->database())) {}

  std::unique_ptr<Store> store;
  Clock clock;
  StoreEvents events;
  StoreWatch watch;
  FilesInPlace files;
  net::io_context io{1};
  net::executor_work_guard<net::io_context::executor_type> work{io.get_executor()};
  net::steady_timer look_timer{io};
  Inbox<WorkBatch> batches;      // given by commit()
  std::vector<WorkBatch> group;  // taken from it
  TimePoint schema_checked = std::chrono::steady_clock::now();
  bool broken = false;
  bool stopping = false;
  bool checkpoint_failed = false;  // the last one; people know
  bool long_log_said = false;      // since it was started anew
  Heartbeat heartbeat;
  std::thread thread;

  void fail(const Error& error, bool fatal) {
    broken = broken || fatal;
    events.failed(error, fatal);
  }

  // Why an attempt failed: whether it may succeed by itself, and what helps.
  enum class Lack { none, patience, room };
  static Lack lack_of_store(const Error& error) {
    if (!passes_by_itself(error)) return Lack::none;
    return (error.sqlite_code & 0xFF) == SQLITE_FULL ? Lack::room : Lack::patience;
  }

  Status check_lock() const { return watch.check_lock ? watch.check_lock() : Status(Done{}); }

  // Tries until it works, or the lock is lost. What passes by itself is said once; anything else is
  // the end. False: it never worked.
  template <class Attempt, class LackOf>
  bool insist(const Attempt& attempt, const LackOf& lack_of, TimePoint until = TimePoint::max()) {
    for (bool said = false; !broken;) {
      if (Status ours = check_lock(); !ours) {
        fail(ours.error(), true);
        break;
      }
      const Status ok = attempt();
      if (ok) return true;
      const Lack lack = lack_of(ok.error());
      if (lack == Lack::none || !std::exchange(said, true)) fail(ok.error(), lack == Lack::none);
      if (lack == Lack::room) move_log([this] { return store->database().give_log_back(); });
      if (broken || std::chrono::steady_clock::now() >= until) break;
      heartbeat.answer();
      std::this_thread::sleep_for(kTryAgain);
    }
    return false;
  }

  void commit_group() {
    if (broken) return;
    batches.take(group);
    if (group.empty()) return;
    std::vector<WorkResult> results;
    const auto commit = [&]() -> Status {
      Result<std::vector<WorkResult>> committed = store->commit(group, clock.now());
      if (!committed) return committed.error();
      results = std::move(*committed);
      return Done{};
    };
    if (!insist(commit, lack_of_store)) return;
    group.clear();
    // Recorded where nobody will look for it, a permit must not be used. The lock is asked for with
    // the generation.
    if (Status in_place = files.check(); !in_place) return fail(in_place.error(), true);
    if (!keep_generation()) return;
    for (WorkResult& result : results) events.committed(std::move(result));
    checkpoint();
  }

  // What was permitted leaves only when the file beside the database tells of it. False: it never
  // will.
  bool keep_generation(TimePoint until = TimePoint::max()) {
    return insist(
        [this] { return store->keep_generation(clock.now()); },
        [this](const Error&) { return store->generation_lacks_room() ? Lack::room : Lack::none; },
        until);
  }

  // Where there is no room to say so, this instance counts as one that died: all that it did is
  // recorded.
  void take_leave() {
    const TimePoint until = std::chrono::steady_clock::now() + kLeave;
    const bool has_stopped =
        insist([this] { return store->stop(clock.now()); }, lack_of_store, until);
    if (has_stopped) keep_generation(until);
  }

  // Where the disk is full the WAL stays as it is, and the next commit looks again.
  void checkpoint() {
    move_log([this] { return store->database().checkpoint_if_longer_than(kCheckpointPages); });
  }

  template <class Checkpoint>
  void move_log(const Checkpoint& move) {
    const bool is_long = store->database().held_log_bytes() > watch.long_log_bytes;
    if (is_long) heartbeat.begin_long_work(kMovesLongLog);
    const Status moved = move();
    if (is_long) heartbeat.end_long_work();
    check(moved);
  }

  void check(const Status& ok) {
    if (ok) {
      checkpoint_failed = false;
      warn_of_long_log();
    } else if (!passes_by_itself(ok.error())) {
      fail(ok.error(), true);
    } else if (!std::exchange(checkpoint_failed, true)) {
      fail(ok.error(), false);
    }
  }

  // Whoever reads keeps the log from being started anew: it grows with each commit, and slows down
  // all reading.
  void warn_of_long_log() {
    const std::int64_t bytes = store->database().held_log_bytes();
    if (bytes == 0) {
      long_log_said = false;
    } else if (bytes > watch.long_log_bytes && !std::exchange(long_log_said, true)) {
      const std::string& path = store->database().path();
      fail({Errc::busy, path + "-wal is " + std::to_string(bytes / (1024 * 1024)) +
                            " MiB long and cannot be cut, for another program "
                            "keeps an old view of the database, most likely a transaction that was "
                            "left open (BEGIN; SELECT in a "
                            "sqlite3 shell, or a report); find it with: fuser -v " +
                            path + " and end it"},
           false);
    }
  }

  void load(const LoadLimits& limits) {
    commit_group();
    if (broken) return;
    Result<LoadedWork> loaded = store->load(limits, clock.now());
    if (!loaded) return fail(loaded.error(), true);
    events.loaded(std::move(*loaded));
  }

  void look_again() {
    look_timer.expires_after(kLookForChanges);
    look_timer.async_wait([this](boost::system::error_code error) {
      // a timer that has expired is not cancelled any more
      if (error || broken || stopping) return;
      look();
      look_again();
    });
  }

  void look() {
    if (Status in_place = files.check(); !in_place) return fail(in_place.error(), true);
    if (Status ours = check_lock(); !ours) return fail(ours.error(), true);
    bool changed = false;
    const Status ok = store->database().guard("noticing changes", [&]() -> Status {
      changed = store->tables_changed();
      return Done{};
    });
    if (!ok) return fail(ok.error(), true);
    if (changed) {
      if (Status same = store->check_schema_if_touched(); !same) return fail(same.error(), true);
      events.tables_changed();
      // A daemon that has nothing to commit keeps the log of others short all the same.
      move_log([this] { return store->database().checkpoint_after_others(kCheckpointPages); });
      if (broken) return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - schema_checked < watch.check_schema) return;
    schema_checked = now;
    if (Status unchanged = store->check_schema(); !unchanged) fail(unchanged.error(), true);
  }
};

StoreThread::StoreThread(std::unique_ptr<Store> store, Clock clock, StoreEvents events,
                         StoreWatch watch)
    : impl_(std::make_unique<Impl>(std::move(store), clock, std::move(events), watch)) {
  impl_->look_again();
  impl_->thread = std::thread([impl = impl_.get()] { impl->io.run(); });
  pthread_setname_np(impl_->thread.native_handle(), "store");
}

StoreThread::~StoreThread() { stop(); }

void StoreThread::commit(WorkBatch batch) {
  if (!impl_->batches.put(std::move(batch))) return;  // joins the group that is due already
  net::post(impl_->io, [impl = impl_.get()] { impl->commit_group(); });
}

void StoreThread::load(LoadLimits limits) {
  net::post(impl_->io, [impl = impl_.get(), limits] { impl->load(limits); });
}

void StoreThread::save_eta(std::int64_t eta_at_ms, std::string note) {
  net::post(impl_->io, [impl = impl_.get(), eta_at_ms, note = std::move(note)] {
    if (impl->broken) return;
    const Status ok = impl->store->save_eta(eta_at_ms, note);
    if (!ok && !passes_by_itself(ok.error())) impl->fail(ok.error(), true);
  });
}

void StoreThread::ask() {
  impl_->heartbeat.ask();
  net::post(impl_->io, [impl = impl_.get()] { impl->heartbeat.answer(); });
}

bool StoreThread::has_answered() const { return impl_->heartbeat.has_answered(); }

void StoreThread::stop() {
  if (!impl_->thread.joinable()) return;
  net::post(impl_->io, [impl = impl_.get()] {
    impl->commit_group();
    impl->stopping = true;
    impl->look_timer.cancel();
    if (!impl->broken) impl->take_leave();
    impl->work.reset();
  });
  impl_->thread.join();
}

}  // namespace dl
