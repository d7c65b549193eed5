#include "ingest/loader.h"

#include "storage/fault/fault_point.h"
#include "storage/live_daemon.h"
#include "storage/model/job_state.h"

namespace dl {
namespace {

// In one transaction. Beside a daemon: about two milliseconds, for which its commits wait.
constexpr std::size_t kRowsBesideADaemon = 300;
constexpr std::size_t kChunksAlone = 10;
constexpr std::size_t kAdsBeforeNextCampaign = 200;
constexpr int kCheckpointPages = 4000;
constexpr std::size_t kLateRowsInMemory = 16 * 1024 * 1024;
constexpr std::size_t kLateRowsBesideADaemon = 2'000;
constexpr std::size_t kLateRowsAlone = 20'000;

std::size_t level_of(JobKind kind) { return static_cast<std::size_t>(kind); }

// The payloads do not, or will not, give its row back.
bool differs(const PlacedJob& placed) {
  return placed.fate == Fate::changed || placed.fate == Fate::conflict || placed.archived;
}

}  // namespace

Loader::Loader(Database& database, BatchWriter& writer, const Survey& survey)
    : database_(database), writer_(writer), user_rows_(survey.header) {
  if (survey.is_scattered) late_rows_.emplace(kLateRowsInMemory);
}

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
      const std::span<const PreparedRow> step =
          part.first(std::min(part.size(), kRowsBesideADaemon));
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
    Result<std::vector<BatchRow>> rows =
        late_rows_->next(is_beside_daemon_ ? kLateRowsBesideADaemon : kLateRowsAlone);
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
  if (!waiting_.empty() && waiting_.back().family == families_.size() - 1)
    families_.push_back(families_.back());
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

// What is stored of the row beside its jobs; nullptr: nothing. The whole row only where the
// payloads will not give it back.
const std::string* Loader::raw_of(const PreparedRow& row, const Family& family,
                                  const PlacedJob& deepest) {
  bool keep_whole = differs(deepest);
  for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
    if (kind <= row.deepest) keep_whole = keep_whole || differs(family.placed[level_of(kind)]);
  }
  if (!keep_whole) return row.differences.empty() ? nullptr : &row.differences;
  std::array<std::string, 3> bodies = family.bodies;
  if (row.deepest == JobKind::ad)
    bodies[level_of(JobKind::ad)] = row.entities[level_of(JobKind::ad)].body;
  if (row.deepest == JobKind::campaign) bodies[level_of(JobKind::ad_group)].clear();
  std::optional<std::string> differences;
  if (!row.differences.empty()) differences = row.differences;
  return &raws_.emplace_back(user_rows_.whole(differences, bodies));
}

void Loader::report_conflict(const PreparedRow& row, JobKind kind, const PlacedJob& placed) {
  if (conflicts.size() == Problems::kKept) return;  // the batch counts them all
  const std::string name(names_of(kind).name);
  const bool is_final = placed.archived && placed.state != name_of(JobState::succeeded);
  conflicts.push_back({row.line, 0, std::string(columns_of(kind).front().name), "conflict",
                       is_final
                           ? "this " + name + " is " + placed.state +
                                 " and archived, for good; load the new values under another id"
                           : "this " + name + " is " + placed.state +
                                 " already, with other values; the new ones were not taken over",
                       row.entities[level_of(kind)].key, true});
}

Status Loader::let_others_through() {
  const Result<bool> seems_alive = leave_room_for_daemon(database_, kCheckpointPages);
  if (!seems_alive) return seems_alive.error();
  is_beside_daemon_ = *seems_alive;
  return Done{};
}

}  // namespace dl
