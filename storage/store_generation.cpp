// The generation: moved here in the tables, kept beside them in the GenerationFile, with the last
// request that was permitted.
#include <algorithm>

#include "queries_sql.h"
#include "storage/fault/fault_point.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {
namespace {

// The newest request is never archived, so a database that was sent from has it.
bool knows(Database& database, const LastSent& sent) {
  SQLite::Statement row(
      database.handle(),
      "SELECT EXISTS (SELECT 1 FROM request r JOIN instance i ON i.id = r.instance_id "
      "WHERE r.id = ?1 AND r.sent_at = ?2 AND i.uuid = ?3)");
  row.bind(1, sent.request.value);
  row.bind(2, sent.at_ms);
  row.bind(3, sent.instance);
  row.executeStep();
  return row.getColumn(0).getInt() != 0;
}

}  // namespace

// The file is brought up to the tables first: a crash between the two may have left it one behind,
// and must not leave it two behind.
Status Store::trust_or_hold(GenerationFile file) {
  bool knows_the_last = true;
  Status ok = database_->guard(database_->path(), [&]() -> Status {
    generation_ = number_property(database_->handle(), "generation");
    if (file.last_sent().request) knows_the_last = knows(*database_, file.last_sent());
    return Done{};
  });
  if (!ok) return ok;
  forgotten_ = file.distrust(database_->database_id(), generation_);
  if (forgotten_.empty() && !knows_the_last) {
    forgotten_ = "the database is an older copy of what was sent from (it does not know request " +
                 std::to_string(file.last_sent().request.value) + ", the last that left)";
  }
  if (forgotten_.empty()) {
    last_sent_ = file.last_sent();
    if (Status written = file.write(database_->database_id(), generation_, last_sent_); !written)
      return written;
  } else {
    generation_ = std::max(generation_, file.generation());
  }
  generation_file_.emplace(std::move(file));
  return Done{};
}

// Of the take-over.
void Store::begin_generation(Moment now) {
  generation_ = std::max(generation_, number_property(database_->handle(), "generation"));
  move_generation();
  if (forgotten_.empty()) return;
  put_pause_behind("generation check");
  SQLite::Statement& hold = sql(sql::k_hold_forgotten);
  hold.bind(":reason",
            forgotten_ +
                "; requests may have been forgotten. Compare with the DSP (dl-daemon --verify), "
                "decide the jobs it names, then operator_act resume");
  hold.bind(":at", now.wall_ms);
  hold.exec();
}

void Store::move_generation() {
  ++generation_;
  SQLite::Statement& move = sql(sql::k_move_generation);
  move.bind(":generation", std::to_string(generation_));
  move.exec();
}

// Permits leave once this has returned, so what leaves is in the file first.
Status Store::keep_generation(Moment now) {
  if (!generation_file_) return Done{};
  const bool has_moved = generation_file_->generation() != generation_;
  if (!has_moved && generation_file_->last_sent() == last_sent_)
    return generation_file_->settle(now);
  DL_FAULT_POINT("generation.before_write");
  const Status kept =
      has_moved ? generation_file_->write(database_->database_id(), generation_, last_sent_)
                : generation_file_->note(last_sent_, now);
  DL_FAULT_POINT("generation.after_write");
  return kept;
}

}  // namespace dl
