// All entities of a file in 16 bytes each, to find those that rows describe in two ways: a hash of
// the key, a hash of the content, the row. Nothing is looked up while reading; sorting at the end
// brings equal keys together. Equal hashes are only a suspicion: the caller reads both rows again.
// Memory is bounded: what does not fit goes to a temporary file. Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "ingest/spill_file.h"

namespace dl {

class SeenEntities {
 public:
  struct Suspicion {
    std::uint32_t first_row;  // where the key stands first
    std::uint32_t later_row;  // where it stands with other content
    std::uint64_t key_hash;
  };
  struct Found {
    std::vector<Suspicion> suspicions;  // sorted by later_row
    std::int64_t again = 0;             // how often a key was added that had been added before
  };

  static constexpr std::size_t kInMemory = 4'000'000;  // entries: 64 MB

  explicit SeenEntities(std::size_t in_memory = kInMemory) : in_memory_(in_memory) {}

  static std::uint64_t key_hash(std::string_view key);

  // `row`: its number, 1 = first. Errors: cant_create, io (the temporary file).
  Status add(std::string_view key, std::string_view content, std::int64_t row);

  // Empties this object. Errors: io.
  Result<Found> find();

 private:
  struct Entry {
    std::uint64_t key;
    std::uint32_t content;
    std::uint32_t row;
  };
  struct Piece {  // of a part, in the file
    std::int64_t offset;
    std::size_t entries;
  };
  struct Part {
    std::deque<Entry> entries;  // a deque never copies
    std::vector<Piece> pieces;
  };
  static constexpr std::size_t kParts = 64;

  Status spill();
  Result<std::vector<Entry>> take(Part& part);

  std::size_t in_memory_;
  std::size_t held_ = 0;
  std::array<Part, kParts> parts_;  // by the key's upper bits
  std::optional<SpillFile> file_;
};

}  // namespace dl
