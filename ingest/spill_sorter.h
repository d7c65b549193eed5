// Sorts any number of records in bounded memory: what does not fit goes to a temporary file in
// sorted runs, which are merged while reading. Thread rule: one thread at a time; may change hands
// between finish() and next().
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ingest/spill_file.h"

namespace dl {

class SpillSorter {
 public:
  // Records come back in the order of their keys; those with equal keys in any order.
  struct Key {
    std::uint64_t major = 0;
    std::uint64_t minor = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  // `memory`: bytes for records that are not yet in the file. Reading it takes as many, but no more
  // than 16 MiB while the file has fewer than 256 runs (of `memory` bytes), and 64 KiB a run from
  // there on.
  explicit SpillSorter(std::size_t memory) : memory_(memory) {}

  // Errors: cant_create, io (no room for the file).
  Status add(Key key, std::string_view record);
  // Nothing more will be added. Errors: as add().
  Status finish();
  // The next record, valid until the next call; false at the end. Errors: io.
  Result<bool> next(std::string_view& record);

 private:
  struct Entry {
    Key key;
    std::size_t offset;  // in records_
    std::size_t size;
  };
  struct Run {
    std::int64_t begin;  // of what is not yet read
    std::int64_t end;
    std::vector<char> buffer;
    std::size_t at = 0;  // in the buffer: the next record
    Key key;             // of that
    std::size_t size = 0;
  };

  Status spill();
  Result<bool> load(Run& run);

  std::size_t memory_;
  std::vector<char> records_;
  std::vector<Entry> entries_;
  std::optional<SpillFile> file_;
  std::vector<Run> runs_;
  std::vector<std::size_t> heap_;        // of runs, the smallest key first
  std::size_t given_ = 0;                // entries, where nothing was spilled
  std::optional<std::size_t> last_run_;  // that next() took from
};

}  // namespace dl
