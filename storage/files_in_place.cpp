#include "storage/files_in_place.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "storage/database.h"

namespace dl {

FilesInPlace::File FilesInPlace::file_at(std::string path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {std::move(path)};
  return {std::move(path), info.st_dev, info.st_ino};
}

FilesInPlace FilesInPlace::remember(Database& database) {
  FilesInPlace files;
  sqlite3* const raw = database.handle().getHandle();
  // SQLite follows a symbolic link before it names the log; the path that we were given may lead
  // elsewhere tomorrow.
  const std::string followed = sqlite3_db_filename(raw, "main");
  files.files_ = {file_at(database.path()), file_at(followed + "-wal"), file_at(followed + "-shm")};
  int has_moved = 0;
  sqlite3_file_control(raw, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
  // since it was opened: what lies at the path now is not ours
  if (has_moved != 0) files.files_[0].inode = 0;
  return files;
}

Status FilesInPlace::check() const {
  for (const File& file : files_) {
    struct stat info {};
    const bool is_there = stat(file.path.c_str(), &info) == 0;
    if (is_there && info.st_dev == file.device && info.st_ino == file.inode) continue;
    // A folder that may not be searched any more, say, moves nothing.
    if (!is_there && errno != ENOENT && errno != ENOTDIR && errno != ELOOP) continue;
    return Error{
        Errc::data,
        file.path +
            (is_there ? ": is not the file any more that was opened" : ": is not there any more") +
            " (moved, deleted or replaced while the daemon ran), so what is recorded now would be "
            "found by "
            "nobody; stopping before anything else is sent. Put the files back (the database, -wal "
            "and -shm "
            "are one thing), or restore a backup as docs/OPERATIONS.md says, then start again"};
  }
  return Done{};
}

}  // namespace dl
