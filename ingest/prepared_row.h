// A row made ready for the thread that writes: keys, bodies, digests. Chunks of them change hands
// between threads. Plain values. Ownership: whoever holds the chunk.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/digest.h"
#include "storage/model/job.h"
#include "storage/model/result.h"

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
  std::array<PreparedEntity, 3> entities;  // by kind; those below `deepest` are not filled in
  std::string differences;                 // UserRows::differences()

  PreparedEntity& operator[](JobKind kind) { return entities[static_cast<std::size_t>(kind)]; }
  const PreparedEntity& operator[](JobKind kind) const {
    return entities[static_cast<std::size_t>(kind)];
  }
  std::size_t bytes() const;  // of its texts
};

struct PreparedChunk {
  // Full with either, so that memory stays bounded whatever the rows are.
  static constexpr std::size_t kRowsMax = 1000;
  static constexpr std::size_t kBytesMax = 1024 * 1024;

  std::vector<PreparedRow> rows;  // the first `count` are filled; the others keep their memory
  std::size_t count = 0;
  std::size_t bytes = 0;        // of the rows' texts
  bool is_bulky = false;        // a row is so long that its memory should not be kept
  std::int64_t bytes_read = 0;  // of the input, so far

  void clear();
  bool is_full() const { return count == kRowsMax || bytes >= kBytesMax; }
  PreparedRow& next_row() { return rows[count]; }  // to be filled, then taken by add()
  void add();
};

// Where chunks come from.
class ChunkSource {
 public:
  virtual ~ChunkSource() = default;
  // Fills a chunk; false: it is the last one. Errors: as RowPump::take().
  virtual Result<bool> fill(PreparedChunk& chunk) = 0;
};

}  // namespace dl
