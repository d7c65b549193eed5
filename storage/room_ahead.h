// Room on the disk for what a file will grow to, taken before the growth. In WAL mode a database
// grows twice: at once in the log, and later, when the log is moved, in the file. Were the second
// to find the disk full, the log could never be emptied, and it is the log that fills the disk:
// commits would fail for ever, however little room they need. Thread rule: as the Database.
// Ownership: borrows SQLite's own descriptor, which is open as long as the database is.
#pragma once

#include <cstdint>
#include <string>

#include "storage/model/result.h"

namespace dl {

class RoomAhead {
 public:
  // Finds the descriptor by which this process has `path` open. Opening another one would be no
  // help: POSIX locks of a process go when it closes any of a file's descriptors. Where there is
  // none (a file system of SQLite's own), room is not reserved.
  static RoomAhead of(const std::string& path);

  // Allocates blocks up to `bytes`; the file's size and content stay. False: the disk (or a quota)
  // has no room for them. True also where the file system cannot reserve.
  bool reserve(std::int64_t bytes);
  // The file was cut, and with it what was reserved beyond its end.
  void forget() { reserved_bytes_ = 0; }

 private:
  int file_ = -1;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  std::int64_t reserved_bytes_ = 0;
};

}  // namespace dl
