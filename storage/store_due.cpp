// What becomes due by time alone, and what an operator's word is worth: a retry whose time has
// come, a POST that was declared absent and has settled, an id that was declared and turns out to
// be unknown.
#include "queries_sql.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {

Store::Unresolved Store::unresolved_posts(JobId job) {
  SQLite::Statement& ends = sql(sql::k_unresolved_posts_end);
  ends.bind(":job", job.value);
  ends.bind(":boot_key", facts_.boot_key);
  ends.bind(":first_boot_ms", first_boot_ms_);
  ends.executeStep();
  const Unresolved unresolved{ends.getColumn(0).getInt(), ends.getColumn(1).getInt64()};
  ends.reset();
  return unresolved;
}

// Judged here and not by who asks: whoever believes too early that an absent POST has settled makes
// a duplicate.
void Store::make_due(JobId job, WorkResult& result, Moment now) {
  const Unresolved unresolved = unresolved_posts(job);
  const bool is_unresolved = unresolved.count != 0;
  if (is_unresolved) {
    if (now.boot_ms < unresolved.ended_boot_ms + policy_.settle_ms) return;
    if (policy_.unknown_outcome == UnknownOutcome::lookup && look_up_the_absent(job, now)) return;
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

// His word is a reason to look, not one of the looks: the DSP's own "not found" can be wrong just
// as he can, and a single one of each made a duplicate.
bool Store::look_up_the_absent(JobId job, Moment now) {
  SQLite::Statement& update = sql(sql::k_look_due);
  update.bind(":job", job.value);
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

// Where every creation of the job is known dead (it had failed before his word), neither a key nor
// a lookup can tell more: it was in nobody's doubt but his.
void Store::withdraw_declaration(JobId job, Moment now) {
  SQLite::Statement& withdraw = sql(sql::k_withdraw_declaration);
  withdraw.bind(":job", job.value);
  withdraw.exec();
  if (unresolved_posts(job).count == 0) {
    hold(job,
         "the id that an operator gave is not that of this job, and every POST of it is known to "
         "have created nothing",
         now);
  }
}

}  // namespace dl
