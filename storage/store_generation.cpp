// The generation: moved here in the tables, kept beside them in the GenerationFile.
#include <algorithm>

#include "queries_sql.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {
namespace {

// Between two permits that move it. A database that was copied and put back within this time of the daemon's
// last request is not told from the one that was sent from.
constexpr Millis kMovesEvery = 1'000;

std::int64_t generation_of(Database& database) {
  return std::stoll(database.handle().execAndGet("SELECT value FROM property WHERE name = 'generation'").getString());
}

}  // namespace

// The file is brought up to the tables first: a crash between the two may have left it one behind, and must not
// leave it two behind.
Status Store::trust_or_hold(GenerationFile file) {
  Status ok = database_->guard(database_->path(), [&]() -> Status {
    generation_ = generation_of(*database_);
    return Done{};
  });
  if (!ok) return ok;
  forgotten_ = file.distrust(database_->database_id(), generation_);
  if (forgotten_.empty()) {
    if (Status written = file.write(database_->database_id(), generation_); !written) return written;
  } else {
    generation_ = std::max(generation_, file.generation());
  }
  generation_file_.emplace(std::move(file));
  return Done{};
}

// Of the take-over.
void Store::begin_generation(Moment now) {
  generation_ = std::max(generation_, generation_of(*database_));
  move_generation(now);
  if (forgotten_.empty()) return;
  SQLite::Statement& hold = sql(sql::k_hold_forgotten);
  hold.bind(":reason", forgotten_ + "; requests may have been forgotten. Compare with the DSP (dl-daemon --verify), "
                                    "decide the jobs it names, then operator_act resume");
  hold.bind(":at", now.wall_ms);
  hold.exec();
}

void Store::move_generation(Moment now) {
  ++generation_;
  SQLite::Statement& move = sql(sql::k_move_generation);
  move.bind(":generation", std::to_string(generation_));
  move.exec();
  generation_moved_boot_ms_ = now.boot_ms;
}

void Store::move_generation_with(const std::vector<WorkResult>& results, Moment now) {
  if (now.boot_ms - generation_moved_boot_ms_ < kMovesEvery) return;
  const bool sends = std::any_of(results.begin(), results.end(), [](const WorkResult& result) { return !result.granted.empty(); });
  if (sends) move_generation(now);
}

Status Store::keep_generation() {
  if (!generation_file_ || generation_file_->generation() == generation_) return Done{};
  return generation_file_->write(database_->database_id(), generation_);
}

}  // namespace dl
