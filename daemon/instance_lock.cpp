#include "daemon/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "storage/database_name.h"

namespace dl {
namespace {

constexpr std::chrono::milliseconds kStandbyLook{20};
constexpr std::chrono::milliseconds kLookerGoes{1};
constexpr std::chrono::seconds kLookersGone{10};  // a long log is moved
constexpr mode_t kMode = 0660;

// dl-ingest holds it shared while it looks whether a daemon lives, and while it cuts the log
// because none does. That is no daemon, and is waited for: it could not be had shared where another
// daemon has it. False: errno says why.
bool lock_alone(int fd) {
  const auto until = std::chrono::steady_clock::now() + kLookersGone;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= until ||
        flock(fd, LOCK_SH | LOCK_NB) != 0)
      return false;
    flock(fd, LOCK_UN);  // or two that begin would keep each other out
    std::this_thread::sleep_for(kLookerGoes);
  }
  return true;
}

}  // namespace

InstanceLock::InstanceLock(std::string given, std::string database, int fd, std::int64_t device,
                           std::int64_t inode)
    : given_(std::move(given)),
      database_(std::move(database)),
      fd_(fd),
      device_(device),
      inode_(inode) {}

InstanceLock::InstanceLock(InstanceLock&& other) noexcept
    : given_(std::move(other.given_)),
      database_(std::move(other.database_)),
      fd_(std::exchange(other.fd_, -1)),
      device_(other.device_),
      inode_(other.inode_) {}

InstanceLock::~InstanceLock() {
  if (fd_ >= 0) close(fd_);
}

Result<InstanceLock> InstanceLock::take(const std::string& database_path) {
  const Result<std::string> database = name_of_database(database_path);
  if (!database) return database.error();
  const std::string path = *database + ".lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (fd < 0) {
    const Errc code = errno == EACCES ? Errc::no_permission : Errc::cant_create;
    return Error{
        code, path + ": " + (errno == ENOENT ? "the folder does not exist" : std::strerror(errno))};
  }
  struct stat info {};
  const bool known = fstat(fd, &info) == 0;
  InstanceLock lock(database_path, *database, fd, static_cast<std::int64_t>(info.st_dev),
                    static_cast<std::int64_t>(info.st_ino));
  if (!known) return Error{Errc::io, path + ": " + std::strerror(errno)};
  if (!lock_alone(fd)) {
    if (errno != EWOULDBLOCK) return Error{Errc::io, path + ": " + std::strerror(errno)};
    return Error{Errc::busy, "another dl-daemon sends for " + database_path +
                                 "; stop it first, or wait for it with --standby"};
  }
  if (!lock.check())
    return Error{Errc::busy, path + " was replaced while it was being locked; try again"};
  return lock;
}

Result<InstanceLock> InstanceLock::wait(const std::string& database_path,
                                        const std::atomic<bool>& stop,
                                        const std::function<void()>& while_waiting) {
  while (true) {
    Result<InstanceLock> lock = take(database_path);
    if (lock || lock.error().code != Errc::busy || stop) return lock;
    while_waiting();
    std::this_thread::sleep_for(kStandbyLook);
  }
}

Status InstanceLock::check_file() const {
  struct stat info {};
  if (stat(path().c_str(), &info) != 0 || static_cast<std::int64_t>(info.st_dev) != device_ ||
      static_cast<std::int64_t>(info.st_ino) != inode_) {
    return Error{Errc::busy,
                 "the lock file " + path() +
                     " is not there any more or another file: another daemon may start; "
                     "stopping before it sends"};
  }
  return Done{};
}

Status InstanceLock::check() const {
  if (Status ours = check_file(); !ours) return ours;
  if (const Result<std::string> now = name_of_database(given_); now && *now != database_) {
    return Error{Errc::busy,
                 given_ + " leads to another file now (" + *now + ", not " + database_ +
                     "), and nothing that is loaded there would be sent; stopping: start again"};
  }
  return Done{};
}

}  // namespace dl
