#include "ingest/row_pump.h"

namespace dl {

RowPump::RowPump(ChunkSource& source) : source_(source), thread_([this] { run(); }) {}

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
  if (chunk->is_bulky) return;
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
    const Result<bool> filled = source_.fill(*chunk);
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

}  // namespace dl
