#include "storage/live_daemon.h"

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "queries_sql.h"

namespace dl {
namespace {

constexpr std::chrono::milliseconds kPause{2};  // longer than the step of the daemon's busy handler
constexpr int kCheckpointPages = 1'000;

}  // namespace

bool daemon_seems_alive(Database& database) {
  SQLite::Statement live(database.handle(), std::string(sql::k_ingest_live_instances));
  while (live.executeStep()) {
    if (::kill(live.getColumn(0).getInt(), 0) == 0 || errno == EPERM) return true;
  }
  return false;
}

Status leave_room_for_daemon(Database& database) {
  bool alive = false;
  const Status ok = database.guard(database.path(), [&]() -> Status {
    alive = daemon_seems_alive(database);
    return Done{};
  });
  if (!ok) return ok;
  if (!alive) return database.checkpoint_if_longer_than(kCheckpointPages);
  std::this_thread::sleep_for(kPause);
  return Done{};
}

}  // namespace dl
