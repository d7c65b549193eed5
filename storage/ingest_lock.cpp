#include "storage/ingest_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace dl {

Result<IngestLock> IngestLock::take(const std::string& database_path) {
  // By the real path: two names of one database are one lock.
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(database_path, error);
  const std::string path = (error ? database_path : real.string()) + ".ingest.lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
  if (fd < 0) {
    return Error{errno == EACCES ? Errc::no_permission : Errc::cant_create,
                 path + ": " + std::strerror(errno)};
  }
  IngestLock lock(fd);
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    return Error{Errc::busy, database_path + ": another dl-ingest is loading; try again"};
  }
  return lock;
}

IngestLock::IngestLock(IngestLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

IngestLock::~IngestLock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace dl
