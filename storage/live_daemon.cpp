#include "storage/live_daemon.h"

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "queries_sql.h"

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

}  // namespace

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
