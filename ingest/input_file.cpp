#include "ingest/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "ingest/spill_file.h"

namespace dl {
namespace {

Error no_input(const std::string& name, int error) {
  const Errc code = error == EACCES || error == EPERM ? Errc::no_permission : Errc::no_input;
  return {code, name + ": " + std::strerror(error)};
}

Error io_error(const std::string& name, const char* doing) {
  return {Errc::io, name + ": " + doing + ": " + std::strerror(errno)};
}

// What open() takes.
Status check_kind(const struct stat& info, const std::string& name) {
  if (S_ISDIR(info.st_mode))
    return Error{Errc::no_input, name + ": is a directory; name the file in it"};
  if (S_ISREG(info.st_mode) || S_ISFIFO(info.st_mode)) return Done{};
  return Error{Errc::no_input, name + ": is not a regular file"};
}

Status write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error(name, "spooling");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return Done{};
}

Result<std::int64_t> copy_all(int from, int to, const std::string& name) {
  std::vector<char> buffer(256 * 1024);
  std::int64_t total = 0;
  for (;;) {
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error(name, "reading");
    if (n == 0) return total;
    total += n;
    if (total > kInputBytesMax) {
      return Error{Errc::data, name + ": longer than 8 GiB; split it"};
    }
    const std::string_view part(buffer.data(), static_cast<std::size_t>(n));
    if (Status ok = write_all(to, part, name); !ok) return ok.error();
  }
}

}  // namespace

Result<InputFile> InputFile::open(const std::string& name) {
  const bool is_stdin = name == "-";
  const std::string shown_name = is_stdin ? "stdin" : name;
  const int fd = is_stdin ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                          : ::open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) return no_input(shown_name, errno);
  InputFile file(fd, shown_name, 0);
  struct stat info {};
  if (::fstat(fd, &info) != 0) return no_input(shown_name, errno);
  if (Status ok = check_kind(info, shown_name); !ok && (!is_stdin || S_ISDIR(info.st_mode)))
    return ok.error();
  if (S_ISREG(info.st_mode) && !is_stdin) {
    if (info.st_size > kInputBytesMax) {
      return Error{Errc::data, shown_name + ": longer than 8 GiB; split it"};
    }
    file.size_bytes_ = info.st_size;
    return file;
  }
  Result<int> spool = open_temporary_file(shown_name);
  if (!spool) return spool.error();
  InputFile spooled(*spool, shown_name, 0);
  Result<std::int64_t> size = copy_all(fd, *spool, shown_name);
  if (!size) return size.error();
  spooled.size_bytes_ = *size;
  return spooled;
}

Status InputFile::check(const std::string& name) {
  if (name == "-") return Done{};
  struct stat info {};
  if (::stat(name.c_str(), &info) != 0 || ::access(name.c_str(), R_OK) != 0)
    return no_input(name, errno);
  return check_kind(info, name);
}

Result<InputFile> InputFile::from_text(const std::string& name, std::string_view text) {
  Result<int> spool = open_temporary_file(name);
  if (!spool) return spool.error();
  InputFile file(*spool, name, static_cast<std::int64_t>(text.size()));
  if (Status ok = write_all(*spool, text, name); !ok) return ok.error();
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      name_(std::move(other.name_)),
      size_bytes_(other.size_bytes_) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(name_, other.name_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::size_t> InputFile::read_at(std::int64_t offset, std::span<char> buffer) const {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t n = ::pread(fd_, buffer.data() + filled, buffer.size() - filled,
                              offset + static_cast<std::int64_t>(filled));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error(name_, "reading");
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  return filled;
}

}  // namespace dl
