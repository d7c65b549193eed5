#include "ingest/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dl {
namespace {

constexpr mode_t kMode = 0660;

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of_descriptor(int fd) { return "/proc/self/fd/" + std::to_string(fd); }

Error cannot_create(const std::string& path, int code) {
  const std::string hint = code == EEXIST ? "; move it away, it is not written over" : "";
  return {Errc::cant_create, path + ": " + std::strerror(code) + hint};
}

// What stands under the name, be it a link to nowhere.
bool is_taken(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

// So that the name outlives a power cut.
Status sync_folder(const std::string& path) {
  const int fd = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // EINVAL: there is no such thing there
  const bool is_synced = fd >= 0 && (::fsync(fd) == 0 || errno == EINVAL);
  const int code = errno;
  if (fd >= 0) ::close(fd);
  if (is_synced) return Done{};
  return Error{Errc::io, folder_of(path) + ": sync: " + std::strerror(code)};
}

}  // namespace

Result<std::unique_ptr<NewFile>> NewFile::create(const std::string& path) {
  if (is_taken(path)) return cannot_create(path, EEXIST);
  const int fd = ::open(folder_of(path).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kMode);
  if (fd < 0) return create_under_other_name(path);
  if (::access(name_of_descriptor(fd).c_str(), F_OK) == 0) return with_stream(fd, path, "");
  ::close(fd);  // without /proc it could never get a name
  return create_under_other_name(path);
}

Result<std::unique_ptr<NewFile>> NewFile::create_under_other_name(const std::string& path) {
  constexpr int kTriesMax = 100;  // names that other programs left
  if (is_taken(path)) return cannot_create(path, EEXIST);
  for (int i = 0; i < kTriesMax; ++i) {
    std::string name =
        folder_of(path) + "/.dl-ingest." + std::to_string(::getpid()) + "." + std::to_string(i);
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
    if (fd >= 0) return with_stream(fd, path, std::move(name));
    if (errno != EEXIST) break;
  }
  return cannot_create(path, errno);
}

Result<std::unique_ptr<NewFile>> NewFile::with_stream(int fd, const std::string& path,
                                                      std::string other_name) {
  std::unique_ptr<NewFile> file(new NewFile(path, std::move(other_name)));
  file->stream_ = ::fdopen(fd, "w");
  if (file->stream_ != nullptr) return file;
  const int code = errno;
  ::close(fd);
  return Error{Errc::io, path + ": " + std::strerror(code)};
}

NewFile::~NewFile() {
  if (stream_ != nullptr) std::fclose(stream_);
  if (!other_name_.empty()) ::unlink(other_name_.c_str());
  if (has_name_ && !is_kept_) ::unlink(path_.c_str());
}

Status NewFile::publish() {
  if (std::fflush(stream_) != 0)
    return Error{Errc::io, path_ + ": writing: " + std::strerror(errno)};
  if (::fsync(::fileno(stream_)) != 0)
    return Error{Errc::io, path_ + ": sync: " + std::strerror(errno)};
  if (link() != 0) return cannot_create(path_, errno);
  has_name_ = true;
  return sync_folder(path_);
}

int NewFile::link() const {
  if (other_name_.empty()) {
    return ::linkat(AT_FDCWD, name_of_descriptor(::fileno(stream_)).c_str(), AT_FDCWD,
                    path_.c_str(), AT_SYMLINK_FOLLOW);
  }
  if (::renameat2(AT_FDCWD, other_name_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  return ::link(other_name_.c_str(), path_.c_str());  // the other name goes with the object
}

}  // namespace dl
