// One sending daemon a database: an exclusive flock(2) on `<db>.lock`, O_CLOEXEC, never unlinked.
// The kernel drops it when the process dies, so holding it proves that every earlier owner is dead;
// no timer ever is. It is named after the file that a symbolic link leads to, as everything beside
// a database is: the holder goes by that name. Thread rule: main's; check_file() on any thread.
// Ownership: the object owns the descriptor; the lock ends with it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "storage/model/result.h"

namespace dl {

class InstanceLock {
 public:
  // Errors: busy (another daemon holds it), cant_create, io, and those of name_of_database.
  static Result<InstanceLock> take(const std::string& database_path);
  // Waits until the lock is free or `stop` becomes true (Error busy then); calls `while_waiting`
  // every 20 ms.
  static Result<InstanceLock> wait(const std::string& database_path, const std::atomic<bool>& stop,
                                   const std::function<void()>& while_waiting);

  InstanceLock(InstanceLock&& other) noexcept;
  InstanceLock& operator=(InstanceLock&&) = delete;
  ~InstanceLock();
  // The one name of the database that this is the lock of: to open it, and what lies beside it, by.
  const std::string& database() const { return database_; }
  std::int64_t device() const { return device_; }
  std::int64_t inode() const { return inode_; }
  // Error (busy): the file at the path is not the one we hold any more.
  Status check_file() const;
  // Error (busy): that, or the path that was given leads to another database.
  Status check() const;

 private:
  InstanceLock(std::string given, std::string database, int fd, std::int64_t device,
               std::int64_t inode);
  std::string path() const { return database_ + ".lock"; }
  std::string given_;  // a link, perhaps
  std::string database_;
  int fd_;
  std::int64_t device_;
  std::int64_t inode_;
};

}  // namespace dl
