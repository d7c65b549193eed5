// A VFS for SQLite over a Disk: files, locks and WAL shared memory of one machine, for connections
// that belong to different processes of it, in one real process. A process can be killed and the
// machine can lose power between two calls or in the middle of one; a dead process's calls fail
// until SQLite has unwound, and nothing that it does meanwhile is seen by anybody.
//
// A connection may outlive its process: its caches are as those of any idle connection, which
// SQLite compares with the file before it uses them, so revive() makes it the connection of a new
// process. That spares the parsing of the schema, two thirds of what a restart costs.
//
// Thread rule: one thread; a Vfs and all its connections.
#pragma once

#include <sqlite3.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/dice.h"
#include "tests/sim/disk.h"

namespace dl::sim {

// A process of the simulated machine. The observer is none: nobody can kill it, and shared memory
// does not outlive the others for its sake.
struct Pid {
  int value = 0;
  friend bool operator==(const Pid&, const Pid&) = default;
};
inline constexpr Pid kObserver{0};

class Vfs {
 public:
  static constexpr const char* kName = "dl-sim";

  explicit Vfs(std::function<std::int64_t()> wall_clock_ms);
  ~Vfs();
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  Disk& disk() { return disk_; }

  // Connections that are opened from now on are this process's.
  void run_as(Pid pid) { current_ = pid; }
  // All connections of a dead process become a new one's.
  void revive(Pid dead, Pid born);

  // In the middle of its n-th call from now on that changes a file the process dies. `dice` decides
  // how much of the call was done.
  void die_in(Pid pid, int calls, Dice& dice) { armed_ = Armed{pid, calls, &dice}; }
  void disarm() { armed_.reset(); }
  bool is_dead(Pid pid) const;
  // After SQLite has unwound: its locks are gone, and shared memory is what it was at its death, or
  // empty where no other process has it open.
  void kill(Pid pid);
  // All processes but the observer are dead, and what was not synced is partly lost.
  void lose_power(Dice& dice);

  // Everything as new: no locks, no shared memory. All connections must be idle.
  void restore(const Disk::Image& image);

 private:
  friend struct VfsCalls;
  struct Handle;  // an open file, made by SQLite
  struct Shm {
    std::vector<std::unique_ptr<std::array<char, 32'768>>> regions;
  };
  struct Armed {
    Pid pid;
    int calls = 0;
    Dice* dice = nullptr;
  };
  bool dies_now(Pid pid);
  void mark_dead(Pid pid);
  bool anybody_else_has_shm(Pid pid) const;

  Disk disk_;
  std::function<std::int64_t()> wall_clock_ms_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  Pid current_ = kObserver;
  std::vector<Handle*> handles_;
  Shm shm_;  // of the one database of the machine
  std::vector<std::array<char, 32'768>> shm_at_death_;
  std::optional<Armed> armed_;
};

}  // namespace dl::sim
