#include "storage/sqlite_error.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>

namespace dl {
namespace {

// Where SQLite knows only that a file operation failed: what is missing, as far as one can ask.
std::string what_is_missing(const std::string& path) {
  const int probe = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (probe < 0) return std::string(" (") + std::strerror(errno) + ")";
  close(probe);
  constexpr std::uint64_t kNextToNothing = 64 * 1024;
  struct statfs info {};
  if (statfs(folder_of(path).c_str(), &info) != 0) return "";
  return info.f_bavail * static_cast<std::uint64_t>(info.f_bsize) < kNextToNothing
             ? " (the disk is full)"
             : "";
}

// EACCES or EROFS where that keeps us from the file or from its folder; else 0.
int refusal_of(const std::string& path) {
  for (const std::string& what : {path, folder_of(path)}) {
    if (faccessat(AT_FDCWD, what.c_str(), R_OK | W_OK, AT_EACCESS) != 0 &&
        (errno == EACCES || errno == EROFS))
      return errno;
  }
  return 0;
}

}  // namespace

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder;
}

Errc code_of(int extended) {
  switch (extended & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::data;
    // What we write follows from what is there: where the sum breaks a rule, what is there is
    // wrong.
    case SQLITE_CONSTRAINT:
      return extended == SQLITE_CONSTRAINT_TRIGGER ? Errc::software : Errc::data;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Errc::no_permission;
    case SQLITE_CANTOPEN: return Errc::cant_create;
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_NOMEM: return Errc::io;
    default: return Errc::software;
  }
}

std::string words_of(int extended, const char* message, const std::string& path) {
  if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC) {
    return std::string("sync failed: ") + message;
  }
  switch (extended & 0xFF) {
    case SQLITE_CORRUPT: return std::string("the database is damaged: ") + message;
    case SQLITE_NOTADB: return "is not a DemandLink database";
    case SQLITE_CONSTRAINT:
      if (extended == SQLITE_CONSTRAINT_TRIGGER) return message;
      return std::string("the tables contradict themselves (") + message +
             "): dl-daemon --verify --offline says where; restore a backup (docs/OPERATIONS.md: "
             "Files, backup, restore)";
    case SQLITE_BUSY: return "another program holds the database; try again";
    case SQLITE_FULL: return std::string("the disk is full: ") + message;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN: return message + what_is_missing(path);
    default: return message;
  }
}

Error error_of(int extended, const char* message, const std::string& path,
               const std::string& what) {
  const int result = extended & 0xFF;
  const int refusal = result == SQLITE_CANTOPEN || result == SQLITE_READONLY ? refusal_of(path) : 0;
  if (refusal == 0)
    return {code_of(extended), what + ": " + words_of(extended, message, path), extended};
  return {
      refusal == EACCES ? Errc::no_permission : code_of(extended),
      what + ": " + std::strerror(refusal) +
          "; who reads it must be allowed to write it and its folder, too (the write-ahead log)",
      extended};
}

Error error_of_damage(const std::string& verdict, const std::string& path) {
  return {Errc::data,
          path + ": the database is damaged (" + verdict +
              "); restore a backup (docs/OPERATIONS.md: Files, backup, restore)",
          0};
}

}  // namespace dl
