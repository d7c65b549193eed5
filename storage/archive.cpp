#include "storage/archive.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <vector>

#include "queries_sql.h"
#include "storage/archive_file.h"
#include "storage/fault/fault_point.h"
#include "storage/live_daemon.h"
#include "storage/row_copier.h"

namespace dl {
namespace {

// In one transaction: some milliseconds, for which the daemon's commits wait.
constexpr std::int64_t kRowsAtOnce = 200;
constexpr std::size_t kJobsAtOnce = 100;
constexpr std::int64_t kJobsRead = 10'000;
constexpr int kCheckpointPages = 1'000;

class Mover {
 public:
  Mover(const ArchivePlan& plan, Database& database, Database& archive, std::string file,
        std::int64_t now_ms)
      : plan_(plan),
        database_(database),
        archive_(archive),
        file_(std::move(file)),
        now_ms_(now_ms) {}

  Status move_batch(const ArchiveBatch& batch);
  Status move_jobs();
  const ArchiveCounts& counts() const { return counts_; }

 private:
  struct Row {
    std::int64_t number;
    std::int64_t job;
    std::int64_t root;
  };
  struct Job {
    std::int64_t id;
    std::int64_t root;
  };
  SQLite::Statement statement(Database& database, std::string_view text) {
    return SQLite::Statement(database.handle(), std::string(text));
  }
  RowCopier copier(const std::string& table, const std::string& condition,
                   SameKey same_key = SameKey::replace) {
    return RowCopier(database_, archive_, table, condition, same_key);
  }

  // `copy` is committed in the archive before `remove`, and both see the tables and acts as they
  // stand.
  Status step(const std::function<Status()>& copy, const std::function<Status()>& remove);
  void hold_touched();
  Result<bool> lives_again(BatchId batch);
  Status hold_trees_of(BatchId batch);
  std::vector<Row> next_rows(BatchId batch);
  void copy_batch(std::int64_t batch);
  void copy_families(const std::vector<Row>& rows);
  void copy_content(std::int64_t job, bool is_archived);
  Status move_some(std::vector<Job> jobs);
  void remove_evidence(std::int64_t job);

  ArchivePlan plan_;
  bool is_touched_ = false;  // an operator has been at a tree since the plan was made
  Database& database_;
  Database& archive_;
  std::string file_;
  std::int64_t now_ms_;
  ArchiveCounts counts_;
  std::set<std::int64_t> batches_;    // whose own row has been copied
  std::set<std::int64_t> instances_;  // likewise

  RowCopier batch_ = copier("batch", "id = ?1");
  RowCopier instance_ = copier("instance", "id = ?1");
  RowCopier job_ = copier("job", "id = ?1");
  RowCopier payload_ = copier("job_payload", "job_id = ?1");
  RowCopier edge_ = copier("job_edge", "child_id = ?1");
  // Of a job that is archived already the archive has the full copy.
  RowCopier job_if_new_ = copier("job", "id = ?1", SameKey::keep);
  RowCopier payload_if_new_ = copier("job_payload", "job_id = ?1", SameKey::keep);
  RowCopier request_ = copier("request", "job_id = ?1");
  RowCopier body_ =
      copier("request_body", "request_id IN (SELECT id FROM request WHERE job_id = ?1)");
  RowCopier history_ = copier("job_history", "job_id = ?1");
  RowCopier act_ = copier("operator_act", "job_id = ?1");
  SQLite::Statement instances_of_ =
      statement(database_, "SELECT DISTINCT instance_id FROM request WHERE job_id = ?1");
  SQLite::Statement family_ = statement(database_, sql::k_archive_family);
  SQLite::Statement mark_ = statement(database_, sql::k_archive_mark_job);
  SQLite::Statement acts_ = statement(database_, sql::k_archive_acts_since);
};

Status Mover::step(const std::function<Status()>& copy, const std::function<Status()>& remove) {
  const Status ok = database_.transaction(Writer::ingest, [&]() -> Status {
    hold_touched();
    if (Status copied = archive_.transaction(Writer::ingest, copy); !copied) return copied;
    DL_FAULT_POINT("archive.copied");
    return remove();
  });
  if (!ok) return ok;
  DL_FAULT_POINT("archive.moved");
  if (Status short_log = archive_.checkpoint_if_longer_than(kCheckpointPages); !short_log)
    return short_log;
  if (auto polite = leave_room_for_daemon(database_); !polite) return polite.error();
  return Done{};
}

// What was finished lives again by an act alone, so they tell what the plan cannot know. In the
// transaction that moves something: no act comes between.
void Mover::hold_touched() {
  acts_.bind(":act", plan_.newest_act);
  while (acts_.executeStep()) {
    plan_.newest_act = acts_.getColumn(0).getInt64();
    is_touched_ = true;
    plan_.hold(acts_.getColumn(1).getInt64());
  }
  acts_.reset();
}

// A tree of it, or of a batch that has stayed since for such a tree. Before it is begun, so that
// seldom one is moved in part; what is certain is asked at each step.
Result<bool> Mover::lives_again(BatchId batch) {
  hold_touched();
  bool lives = false;
  if (!is_touched_) return lives;
  const Status ok = each_row_of(database_, batch,
                                [&](std::int64_t root) { lives = lives || !plan_.is_free(root); });
  if (!ok) return ok.error();
  return lives;
}

// Its rows stay here, so the payloads that they are put together from stay, too.
Status Mover::hold_trees_of(BatchId batch) {
  return each_row_of(database_, batch, [&](std::int64_t root) { plan_.hold(root); });
}

std::vector<Mover::Row> Mover::next_rows(BatchId batch) {
  std::vector<Row> rows;
  SQLite::Statement next = statement(database_, sql::k_archive_rows);
  next.bind(":batch", batch.value);
  next.bind(":first", 0);
  next.bind(":n", kRowsAtOnce);
  while (next.executeStep()) {
    rows.push_back(
        {next.getColumn(0).getInt64(), next.getColumn(1).getInt64(), next.getColumn(2).getInt64()});
  }
  return rows;
}

// There its rows are not elsewhere.
void Mover::copy_batch(std::int64_t batch) {
  if (!batches_.insert(batch).second) return;
  batch_.copy(batch);
  SQLite::Statement is_here = statement(archive_, sql::k_archive_batch_is_here);
  is_here.bind(":batch", batch);
  is_here.exec();
}

void Mover::copy_content(std::int64_t job, bool is_archived) {
  (is_archived ? job_if_new_ : job_).copy(job);
  (is_archived ? payload_if_new_ : payload_).copy(job);
  edge_.copy(job);
}

// A row is put together from its entity and all ancestors of it, and each of them names its batch.
void Mover::copy_families(const std::vector<Row>& rows) {
  std::set<std::int64_t> copied;
  for (const Row& row : rows) {
    family_.bind(":job", row.job);
    while (family_.executeStep()) {
      const std::int64_t job = family_.getColumn(0).getInt64();
      const std::int64_t batch = family_.getColumn(1).getInt64();
      if (!copied.insert(job).second) continue;
      copy_batch(batch);
      copy_content(job, family_.getColumn(2).getInt() != 0);
    }
    family_.reset();
  }
}

Status Mover::move_batch(const ArchiveBatch& batch) {
  const Result<bool> lives = lives_again(batch.id);
  if (!lives) return lives.error();
  if (*lives) return hold_trees_of(batch.id);
  Status ok = database_.transaction(Writer::ingest, [&]() -> Status {
    SQLite::Statement begin = statement(database_, sql::k_archive_begin_batch);
    begin.bind(":file", file_);
    begin.bind(":batch", batch.id.value);
    if (begin.exec() == 1) return Done{};
    return Error{Errc::software,
                 "batch " + std::to_string(batch.id.value) + " is archived already"};
  });
  RowCopier row_copier =
      copier("batch_row", "batch_id = " + std::to_string(batch.id.value) + " AND row = ?1");
  bool stays = false;  // from the first row of a tree on that is held by now
  for (std::vector<Row> rows{{}}; ok && !rows.empty() && !stays;) {
    ok = step(
        [&]() -> Status {
          rows = next_rows(batch.id);
          const auto living =
              std::ranges::find_if(rows, [&](const Row& row) { return !plan_.is_free(row.root); });
          stays = living != rows.end();
          rows.erase(living, rows.end());
          copy_batch(batch.id.value);
          copy_families(rows);
          for (const Row& row : rows) row_copier.copy(row.number);
          return Done{};
        },
        [&]() -> Status {
          if (rows.empty()) return Done{};
          SQLite::Statement remove = statement(database_, sql::k_archive_delete_rows);
          remove.bind(":batch", batch.id.value);
          remove.bind(":first", rows.front().number);
          remove.bind(":last", rows.back().number);
          counts_.rows += remove.exec();
          return Done{};
        });
  }
  if (!ok) return ok;
  if (stays) return hold_trees_of(batch.id);
  ++counts_.batches;
  return database_.transaction(Writer::ingest, [&]() -> Status {
    SQLite::Statement end = statement(database_, sql::k_archive_end_batch);
    end.bind(":at", now_ms_);
    end.bind(":batch", batch.id.value);
    end.exec();
    return Done{};
  });
}

void Mover::remove_evidence(std::int64_t job) {
  for (const std::string_view text :
       {sql::k_archive_delete_bodies, sql::k_archive_delete_requests, sql::k_archive_delete_history,
        sql::k_archive_empty_payload}) {
    SQLite::Statement remove = statement(database_, text);
    remove.bind(":job", job);
    const int removed = remove.exec();
    if (text.data() == sql::k_archive_delete_requests.data()) counts_.requests += removed;
  }
}

Status Mover::move_some(std::vector<Job> jobs) {
  return step(
      [&]() -> Status {
        std::erase_if(jobs, [&](const Job& job) { return !plan_.is_free(job.root); });
        for (const auto& [job, root] : jobs) {
          family_.bind(":job", job);
          family_.executeStep();  // itself comes first
          const std::int64_t batch = family_.getColumn(1).getInt64();
          family_.reset();
          copy_batch(batch);
          copy_content(job, false);
          request_.copy(job);
          body_.copy(job);
          history_.copy(job);
          act_.copy(job);
          instances_of_.bind(1, job);
          while (instances_of_.executeStep()) {
            const std::int64_t instance = instances_of_.getColumn(0).getInt64();
            if (instances_.insert(instance).second) instance_.copy(instance);
          }
          instances_of_.reset();
        }
        return Done{};
      },
      [&]() -> Status {
        for (const auto& [job, root] : jobs) {
          mark_.bind(":at", now_ms_);
          mark_.bind(":job", job);
          mark_.bind(":before", plan_.before_ms);
          mark_.bind(":newest_request", plan_.newest_request);
          const int is_still_finished = mark_.exec();
          mark_.reset();
          // a late answer was faster; its copy is replaced next time
          if (is_still_finished == 0) continue;
          remove_evidence(job);
          ++counts_.jobs;
        }
        return Done{};
      });
}

Status Mover::move_jobs() {
  for (std::int64_t first = 1; first <= plan_.last_job; first += kJobsRead) {
    std::vector<Job> jobs;
    Status ok = database_.guard(database_.path(), [&]() -> Status {
      SQLite::Statement candidates = statement(database_, sql::k_archive_candidates);
      candidates.bind(":first", first);
      candidates.bind(":last", first + kJobsRead - 1);
      while (candidates.executeStep()) {
        const Job job{candidates.getColumn(0).getInt64(), candidates.getColumn(1).getInt64()};
        if (job.id <= plan_.last_job && plan_.is_free(job.root)) jobs.push_back(job);
      }
      return Done{};
    });
    for (std::size_t i = 0; ok && i < jobs.size(); i += kJobsAtOnce) {
      const auto begin = jobs.begin() + static_cast<std::ptrdiff_t>(i);
      const auto end =
          jobs.begin() + static_cast<std::ptrdiff_t>(std::min(jobs.size(), i + kJobsAtOnce));
      ok = move_some(std::vector<Job>(begin, end));
    }
    if (!ok) return ok;
  }
  return Done{};
}

// The counts of what is in the archive, for its own v_progress.
Status count_anew(Database& archive) {
  return archive.transaction(Writer::ingest, [&]() -> Status {
    archive.handle().exec(std::string(sql::k_archive_delete_counts));
    archive.handle().exec(std::string(sql::k_archive_count_anew));
    return Done{};
  });
}

}  // namespace

Result<ArchiveCounts> carry_out(const ArchivePlan& plan, Database& database,
                                const std::string& file, std::int64_t now_ms) {
  Result<std::unique_ptr<Database>> archive = open_archive(database, file);
  if (!archive) return archive.error();
  ArchiveCounts counts;
  Status ok = database.guard(database.path(), [&]() -> Status {
    // As it is found from anywhere: the batches name it for years.
    const std::string whole_path = std::filesystem::absolute(file).lexically_normal().string();
    for (const ArchiveBatch& batch : plan.going) {
      if (Status one = refuse_second_archive(database, **archive, whole_path, batch.id); !one)
        return one;
    }
    Mover mover(plan, database, **archive, whole_path, now_ms);
    for (const ArchiveBatch& batch : plan.going) {
      if (Status moved = mover.move_batch(batch); !moved) return moved;
    }
    const Status moved = mover.move_jobs();
    counts = mover.counts();
    return moved;
  });
  if (ok) ok = count_anew(**archive);
  if (!ok) return ok.error();
  return counts;
}

}  // namespace dl
