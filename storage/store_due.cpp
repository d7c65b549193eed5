// What becomes due by time alone, and what an operator's word is worth: a retry whose time has come, a POST that
// was declared absent and has settled, an id that was declared and turns out to be unknown.
#include "queries_sql.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {

// Judged here and not by who asks: whoever believes too early that an absent POST has settled makes a duplicate.
void Store::make_due(JobId job, WorkResult& result, Moment now) {
  SQLite::Statement& ends = sql(sql::k_unresolved_posts_end);
  ends.bind(":job", job.value);
  ends.bind(":boot_key", facts_.boot_key);
  ends.bind(":first_boot_ms", first_boot_ms_);
  ends.executeStep();
  const bool is_unresolved = ends.getColumn(0).getInt() != 0;
  const std::int64_t ended_boot_ms = ends.getColumn(1).getInt64();
  ends.reset();
  if (is_unresolved) {
    if (now.boot_ms < ended_boot_ms + policy_.settle_ms) return;
    if (policy_.unknown_outcome == UnknownOutcome::lookup && look_once_more(job, now)) return;
  }
  SQLite::Statement& update = sql(sql::k_make_due);
  update.bind(":job", job.value);
  update.bind(":at", now.wall_ms);
  if (!update.executeStep()) return;
  const JobRef ready = job_ref(update);
  count(update.getColumn("batch_id").getInt64(), ready.kind, JobState::waiting, JobState::ready);
  const int attempt = update.getColumn("attempt").getInt();
  update.reset();
  add_history(job, *rule_for(JobState::waiting, JobEvent::due), attempt, RequestId{}, "", now);
  result.ready.push_back(ready);
  if (!is_unresolved) return;
  // An operator declared them absent, and the settle time has passed: now they are resolved.
  SQLite::Statement& resolve = sql(sql::k_resolve_posts);
  resolve.bind(":job", job.value);
  resolve.bind(":resolution", "absent");
  resolve.exec();
}

bool Store::look_once_more(JobId job, Moment now) {
  SQLite::Statement& update = sql(sql::k_look_due);
  update.bind(":job", job.value);
  update.bind(":looks", kAbsentLooks - 1);
  update.bind(":at", now.wall_ms);
  if (!update.executeStep()) return false;
  const JobKind kind = kind_column(update, "kind");
  const std::int64_t batch_id = update.getColumn("batch_id").getInt64();
  const int attempt = update.getColumn("attempt").getInt();
  update.reset();
  count(batch_id, kind, JobState::waiting, JobState::in_doubt);
  add_history(job, *rule_for(JobState::waiting, JobEvent::look_due), attempt, RequestId{}, "", now);
  return true;
}

void Store::withdraw_declaration(JobId job) {
  SQLite::Statement& withdraw = sql(sql::k_withdraw_declaration);
  withdraw.bind(":job", job.value);
  withdraw.exec();
}

}  // namespace dl
