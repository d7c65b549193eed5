// The second pass, prepared: a thread of its own reads the rows again, makes their entities, bodies
// and digests, and hands them over in chunks, so that the thread that writes has nothing else to
// do. Thread rule: start and take() by the thread that writes; the reader, the survey and the
// rejects belong to the pump's thread until it has ended (take() gave nothing, or the pump is
// destroyed).
#pragma once

#include <array>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "ingest/rejects.h"
#include "ingest/survey.h"
#include "ingest/user_row.h"
#include "storage/digest.h"

namespace dl {

struct PreparedEntity {
  bool repeated = false;  // as in the prepared row before, and not filled in; never of an ad
  std::string key;
  std::string body;
  Sha256 digest{};
};

struct PreparedRow {
  std::int64_t number = 0;
  std::int64_t line = 0;
  JobKind deepest = JobKind::ad;
  std::array<PreparedEntity, 3> entities;
  std::string differences;  // UserRows::differences()
};

struct PreparedChunk {
  std::vector<PreparedRow> rows;  // the first `count` are filled; the others keep their memory
  std::size_t count = 0;
  std::int64_t bytes_read = 0;
};

class RowPump {
 public:
  static constexpr std::size_t kChunkRows = 1000;

  // All are borrowed. `rejects` gets the rows that the survey leaves out.
  RowPump(RowReader& reader, const Survey& survey, OnError policy, Rejects& rejects);
  ~RowPump();  // stops the thread
  RowPump(const RowPump&) = delete;
  RowPump& operator=(const RowPump&) = delete;

  // The next chunk, in the order of the file; nothing at the end. Waits for it. Errors: io, busy (a
  // row that the survey found good no longer is), cant_create (rejects).
  Result<std::unique_ptr<PreparedChunk>> take();
  // Gives a chunk's memory back to be filled again.
  void give_back(std::unique_ptr<PreparedChunk> chunk);

  // After the end: rows that could not be read at all.
  std::int64_t unreadable_rows() const { return told_before_.bad_rows(); }

 private:
  static constexpr std::size_t kChunksAhead = 4;

  void run();
  Result<bool> fill(PreparedChunk& chunk);
  Status prepare(const Row& row, PreparedChunk& chunk);
  bool hand_over(std::unique_ptr<PreparedChunk> chunk);
  std::unique_ptr<PreparedChunk> empty_chunk();

  RowReader& reader_;
  const Survey& survey_;
  OnError policy_;
  Rejects& rejects_;
  RowEntities entities_;
  UserRows user_rows_;
  Problems told_before_;
  std::array<bool, 3> known_{};  // the writer has this level's entity from the row before

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
