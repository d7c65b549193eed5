#include "storage/batch_writer.h"

#include <sqlite3.h>

#include <algorithm>

#include "queries_sql.h"
#include "storage/fault/fault_point.h"
#include "storage/log_in_one_piece.h"
#include "storage/row_insert.h"

namespace dl {
namespace {

constexpr std::int64_t kCampaignsInABlock = 1'024;

void run(SQLite::Statement& statement) {
  statement.exec();
  statement.reset();
}

}  // namespace

// Between begin() and publish() this connection runs neither triggers nor checks of foreign keys
// nor CHECKs, which take more time than the rows themselves. The triggers guard against
// hand-written SQL, which comes over other connections; the rows we refer to are those we have just
// written or looked up; what CHECKs judge are constants of ours and defaults (integrity_check, in
// the tests, looks at them). Nor does it wait for the disk at each commit: after a power loss an
// invisible batch may end a few transactions earlier, and is removed either way. A checkpoint still
// syncs the log before it writes, and publish() syncs all of it. The log, which is written over and
// over, is not cut in between, and goes into the database in pieces instead of pages.
class BatchWriter::BulkMode {
 public:
  explicit BulkMode(SQLite::Database& db) : db_(db) {
    switch_to(0);
    db_.exec("PRAGMA synchronous = NORMAL");
    db_.exec("PRAGMA ignore_check_constraints = ON");
    journal_size_limit_ = db_.execAndGet("PRAGMA journal_size_limit").getInt64();
    db_.exec("PRAGMA journal_size_limit = -1");
    checkpoint_in_pieces(db_.getHandle(), true);
  }
  ~BulkMode() {
    checkpoint_in_pieces(db_.getHandle(), false);
    switch_to(1);
    db_.tryExec("PRAGMA journal_size_limit = " + std::to_string(journal_size_limit_));
    db_.tryExec("PRAGMA ignore_check_constraints = OFF");
    db_.tryExec("PRAGMA synchronous = FULL");  // publish() looks whether it is
  }
  BulkMode(const BulkMode&) = delete;
  BulkMode& operator=(const BulkMode&) = delete;

 private:
  void switch_to(int on) {
    int now = -1;
    for (const int what : {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_FKEY}) {
      sqlite3_db_config(db_.getHandle(), what, on, &now);
      DL_CHECK(now == on, "SQLite did not switch triggers or foreign keys");
    }
  }
  SQLite::Database& db_;
  std::int64_t journal_size_limit_ = -1;
};

// Parameters are bound by position: the order in which their names first stand in the file.
struct BatchWriter::Statements {
  explicit Statements(SQLite::Database& db) : db_(db) {}

  SQLite::Database& db_;
  SQLite::Statement make(std::string_view text) {
    return SQLite::Statement(db_, std::string(text));
  }

  RowsInMemory memory{db_};
  RowInsert add_job{db_, memory, sql::k_ingest_add_job};
  RowInsert add_payload{db_, memory, sql::k_ingest_add_payload};
  RowInsert add_edge{db_, memory, sql::k_ingest_add_edge};
  RowInsert add_row{db_, memory, sql::k_ingest_add_row};
  SQLite::Statement jobs_between = make(sql::k_ingest_jobs_between);
  SQLite::Statement is_open = make(sql::k_ingest_is_open);
  SQLite::Statement find_job = make(sql::k_ingest_find_job);
  SQLite::Statement add_change = make(sql::k_ingest_add_change);
  SQLite::Statement add_to_count = make(sql::k_add_to_count);
};

BatchWriter::BatchWriter(Database& database, const BatchHead& head)
    : database_(database),
      loaded_by_(head.loaded_by),
      sha256_hex_(head.sha256_hex),
      first_of_command_(head.first_of_command),
      priority_(head.priority),
      now_ms_(head.now_ms) {
  counts_.rows = head.rows;
}

BatchWriter::~BatchWriter() = default;

Result<std::unique_ptr<BatchWriter>> BatchWriter::begin(Database& database, const BatchHead& head) {
  std::unique_ptr<BatchWriter> writer(new BatchWriter(database, head));
  SQLite::Database& db = database.handle();
  Status ok = database.guard(database.path(), [&]() -> Status {
    // Room for the upper pages of all indexes; changed payloads may be many and go to a file.
    db.exec("PRAGMA temp_store = FILE; PRAGMA cache_size = -65536;");
    db.exec(std::string(sql::k_ingest_make_changes));
    db.exec("DELETE FROM temp.changed_payload");  // a writer's before us
    return Done{};
  });
  if (!ok) return ok.error();
  ok = database.transaction(Writer::ingest, [&]() -> Status {
    SQLite::Statement begin(db, std::string(sql::k_ingest_begin_batch));
    begin.bind(":source", head.source);
    begin.bind(":size_bytes", head.size_bytes);
    begin.bind(":sha256", head.sha256_hex);
    begin.bind(":format", head.format);
    if (head.header) begin.bind(":header", *head.header);
    if (head.dialect) begin.bind(":dialect", *head.dialect);
    begin.bind(":loaded_by", head.loaded_by);
    begin.bind(":priority", head.priority.value_or(0));
    begin.bind(":started_at", head.now_ms);
    begin.bind(":row_count", head.rows);
    begin.exec();
    writer->id_ = BatchId{db.getLastInsertRowid()};
    writer->next_job_ = db.execAndGet(std::string(sql::k_ingest_next_job)).getInt64();
    return Done{};
  });
  if (ok) {
    ok = database.guard(database.path(), [&]() -> Status {
      writer->bulk_mode_ = std::make_unique<BulkMode>(db);
      writer->sql_ = std::make_unique<Statements>(db);
      return Done{};
    });
  }
  if (!ok) return ok.error();
  return writer;
}

Status BatchWriter::transaction(const std::function<Status()>& work) {
  return database_.transaction(Writer::ingest, [&]() -> Status {
    if (Status ok = work(); !ok) return ok;
    for (const auto& [what, delta] : deltas_) {
      SQLite::Statement& add = sql_->add_to_count;
      add.bind(":batch", id_.value);
      add.bind(":kind", std::string(names_of(what.first).name));
      add.bind(":state", what.second);
      add.bind(":delta", delta);
      run(add);
    }
    deltas_.clear();
    return Done{};
  });
}

void BatchWriter::count(JobKind kind, const char* state, std::int64_t delta) {
  deltas_[{kind, state}] += delta;
}

bool BatchWriter::count_once(JobId id, std::int64_t& counter) {
  const auto at = static_cast<std::size_t>(id.value);
  if (counted_.size() <= at) counted_.resize(at + 1);
  if (counted_[at]) return false;
  counted_[at] = true;
  ++counter;
  return true;
}

Status BatchWriter::place(std::span<const JobText> jobs, std::span<PlacedJob> placed) {
  DL_CHECK(jobs.size() == placed.size(), "one place for each job");
  const std::vector<std::size_t> fresh = create(jobs, placed);
  add_content(jobs, placed, fresh);
  if (fresh.size() == jobs.size()) return Done{};
  auto next_fresh = fresh.begin();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (next_fresh != fresh.end() && *next_fresh == i) {
      ++next_fresh;
      continue;
    }
    Result<PlacedJob> found = find(jobs[i]);
    if (!found) return found.error();
    placed[i] = std::move(*found);
  }
  return Done{};
}

std::vector<std::size_t> BatchWriter::create(std::span<const JobText> jobs,
                                             std::span<PlacedJob> placed) {
  const bool are_roots = !jobs.empty() && jobs.front().parent == nullptr;
  const auto count = static_cast<int>(jobs.size());
  const std::int64_t first = first_id_for(are_roots, count);
  open_parents_.clear();
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const PlacedJob* parent = jobs[i].parent;
    const JobId id{first + static_cast<std::int64_t>(i)};
    placed[i] = {id,
                 parent == nullptr ? id : parent->root,
                 parent == nullptr ? 0 : parent->level + 1,
                 parent == nullptr ? priority_.value_or(0) : parent->root_priority,
                 Fate::created,
                 "",
                 false};
    open_parents_.push_back(open_parents_of(parent));
  }
  open_parent_ = {};
  const int added = sql_->add_job.insert(count, [&](const RowValue& value, int row, int column) {
    const auto i = static_cast<std::size_t>(row);
    switch (column) {
      case 0: return value.set(placed[i].id.value);
      case 1: return value.set(names_of(jobs[i].kind).name);
      case 2: return value.set(jobs[i].key);
      case 3: return value.set(placed[i].root.value);
      case 4: return value.set(placed[i].level);
      case 5: return value.set(open_parents_[i]);
      case 6: return value.set(id_.value);
      case 7: return value.set(priority_.value_or(placed[i].root_priority));
      case 8: return value.set(now_ms_);
      default: return;
    }
  });
  if (added > 0) take_ids(are_roots, count);
  std::vector<std::size_t> fresh;
  fresh.reserve(jobs.size());
  if (added == count) {
    for (std::size_t i = 0; i < jobs.size(); ++i) fresh.push_back(i);
  } else if (added > 0) {
    SQLite::Statement& between = sql_->jobs_between;
    between.bind(1, first);
    between.bind(2, first + count - 1);
    while (between.executeStep()) {
      fresh.push_back(static_cast<std::size_t>(between.getColumn(0).getInt64() - first));
    }
    between.reset();
  }
  return fresh;
}

std::int64_t BatchWriter::first_id_for(bool are_roots, int count) const {
  return are_roots && next_campaign_ + count <= campaigns_end_ ? next_campaign_ : next_job_;
}

// Campaigns get their ids from blocks, so that their rows share pages, which publish() writes all
// at once. A block is an eighth of the campaigns so far: small batches leave no gap in the ids,
// large ones only a small one. Ids still grow from a campaign to the next and from a parent to its
// children.
void BatchWriter::take_ids(bool are_roots, int count) {
  if (!are_roots) {
    next_job_ += count;
    return;
  }
  if (next_campaign_ + count > campaigns_end_) {
    next_campaign_ = next_job_;
    next_job_ += std::max<std::int64_t>(count, std::min(campaigns_ / 8, kCampaignsInABlock));
    campaigns_end_ = next_job_;
  }
  next_campaign_ += count;
  campaigns_ += count;
}

// Payloads, edges and counts of new jobs.
void BatchWriter::add_content(std::span<const JobText> jobs, std::span<const PlacedJob> placed,
                              const std::vector<std::size_t>& fresh) {
  const auto count = static_cast<int>(fresh.size());
  sql_->add_payload.insert(count, [&](const RowValue& value, int row, int column) {
    const std::size_t which = fresh[static_cast<std::size_t>(row)];
    switch (column) {
      case 0: return value.set(placed[which].id.value);
      case 1: return value.set(jobs[which].body);
      case 2: return value.set(std::span<const unsigned char>(jobs[which].digest));
      default: return;
    }
  });
  const bool are_roots = jobs.front().parent == nullptr;
  if (!are_roots) {
    sql_->add_edge.insert(count, [&](const RowValue& value, int row, int column) {
      const std::size_t which = fresh[static_cast<std::size_t>(row)];
      value.set(column == 0 ? jobs[which].parent->id.value : placed[which].id.value);
    });
  }
  counts_.created += count;
  this->count(jobs.front().kind, "blocked", count);
}

// Counted inside the write transaction: the daemon may have confirmed the parent a moment ago.
// Neighbours share their parent, which is asked for once.
int BatchWriter::open_parents_of(const PlacedJob* parent) {
  if (parent == nullptr) return 0;
  if (parent->fate == Fate::created) return 1;  // ours, so it is not even published
  if (open_parent_.id == parent->id) return open_parent_.count;
  SQLite::Statement& is_open = sql_->is_open;
  is_open.bind(1, parent->id.value);
  is_open.executeStep();
  open_parent_ = {parent->id, is_open.getColumn(0).getInt()};
  is_open.reset();
  return open_parent_.count;
}

Result<PlacedJob> BatchWriter::find(const JobText& job) {
  SQLite::Statement& find = sql_->find_job;
  find.bindNoCopy(1, job.digest.data(), static_cast<int>(job.digest.size()));
  find.bindNoCopy(2, job.key);
  if (!find.executeStep()) return Error{Errc::data, "the job " + job.key + " has no payload"};
  PlacedJob placed{JobId{find.getColumn(0).getInt64()},
                   JobId{find.getColumn(1).getInt64()},
                   find.getColumn(2).getInt(),
                   job.parent == nullptr ? find.getColumn(8).getInt() : job.parent->root_priority,
                   Fate::unchanged,
                   find.getColumn(4).getString(),
                   find.getColumn(7).getInt() != 0};
  const bool is_ours = find.getColumn(3).getInt64() == id_.value;
  const bool same = find.getColumn(5).getInt() != 0;
  const bool may_change = find.getColumn(6).getInt() != 0;
  find.reset();
  if (is_ours && !same) {
    return Error{Errc::busy, "the file changed while it was being loaded; try again"};
  }
  if (is_ours) {
    placed.fate = Fate::created;
  } else if (same) {
    if (count_once(placed.id, counts_.unchanged) && placed.state == "failed") ++counts_.failed;
  } else if (!may_change) {
    placed.fate = Fate::conflict;
    count_once(placed.id, counts_.conflicts);
  } else {
    placed.fate = Fate::changed;
    sql_->add_change.bind(1, placed.id.value);
    sql_->add_change.bindNoCopy(2, job.body);
    sql_->add_change.bindNoCopy(3, job.digest.data(), static_cast<int>(job.digest.size()));
    sql_->add_change.bind(4, job.line);
    run(sql_->add_change);
  }
  return placed;
}

void BatchWriter::add_rows(std::span<const BatchRow> rows) {
  sql_->add_row.insert(static_cast<int>(rows.size()),
                       [&](const RowValue& value, int at, int column) {
                         const BatchRow& row = rows[static_cast<std::size_t>(at)];
                         switch (column) {
                           case 0: return value.set(id_.value);
                           case 1: return value.set(row.number);
                           case 2: return value.set(row.line);
                           case 3: return value.set(row.job.value);
                           case 4: return row.raw == nullptr ? void() : value.set(*row.raw);
                           default: return;
                         }
                       });
}

bool BatchWriter::has_changes() {
  return database_.handle()
             .execAndGet("SELECT EXISTS (SELECT 1 FROM temp.changed_payload)")
             .getInt() != 0;
}

void BatchWriter::set_input(std::int64_t rows, const std::string& sha256_hex) {
  counts_.rows = rows;
  sha256_hex_ = sha256_hex;
}

Result<BatchCounts> BatchWriter::publish(std::int64_t now_ms,
                                         const std::function<Status()>& before_changes,
                                         PublishNews& news) {
  bulk_mode_.reset();
  const Status ok = transaction([&]() -> Status {
    if (database_.handle().execAndGet("PRAGMA synchronous").getInt() != 2) {
      return Error{Errc::software,
                   database_.path() + ": SQLite did not go back to synchronous = FULL"};
    }
    if (has_changes()) {
      if (Status prepared = before_changes(); !prepared) return prepared;
      apply_changes(now_ms, news);
    }
    make_ready(now_ms);
    SQLite::Statement publish(database_.handle(), std::string(sql::k_ingest_publish_batch));
    publish.bind(":at", now_ms);
    publish.bind(":rows", counts_.rows);
    publish.bind(":sha256", sha256_hex_);
    publish.bind(":new", counts_.created);
    publish.bind(":unchanged", counts_.unchanged);
    publish.bind(":changed", counts_.changed);
    publish.bind(":conflict", counts_.conflicts);
    publish.bind(":batch", id_.value);
    DL_FAULT_POINT("publish.before_commit");
    if (publish.exec() == 1) return Done{};
    return Error{Errc::software,
                 "batch " + std::to_string(id_.value) + " was removed while it was loading"};
  });
  if (!ok) return ok.error();
  return counts_;
}

Status BatchWriter::discard() {
  sql_.reset();
  bulk_mode_.reset();
  Result<int> removed = remove_orphaned_batches(database_);
  if (!removed) return removed.error();
  return Done{};
}

}  // namespace dl
