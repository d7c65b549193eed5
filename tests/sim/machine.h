// One simulated machine for many seeds, one after the other: its disk, and the connections that
// nobody needs to open anew for each of them. A connection is a process's: the loader's, the
// operators' shell, and the observer's, which only looks. Thread rule: one thread.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <map>
#include <memory>

#include "storage/database.h"
#include "tests/sim/sheet.h"
#include "tests/sim/vfs.h"

namespace dl::sim {

class World;

// An operator's sqlite3, with the few questions that he asks again and again.
struct Shell {
  SQLite::Database db;
  SQLite::Statement insert_act;
  SQLite::Statement list_jobs;
  SQLite::Statement paused_by;
};

class Machine {
 public:
  Machine();
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // The disk with the jobs of `shape` loaded and nothing sent; which jobs there are.
  Sheet begin(Shape shape);
  void set_world(const World* world) { world_ = world; }

  Vfs& vfs() { return vfs_; }
  Database& loaders() { return *loaders_; }
  Shell& shell() { return *shell_; }
  SQLite::Database& observer() { return *observer_; }
  // The daemon's connection of the last run, for the next one; nullptr: there was none.
  std::unique_ptr<Database> take_daemons(Pid pid);
  void keep_daemons(std::unique_ptr<Database> database, Pid pid);

  static constexpr Pid kShell{1'000'001};
  static constexpr Pid kLoader{1'000'002};
  static constexpr Pid kNobody{1'000'003};  // has the daemon's connection between runs

 private:
  struct Start {
    Sheet sheet;
    Disk::Image image;
  };
  const Start& start_of(Shape shape);
  std::int64_t wall_clock_ms() const;

  const World* world_ = nullptr;
  Vfs vfs_;
  std::unique_ptr<Database> loaders_;
  std::unique_ptr<Database> daemons_;
  std::unique_ptr<Shell> shell_;
  std::unique_ptr<SQLite::Database> observer_;
  std::map<Shape, Start> starts_;
};

}  // namespace dl::sim
