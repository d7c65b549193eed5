#include "storage/free_space.h"

#include <string>

#include "storage/live_daemon.h"

namespace dl {
namespace {

constexpr int kPagesAtOnce = 200;

}  // namespace

Result<FreeSpace> give_space_back(Database& database) {
  SQLite::Database& db = database.handle();
  FreeSpace space;
  const auto bytes_free = [&] {
    return db.execAndGet("PRAGMA freelist_count").getInt64() *
           db.execAndGet("PRAGMA page_size").getInt64();
  };
  std::int64_t before = 0;
  Status ok = database.guard(database.path(), [&]() -> Status {
    before = space.left_bytes = bytes_free();
    return Done{};
  });
  for (std::int64_t last = 0; ok && space.left_bytes > 0 && space.left_bytes != last;) {
    last = space.left_bytes;
    ok = database.guard(database.path(), [&]() -> Status {
      db.exec("PRAGMA incremental_vacuum(" + std::to_string(kPagesAtOnce) + ")");
      space.left_bytes = bytes_free();
      return Done{};
    });
    if (!ok) break;
    if (auto polite = leave_room_for_daemon(database); !polite) return polite.error();
  }
  if (!ok) return ok.error();
  space.given_back_bytes = before - space.left_bytes;
  return space;
}

}  // namespace dl
