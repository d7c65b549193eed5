// What becomes visible with a batch: changed payloads, jobs that are ready.
#include "queries_sql.h"
#include "storage/batch_writer.h"
#include "storage/model/job_state.h"
#include "storage/sound_rows.h"

namespace dl {
namespace {

constexpr Rule kPublished = *rule_for(JobState::blocked, JobEvent::parents_done);

}  // namespace

// Jobs that are about to change, and where the batches that this command has loaded before have
// them.
std::unordered_map<std::int64_t, EarlierRow> BatchWriter::named_earlier() {
  std::unordered_map<std::int64_t, EarlierRow> rows;
  if (!first_of_command_) return rows;
  SQLite::Statement list(database_.handle(), std::string(sql::k_ingest_named_earlier));
  list.bind(":first", first_of_command_->value);
  list.bind(":batch", id_.value);
  while (list.executeStep()) {
    rows.try_emplace(list.getColumn(0).getInt64(),
                     EarlierRow{list.getColumn(1).getString(), list.getColumn(2).getInt64()});
  }
  return rows;
}

void BatchWriter::apply_changes(std::int64_t now_ms, PublishNews& news) {
  SQLite::Database& db = database_.handle();
  SQLite::Statement list(db, std::string(sql::k_ingest_list_changes));
  SQLite::Statement open_attempt(db, std::string(sql::k_ingest_open_attempt));
  SQLite::Statement bodies(db, std::string(sql::k_ingest_bodies_of_change));
  SQLite::Statement change(db, std::string(sql::k_ingest_change_payload));
  const std::unordered_map<std::int64_t, EarlierRow> earlier = named_earlier();
  while (list.executeStep()) {
    const std::int64_t job = list.getColumn(0).getInt64();
    const std::int64_t line = list.getColumn(1).getInt64();
    open_attempt.bind(":at", now_ms);
    open_attempt.bind(":job", job);
    const int free_to_change = open_attempt.exec();
    open_attempt.reset();
    if (free_to_change == 0) {
      ++counts_.conflicts;
      news.conflicts.push_back({line, list.getColumn(2).getString(), list.getColumn(4).getString(),
                                list.getColumn(3).getString()});
      continue;
    }
    ++counts_.changed;
    const auto named = earlier.find(job);
    if (named != earlier.end()) ++counts_.contradictions;
    if (news.changes.size() < PublishNews::kChangesTold) {
      const JobKind kind = kind_of(list.getColumn(4));
      bodies.bind(":job", job);
      bodies.executeStep();
      news.changes.push_back(
          {line, kind, bodies.getColumn(0).getString(), bodies.getColumn(1).getString(),
           named == earlier.end() ? std::nullopt : std::optional(named->second)});
      bodies.reset();
    }
    change.bind(":job", job);
    change.exec();
    change.reset();
    if (list.getColumn(3).getString() == "failed") retry(job);
  }
}

// A failed job whose payload was put right is tried again by an operator's act, like any other
// retry.
void BatchWriter::retry(std::int64_t job) {
  SQLite::Statement act(database_.handle(), std::string(sql::k_ingest_retry));
  act.bind(":job", job);
  act.bind(":who", loaded_by_ + " (dl-ingest)");
  act.bind(":why", "new values by batch " + std::to_string(id_.value));
  act.exec();
}

void BatchWriter::make_ready(std::int64_t now_ms) {
  SQLite::Database& db = database_.handle();
  SQLite::Statement counts(db, std::string(sql::k_ingest_publish_counts));
  counts.bind(":batch", id_.value);
  while (counts.executeStep()) {
    const JobKind kind = kind_of(counts.getColumn(0));
    count(kind, "blocked", -counts.getColumn(1).getInt64());
    count(kind, "ready", +counts.getColumn(1).getInt64());
  }
  SQLite::Statement history(db, std::string(sql::k_ingest_publish_history));
  history.bind(":at", now_ms);
  history.bind(":rule", kPublished.id);
  history.bind(":batch", id_.value);
  history.exec();
  SQLite::Statement jobs(db, std::string(sql::k_ingest_publish_jobs));
  jobs.bind(":at", now_ms);
  jobs.bind(":batch", id_.value);
  jobs.exec();
}

}  // namespace dl
