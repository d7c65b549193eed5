#include "ingest/spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace dl {

Result<int> open_temporary_file(const std::string& what) {
  const char* set = std::getenv("TMPDIR");
  const std::string folder = set != nullptr && *set != '\0' ? set : "/var/tmp";
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {  // a file system without O_TMPFILE
    std::string path = folder + "/dl-ingest-XXXXXX";
    fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (fd >= 0) ::unlink(path.c_str());
  }
  if (fd < 0) {
    return Error{Errc::cant_create, what + ": cannot be spooled to " + folder + ": " +
                                        std::strerror(errno) + " (set TMPDIR)"};
  }
  return fd;
}

Result<SpillFile> SpillFile::create(const std::string& what) {
  Result<int> fd = open_temporary_file(what);
  if (!fd) return fd.error();
  return SpillFile(*fd, what);
}

SpillFile::SpillFile(SpillFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), what_(std::move(other.what_)), size_(other.size_) {}

SpillFile& SpillFile::operator=(SpillFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(what_, other.what_);
  std::swap(size_, other.size_);
  return *this;
}

SpillFile::~SpillFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status SpillFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), size_);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return Error{Errc::io, what_ + ": spooling: " + std::strerror(errno) + " (set TMPDIR)"};
    bytes.remove_prefix(static_cast<std::size_t>(n));
    size_ += n;
  }
  return Done{};
}

Result<std::size_t> SpillFile::read_at(std::int64_t offset, std::span<char> buffer) const {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t n = ::pread(fd_, buffer.data() + filled, buffer.size() - filled,
                              offset + static_cast<std::int64_t>(filled));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return Error{Errc::io, what_ + ": reading what was spooled: " + std::strerror(errno)};
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  return filled;
}

}  // namespace dl
