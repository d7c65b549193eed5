#include "storage/ingest_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "storage/database_name.h"

namespace dl {

Result<IngestLock> IngestLock::take(const std::string& database_path) {
  const Result<std::string> name = name_of_database(database_path);
  if (!name) return name.error();
  const std::string path = *name + ".ingest.lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) {
    return Error{errno == EACCES ? Errc::no_permission : Errc::cant_create,
                 path + ": " + std::strerror(errno)};
  }
  IngestLock lock(fd);
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK)
      return Error{Errc::io, path + ": it cannot be locked: " + std::strerror(errno)};
    return Error{Errc::busy, database_path + ": another dl-ingest is loading; try again"};
  }
  return lock;
}

IngestLock::IngestLock(IngestLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

IngestLock::~IngestLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace dl
