#include "storage/live_daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "queries_sql.h"
#include "storage/migrator.h"

namespace dl {
namespace {

constexpr std::chrono::milliseconds kPause{2};  // longer than the step of the daemon's busy handler

// SQLite's exceptions pass.
bool daemon_seems_alive(Database& database) {
  SQLite::Statement live(database.handle(), std::string(sql::k_ingest_live_instances));
  while (live.executeStep()) {
    if (::kill(live.getColumn(0).getInt(), 0) == 0 || errno == EPERM) return true;
  }
  return false;
}

bool daemon_holds_lock(const std::string& path) {
  const int fd = ::open((path + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return false;
  const bool is_held = ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(fd);
  return is_held;
}

}  // namespace

Status refuse_to_migrate_beside_daemon(const std::string& path) {
  int version = 0;
  try {
    SQLite::Database reader(path, SQLite::OPEN_READONLY, 5'000);
    version = reader.execAndGet("PRAGMA user_version").getInt();
  } catch (const SQLite::Exception&) {
    return Done{};  // not there, or unreadable: who opens it says so
  }
  if (version == 0 || version >= newest_schema() || !daemon_holds_lock(path)) return Done{};
  return Error{Errc::busy, path + ": has schema " + std::to_string(version) + ", this program would make it " + std::to_string(newest_schema()) +
                               ", and an older dl-daemon is sending for it: restart that first (systemctl restart dl-daemon), then try again"};
}

Result<bool> leave_room_for_daemon(Database& database, int checkpoint_pages) {
  bool alive = false;
  const Status ok = database.guard(database.path(), [&]() -> Status {
    alive = daemon_seems_alive(database);
    return Done{};
  });
  if (!ok) return ok.error();
  if (alive) {
    std::this_thread::sleep_for(kPause);
  } else if (Status short_log = database.checkpoint_if_longer_than(checkpoint_pages); !short_log) {
    return short_log.error();
  }
  return alive;
}

}  // namespace dl
