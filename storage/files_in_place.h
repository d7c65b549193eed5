// Whether the files of an open database are still what their paths lead to. SQLite goes on with the
// files that it has open when somebody moves, deletes or replaces them: every commit succeeds, and
// whoever opens the path next knows nothing of it. So a daemon asks before it lets anything leave
// that a commit has allowed.
//
// Only stat(2): to open and close one of these files would drop SQLite's locks on it.
// Thread rule: remember() on the thread of the connection; check() on any thread. Ownership:
// nothing.
#pragma once

#include <array>
#include <string>

#include "storage/model/result.h"

namespace dl {

class Database;

class FilesInPlace {
 public:
  // Remembers database, log and index of the log (-wal, -shm) as they are now. Of a database in WAL
  // mode that was read.
  static FilesInPlace remember(Database& database);

  // Error (data): which of them is gone or another file, and what to do. Costs a microsecond a
  // file.
  Status check() const;

 private:
  struct File {
    std::string path;
    unsigned long device = 0;
    unsigned long inode = 0;  // 0: there was none
  };
  static File file_at(std::string path);

  std::array<File, 3> files_;
};

}  // namespace dl
