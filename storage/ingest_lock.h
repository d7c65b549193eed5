// One loader at a time: an exclusive flock on `<database>.ingest.lock`. The lock is the only proof
// that a batch in state 'loading' has no loader any more. Never unlinked, not inherited. Thread
// rule: one thread. The lock ends with the object, or with the process.
#pragma once

#include <string>

#include "storage/model/result.h"

namespace dl {

class IngestLock {
 public:
  // `database_path`: an existing database. Errors: busy (somebody is loading), cant_create,
  // no_permission, io (a file system without locks), and those of name_of_database.
  static Result<IngestLock> take(const std::string& database_path);

  IngestLock(IngestLock&& other) noexcept;
  IngestLock& operator=(IngestLock&&) = delete;
  IngestLock(const IngestLock&) = delete;
  IngestLock& operator=(const IngestLock&) = delete;
  ~IngestLock();

 private:
  explicit IngestLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace dl
