// A thread of its own fills chunks from a source and hands them over, so that the thread that
// writes has nothing else to do. Thread rule: start and take() by the thread that writes; the
// source, and what it borrows, belong to the pump's thread until it has ended (take() gave nothing,
// or the pump is destroyed).
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "ingest/prepared_row.h"

namespace dl {

class RowPump {
 public:
  explicit RowPump(ChunkSource& source);
  ~RowPump();  // stops the thread
  RowPump(const RowPump&) = delete;
  RowPump& operator=(const RowPump&) = delete;

  // The next chunk, in the order of the source; nothing at the end. Waits for it. Errors: io, busy
  // (a row that the survey found good no longer is), cant_create (rejects).
  Result<std::unique_ptr<PreparedChunk>> take();
  // Gives a chunk's memory back to be filled again.
  void give_back(std::unique_ptr<PreparedChunk> chunk);

 private:
  static constexpr std::size_t kChunksAhead = 12;  // what the writer takes at once, and two

  void run();
  bool hand_over(std::unique_ptr<PreparedChunk> chunk);
  std::unique_ptr<PreparedChunk> empty_chunk();

  ChunkSource& source_;

  // Guards what follows: chunks change hands between the two threads through it.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<PreparedChunk>> full_;
  std::vector<std::unique_ptr<PreparedChunk>> empty_;
  std::optional<Status> ended_;  // the pump is done, and how
  bool stop_ = false;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace dl
