#include "storage/live_daemon.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "storage/migrator.h"

namespace dl {
namespace {

constexpr std::chrono::milliseconds kPause{2};  // longer than the step of the daemon's busy handler

// A look at the daemon's lock, which takes it shared: as long as this lives and has found nobody,
// no daemon begins.
class LookAtLock {
 public:
  explicit LookAtLock(const std::string& database)
      : fd_(::open((database + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
    if (fd_ < 0 && errno == ENOENT) return;  // no daemon was ever here
    if (fd_ >= 0 && ::flock(fd_, LOCK_SH | LOCK_NB) == 0) return;
    error_ = errno;
  }
  ~LookAtLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  LookAtLock(const LookAtLock&) = delete;
  LookAtLock& operator=(const LookAtLock&) = delete;

  bool has_found_nobody() const { return error_ == 0; }
  bool is_held() const { return error_ == EWOULDBLOCK; }
  int error() const { return error_; }

 private:
  int fd_;
  int error_ = 0;  // why it is not ours
};

// Nothing where it is not there or unreadable: who opens it says so.
std::optional<int> older_schema_of(const std::string& path) {
  try {
    SQLite::Database reader(path, SQLite::OPEN_READONLY, 5'000);
    if (reader.execAndGet("PRAGMA application_id").getInt() != kApplicationId) return std::nullopt;
    const int version = reader.execAndGet("PRAGMA user_version").getInt();
    if (version > 0 && version < newest_schema()) return version;
  } catch (const SQLite::Exception&) {
  }
  return std::nullopt;
}

}  // namespace

bool has_older_schema(const std::string& path) { return older_schema_of(path).has_value(); }

Status refuse_to_migrate_beside_daemon(const std::string& path) {
  const std::optional<int> version = older_schema_of(path);
  if (!version) return Done{};
  const LookAtLock lock(path);
  if (lock.has_found_nobody()) return Done{};
  const std::string daemon =
      lock.is_held()
          ? "an older dl-daemon is sending for it"
          : std::string(
                "an older dl-daemon may be sending for it, for its lock cannot be asked (") +
                std::strerror(lock.error()) + ")";
  return Error{Errc::busy,
               path + ": has schema " + std::to_string(*version) + ", this program would make it " +
                   std::to_string(newest_schema()) + ", and " + daemon +
                   ": restart that first (systemctl restart dl-daemon), then try again"};
}

Result<bool> leave_room_for_daemon(Database& database, int checkpoint_pages) {
  const LookAtLock lock(database.path());
  if (!lock.has_found_nobody()) {
    std::this_thread::sleep_for(kPause);
    return true;
  }
  if (Status short_log = database.checkpoint_if_longer_than(checkpoint_pages); !short_log)
    return short_log.error();
  return false;
}

}  // namespace dl
