// The memory's thread: owns the Store, the only write connection of the process, and commits in
// groups: whatever piled up during one sync is the next transaction. Results go out in commit
// order, only after COMMIT.
//
// A commit that failed because somebody holds the database or the disk is full is tried again until
// it succeeds: an answer that came is never forgotten, a POST never repeated. Any other failure (a
// failed sync, damage, files that were moved away or replaced, a lock that was lost) ends in
// `failed`: a daemon that cannot record must not submit.
//
// Thread rule: commit(), load(), save_eta(), ask() from one thread; the events run on the store's
// thread and must only hand their values on. Ownership: owns its thread and the Store; the
// destructor finishes what was given and joins.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "daemon/clock.h"
#include "storage/store.h"

namespace dl {

struct StoreEvents {
  std::function<void(WorkResult)> committed;  // one for each commit(), in order
  std::function<void(LoadedWork)> loaded;     // one for each load(), in order with the commits
  std::function<void()> tables_changed;       // somebody else has committed
  // not fatal: it is being tried again (also the cutting of a long log)
  std::function<void(Error, bool fatal)> failed;
};

// What it watches beside its work. On the machine's clock.
struct StoreWatch {
  // Whether the lock is still ours: asked like the files, and before each try. On the store's
  // thread.
  std::function<Status()> check_lock = nullptr;
  // All of the schema: against edits by PRAGMA writable_schema, which move no number. CREATE and
  // DROP are seen at once.
  std::chrono::milliseconds check_schema{60'000};
  // A log that is longer and that somebody keeps from being started anew is said, once until it
  // was.
  std::int64_t long_log_bytes = 64 * 1024 * 1024;
};

class StoreThread {
 public:
  StoreThread(std::unique_ptr<Store> store, Clock clock, StoreEvents events, StoreWatch watch = {});
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  void commit(WorkBatch batch);
  void load(LoadLimits limits);
  void save_eta(std::int64_t eta_at_ms, std::string note);
  // For a sign of life. It is given between two works, and by each new try where one is waited for
  // patiently; so has_answered() stays false only while a call into SQLite does not come back.
  void ask();
  bool has_answered() const;
  // A clean end: everything given is committed, the instance is marked as stopped. Joins.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dl
