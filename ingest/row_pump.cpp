#include "ingest/row_pump.h"

namespace dl {
namespace {

Error changed_meanwhile() {
  return {Errc::busy, "the file changed while it was being loaded; try again"};
}

}  // namespace

RowPump::RowPump(RowReader& reader, const Survey& survey, OnError policy, Rejects& rejects)
    : reader_(reader),
      survey_(survey),
      policy_(policy),
      rejects_(rejects),
      user_rows_(survey.header),
      thread_([this] { run(); }) {}

RowPump::~RowPump() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

Result<std::unique_ptr<PreparedChunk>> RowPump::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !full_.empty() || ended_.has_value(); });
  if (full_.empty()) {
    if (!*ended_) return ended_->error();
    return std::unique_ptr<PreparedChunk>();
  }
  std::unique_ptr<PreparedChunk> chunk = std::move(full_.front());
  full_.pop_front();
  changed_.notify_all();
  return chunk;
}

void RowPump::give_back(std::unique_ptr<PreparedChunk> chunk) {
  const std::lock_guard lock(mutex_);
  empty_.push_back(std::move(chunk));
}

std::unique_ptr<PreparedChunk> RowPump::empty_chunk() {
  const std::lock_guard lock(mutex_);
  if (empty_.empty()) return std::make_unique<PreparedChunk>();
  std::unique_ptr<PreparedChunk> chunk = std::move(empty_.back());
  empty_.pop_back();
  return chunk;
}

// False when nobody wants it any more.
bool RowPump::hand_over(std::unique_ptr<PreparedChunk> chunk) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stop_ || full_.size() < kChunksAhead; });
  if (stop_) return false;
  full_.push_back(std::move(chunk));
  changed_.notify_all();
  return true;
}

void RowPump::run() {
  Status end = Done{};
  for (bool more = true; more;) {
    std::unique_ptr<PreparedChunk> chunk = empty_chunk();
    const Result<bool> filled = fill(*chunk);
    if (!filled) {
      end = filled.error();
      break;
    }
    more = *filled;
    if (!hand_over(std::move(chunk))) break;
  }
  const std::lock_guard lock(mutex_);
  ended_.emplace(std::move(end));
  changed_.notify_all();
}

Result<bool> RowPump::fill(PreparedChunk& chunk) {
  chunk.count = 0;
  chunk.rows.resize(kChunkRows);
  bool more_rows = true;
  while (more_rows && chunk.count < kChunkRows) {
    Row row;
    Result<bool> more = reader_.next(row, told_before_);
    if (!more) return more;
    more_rows = *more;
    if (!more_rows) break;
    if (Status ok = prepare(row, chunk); !ok) return ok.error();
  }
  chunk.bytes_read = reader_.bytes_read();
  return more_rows;
}

Status RowPump::prepare(const Row& row, PreparedChunk& chunk) {
  const bool good = entities_.take(row, reader_, told_before_);
  if (survey_.leaves_out(policy_, row.number, entities_)) {
    for (const KindNames& names : kKinds) {
      const auto level = static_cast<std::size_t>(names.kind);
      known_[level] = known_[level] && names.kind <= row.deepest && entities_[names.kind].repeated;
    }
    return rejects_.add(row, reader_);
  }
  if (!good) return changed_meanwhile();
  PreparedRow& prepared = chunk.rows[chunk.count++];
  prepared.number = row.number;
  prepared.line = row.line;
  prepared.deepest = row.deepest;
  std::bitset<kColumnCount> altered;
  for (const KindNames& names : kKinds) {
    const auto level = static_cast<std::size_t>(names.kind);
    if (names.kind > row.deepest) {
      known_[level] = false;
      continue;
    }
    const Entity& entity = entities_[names.kind];
    PreparedEntity& out = prepared.entities[level];
    altered |= entity.altered;
    out.repeated = names.kind != JobKind::ad && entity.repeated && known_[level];
    known_[level] = true;
    if (out.repeated) continue;
    out.key = entity.key;
    out.body = entity.body;
    out.digest = sha256(entity.body);
  }
  user_rows_.differences(reader_.fields(), altered, prepared.differences);
  return Done{};
}

}  // namespace dl
