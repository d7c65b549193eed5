#include "ingest/load.h"

#include <chrono>
#include <deque>
#include <unordered_map>

#include "ingest/late_rows.h"
#include "ingest/row_preparer.h"
#include "ingest/row_pump.h"
#include "ingest/row_sorter.h"
#include "ingest/user_row.h"
#include "storage/batch_reader.h"
#include "storage/fault/fault_point.h"
#include "storage/live_daemon.h"

namespace dl {
namespace {

// In one transaction. Beside a daemon: about two milliseconds, for which its commits wait.
constexpr std::size_t kRowsBesideADaemon = 300;
constexpr std::size_t kChunksAlone = 10;
constexpr std::size_t kAdsBeforeNextCampaign = 200;
constexpr int kCheckpointPages = 4000;
constexpr std::size_t kParentsKept = 200'000;  // about 40 MiB
constexpr std::size_t kSortedInMemory = 64 * 1024 * 1024;
constexpr std::size_t kLateRowsInMemory = 16 * 1024 * 1024;
constexpr std::size_t kLateRowsBesideADaemon = 2'000;
constexpr std::size_t kLateRowsAlone = 20'000;

std::int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::size_t level_of(JobKind kind) { return static_cast<std::size_t>(kind); }

// Writes prepared rows. Parents are placed at once, the ads of a chunk together.
class Loader {
 public:
  Loader(Database& database, BatchWriter& writer, const Survey& survey)
      : database_(database), writer_(writer), user_rows_(survey.header) {
    if (survey.is_scattered) late_rows_.emplace(kLateRowsInMemory);
  }

  // Writes all rows that the pump gives. Errors: as load().
  Status write_all(RowPump& pump, const ProgressSink& progress);

  std::vector<Problem> conflicts;

 private:
  using Chunks = std::vector<std::unique_ptr<PreparedChunk>>;

  Result<Chunks> take_chunks(RowPump& pump);
  Status write_late_rows();
  Status put_rows(std::span<const BatchRow> rows);
  struct Family;
  Status write_in_steps(std::span<const std::span<const PreparedRow>> parts);
  Status write(std::span<const std::span<const PreparedRow>> parts);
  Status add(const PreparedRow& row);
  Status place_parent(const PreparedRow& row, JobKind kind);
  Status flush();
  const std::string* raw_of(const PreparedRow& row, const Family& family, const PlacedJob& deepest);
  void report_conflict(const PreparedRow& row, JobKind kind, const PlacedJob& placed);
  Status let_others_through();

  // A campaign and one of its ad groups.
  struct Family {
    std::array<PlacedJob, 2> placed;
    std::array<std::string, 3> bodies;  // as this file has them; the third is the ad's
  };
  struct WaitingAd {
    const PreparedRow* row = nullptr;
    std::size_t family = 0;
  };

  Database& database_;
  BatchWriter& writer_;
  UserRows user_rows_;
  std::optional<LateRows> late_rows_;  // where the rows do not come in the order of the sheet
  std::deque<Family> families_{1};  // of the ads that wait; the last one is of the last row
  std::unordered_map<std::string, PlacedJob> parents_;
  std::vector<WaitingAd> waiting_;
  std::vector<JobText> texts_;
  std::vector<PlacedJob> ads_;
  std::vector<BatchRow> rows_;
  std::deque<std::string> raws_;  // that rows_ borrows
  bool is_beside_daemon_ = true;
};

Status Loader::write_all(RowPump& pump, const ProgressSink& progress) {
  for (;;) {
    Result<Chunks> chunks = take_chunks(pump);
    if (!chunks) return chunks.error();
    if (chunks->empty()) return write_late_rows();
    std::vector<std::span<const PreparedRow>> rows;
    for (const auto& chunk : *chunks) rows.emplace_back(std::span(chunk->rows).first(chunk->count));
    if (Status ok = is_beside_daemon_ ? write_in_steps(rows) : write(rows); !ok) return ok;
    progress(chunks->back()->bytes_read);
    for (auto& chunk : *chunks) pump.give_back(std::move(chunk));
  }
}

Status Loader::write_in_steps(std::span<const std::span<const PreparedRow>> parts) {
  for (std::span<const PreparedRow> part : parts) {
    while (!part.empty()) {
      const std::span<const PreparedRow> step = part.first(std::min(part.size(), kRowsBesideADaemon));
      if (Status ok = write({&step, 1}); !ok) return ok;
      part = part.subspan(step.size());
    }
  }
  return Done{};
}

// In one transaction.
Status Loader::write(std::span<const std::span<const PreparedRow>> parts) {
  const Status ok = writer_.transaction([&]() -> Status {
    for (const std::span<const PreparedRow> part : parts) {
      for (const PreparedRow& row : part) {
        if (Status added = add(row); !added) return added;
      }
      if (Status flushed = flush(); !flushed) return flushed;
    }
    DL_FAULT_POINT("ingest.before_commit");
    return Done{};
  });
  if (!ok) return ok;
  DL_FAULT_POINT("ingest.after_commit");
  return let_others_through();
}

Status Loader::write_late_rows() {
  if (!late_rows_) return Done{};
  if (Status ok = late_rows_->finish(); !ok) return ok;
  for (;;) {
    Result<std::vector<BatchRow>> rows = late_rows_->next(is_beside_daemon_ ? kLateRowsBesideADaemon : kLateRowsAlone);
    if (!rows) return rows.error();
    if (rows->empty()) return Done{};
    const Status ok = writer_.transaction([&]() -> Status {
      writer_.add_rows(*rows);
      return Done{};
    });
    if (!ok) return ok;
    if (Status polite = let_others_through(); !polite) return polite;
  }
}

// Into the batch, now or later.
Status Loader::put_rows(std::span<const BatchRow> rows) {
  if (!late_rows_) {
    writer_.add_rows(rows);
    return Done{};
  }
  for (const BatchRow& row : rows) {
    if (Status ok = late_rows_->add(row); !ok) return ok;
  }
  return Done{};
}

// Before the transaction, so that nobody waits for the pump with the database locked.
Result<Loader::Chunks> Loader::take_chunks(RowPump& pump) {
  Chunks chunks;
  while (chunks.size() < (is_beside_daemon_ ? 1 : kChunksAlone)) {
    Result<std::unique_ptr<PreparedChunk>> chunk = pump.take();
    if (!chunk) return chunk.error();
    if (*chunk == nullptr) break;
    chunks.push_back(std::move(*chunk));
  }
  return chunks;
}

// The payloads do not, or will not, give its row back.
bool differs(const PlacedJob& placed) {
  return placed.fate == Fate::changed || placed.fate == Fate::conflict || placed.archived;
}

Status Loader::add(const PreparedRow& row) {
  DL_FAULT_POINT("ingest.row");
  for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
    if (kind > row.deepest || row.entities[level_of(kind)].repeated) continue;
    if (Status ok = place_parent(row, kind); !ok) return ok;
  }
  if (row.deepest == JobKind::ad) {
    waiting_.push_back({&row, families_.size() - 1});
    return Done{};
  }
  const Family& family = families_.back();
  const PlacedJob& deepest = family.placed[level_of(row.deepest)];
  const BatchRow written{row.number, row.line, deepest.id, raw_of(row, family, deepest)};
  const Status ok = put_rows({&written, 1});
  raws_.clear();
  return ok;
}

// Makes it the last family's. Its children come in rows of their own.
Status Loader::place_parent(const PreparedRow& row, JobKind kind) {
  const std::size_t level = level_of(kind);
  const PreparedEntity& entity = row.entities[level];
  // So that a campaign's jobs stand near to each other.
  if (kind == JobKind::campaign && waiting_.size() >= kAdsBeforeNextCampaign) {
    if (Status ok = flush(); !ok) return ok;
  }
  if (!waiting_.empty() && waiting_.back().family == families_.size() - 1) families_.push_back(families_.back());
  Family& family = families_.back();
  family.bodies[level] = entity.body;
  if (const auto known = parents_.find(entity.key); known != parents_.end()) {
    family.placed[level] = known->second;
    return Done{};
  }
  const PlacedJob* parent = kind == JobKind::campaign ? nullptr : &family.placed[0];
  const JobText text{kind, entity.key, entity.body, entity.digest, row.line, parent};
  if (Status ok = writer_.place({&text, 1}, {&family.placed[level], 1}); !ok) return ok;
  if (family.placed[level].fate == Fate::conflict) report_conflict(row, kind, family.placed[level]);
  if (parents_.size() == kParentsKept) parents_.clear();  // place() finds them again
  parents_.emplace(entity.key, family.placed[level]);
  return Done{};
}

// Writes the ads that wait.
Status Loader::flush() {
  if (waiting_.empty()) return Done{};
  texts_.clear();
  for (const WaitingAd& ad : waiting_) {
    const PreparedEntity& entity = ad.row->entities[level_of(JobKind::ad)];
    texts_.push_back({JobKind::ad, entity.key, entity.body, entity.digest, ad.row->line,
                      &families_[ad.family].placed[1]});
  }
  ads_.resize(waiting_.size());
  if (Status ok = writer_.place(texts_, ads_); !ok) return ok;
  rows_.clear();
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const PreparedRow& row = *waiting_[i].row;
    if (ads_[i].fate == Fate::conflict) report_conflict(row, JobKind::ad, ads_[i]);
    rows_.push_back(
        {row.number, row.line, ads_[i].id, raw_of(row, families_[waiting_[i].family], ads_[i])});
  }
  const Status ok = put_rows(rows_);
  waiting_.clear();
  raws_.clear();
  families_.erase(families_.begin(), families_.end() - 1);
  return ok;
}

// What is stored of the row beside its jobs; nullptr: nothing. The whole row only where the payloads will not
// give it back.
const std::string* Loader::raw_of(const PreparedRow& row, const Family& family,
                                  const PlacedJob& deepest) {
  bool keep_whole = differs(deepest);
  for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
    if (kind <= row.deepest) keep_whole = keep_whole || differs(family.placed[level_of(kind)]);
  }
  if (!keep_whole) return row.differences.empty() ? nullptr : &row.differences;
  std::array<std::string, 3> bodies = family.bodies;
  if (row.deepest == JobKind::ad) bodies[level_of(JobKind::ad)] = row.entities[level_of(JobKind::ad)].body;
  if (row.deepest == JobKind::campaign) bodies[level_of(JobKind::ad_group)].clear();
  std::optional<std::string> differences;
  if (!row.differences.empty()) differences = row.differences;
  return &raws_.emplace_back(user_rows_.whole(differences, bodies));
}

void Loader::report_conflict(const PreparedRow& row, JobKind kind, const PlacedJob& placed) {
  if (conflicts.size() == Problems::kKept) return;  // the batch counts them all
  conflicts.push_back({row.line, 0, std::string(columns_of(kind).front().name), "conflict",
                       "this " + std::string(names_of(kind).name) + " is " + placed.state +
                           " already, with other values; the new ones were not taken over",
                       row.entities[level_of(kind)].key, true});
}

Status Loader::let_others_through() {
  const Result<bool> seems_alive = leave_room_for_daemon(database_, kCheckpointPages);
  if (!seems_alive) return seems_alive.error();
  is_beside_daemon_ = *seems_alive;
  return Done{};
}

BatchHead head_of(const InputFile& file, const Survey& survey, const LoadOptions& options) {
  BatchHead head;
  head.source = file.name();
  head.size_bytes = file.size_bytes();
  head.sha256_hex = survey.sha256_hex;
  head.format = name_of(survey.format);
  if (!survey.header.empty()) head.header = json_array_of(survey.header);
  if (!survey.dialect.empty()) head.dialect = survey.dialect;
  head.loaded_by = options.loaded_by;
  head.priority = options.priority;
  head.rows = survey.rows;
  head.now_ms = wall_clock_ms();
  return head;
}

Status check_unchanged(const InputFile& file, RowReader& reader, const Survey& survey) {
  Result<std::string> digest = reader.sha256_hex();
  if (!digest) return digest.error();
  if (*digest == survey.sha256_hex) return Done{};
  return Error{Errc::busy, file.name() + ": changed while it was being loaded; try again"};
}

// Writes all rows of the file. What is scattered is sorted first, which counts as half of the way.
Status write_rows(RowPreparer& rows, Loader& loader, const Survey& survey, const ProgressSink& progress) {
  if (!survey.is_scattered) {
    RowPump pump(rows);
    return loader.write_all(pump, progress);
  }
  RowSorter sorter(kSortedInMemory, kParentsKept);
  {
    RowPump pump(rows);
    for (;;) {
      Result<std::unique_ptr<PreparedChunk>> chunk = pump.take();
      if (!chunk) return chunk.error();
      if (*chunk == nullptr) break;
      if (Status ok = sorter.add(**chunk); !ok) return ok;
      progress((*chunk)->bytes_read / 2);
      pump.give_back(std::move(*chunk));
    }
  }
  if (Status ok = sorter.finish(); !ok) return ok;
  RowPump pump(sorter);
  return loader.write_all(pump, progress);
}

Result<Loaded> load_batch(const InputFile& file, Survey& survey, Database& database,
                          const LoadOptions& options, const ProgressSink& progress,
                          BatchWriter& writer) {
  Problems told_before;
  Result<std::unique_ptr<RowReader>> reader = open_rows(file, survey.format, told_before);
  if (!reader) return reader.error();
  Rejects rejects(options.rejects, survey);
  std::int64_t unreadable = 0;
  std::vector<Problem> conflicts;
  {
    RowPreparer prepared(**reader, survey, options.on_error, rejects);
    Loader loader(database, writer, survey);
    if (Status ok = write_rows(prepared, loader, survey, progress); !ok) return ok.error();
    unreadable = prepared.unreadable_rows();
    conflicts = std::move(loader.conflicts);
  }
  Status ok = check_unchanged(file, **reader, survey);
  if (ok) ok = rejects.finish();
  if (!ok) return ok.error();
  std::vector<LateConflict> late;
  const auto keep_rows = [&]() -> Status {
    keep_changed_rows(database, [](const ChangedRow& row) {
      return UserRows(row.header).whole(row.raw, row.bodies);
    });
    return Done{};
  };
  Result<BatchCounts> counts = writer.publish(wall_clock_ms(), keep_rows, late);
  if (!counts) return counts.error();
  DL_FAULT_POINT("publish.after_commit");
  for (const LateConflict& conflict : late) {
    conflicts.push_back({conflict.line, 0, conflict.kind, "conflict",
                         "is " + conflict.state + " by now; the new values were not taken over",
                         conflict.key, true});
  }
  return Loaded{writer.id(), *counts, rejects.count() + unreadable, std::move(conflicts)};
}

}  // namespace

Result<Loaded> load(const InputFile& file, Survey& survey, Database& database,
                    const LoadOptions& options, const ProgressSink& progress) {
  Result<std::unique_ptr<BatchWriter>> writer =
      BatchWriter::begin(database, head_of(file, survey, options));
  if (!writer) return writer.error();
  Result<Loaded> loaded = load_batch(file, survey, database, options, progress, **writer);
  if (loaded) return loaded;
  if (Status removed = (*writer)->discard(); !removed) {
    Error error = loaded.error();
    error.message +=
        " (what was written of it is removed by the next dl-ingest: " + removed.error().message +
        ")";
    return error;
  }
  return loaded;
}

}  // namespace dl
