// One sending daemon a database: an exclusive flock(2) on `<db>.lock`, O_CLOEXEC, never unlinked. The kernel
// drops it when the process dies, so holding it proves that every earlier owner is dead; no timer ever is.
// Thread rule: main's; is_still_ours() on any thread. Ownership: the object owns the descriptor; the lock ends with it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "storage/model/result.h"

namespace dl {

class InstanceLock {
 public:
  // Errors: busy (another daemon holds it), cant_create, io.
  static Result<InstanceLock> take(const std::string& database_path);
  // Waits until the lock is free or `stop` becomes true (Error busy then); calls `while_waiting` every 20 ms.
  static Result<InstanceLock> wait(const std::string& database_path, const std::atomic<bool>& stop, const std::function<void()>& while_waiting);

  InstanceLock(InstanceLock&& other) noexcept;
  InstanceLock& operator=(InstanceLock&&) = delete;
  ~InstanceLock();
  std::int64_t device() const { return device_; }
  std::int64_t inode() const { return inode_; }
  // Whether the file at the path is still the one we hold (nobody replaced it).
  bool is_still_ours() const;

 private:
  InstanceLock(std::string path, int fd, std::int64_t device, std::int64_t inode);
  std::string path_;
  int fd_;
  std::int64_t device_;
  std::int64_t inode_;
};

}  // namespace dl
