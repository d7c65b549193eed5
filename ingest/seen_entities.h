// All entities of a file in 16 bytes each, to find those that rows describe in two ways: a hash of
// the key, a hash of the content, the row. Nothing is looked up while reading; sorting at the end
// brings equal keys together. Equal hashes are only a suspicion: the caller reads both rows again.
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

namespace dl {

class SeenEntities {
 public:
  struct Suspicion {
    std::uint32_t first_row;  // where the key stands first
    std::uint32_t later_row;  // where it stands with other content
    std::uint64_t key_hash;
  };

  static std::uint64_t key_hash(std::string_view key);

  // `row`: its number, 1 = first.
  void add(std::string_view key, std::string_view content, std::int64_t row);

  // Sorted by later_row. Empties this object.
  std::vector<Suspicion> take_suspicions();

 private:
  struct Entry {
    std::uint64_t key;
    std::uint32_t content;
    std::uint32_t row;
  };
  static constexpr std::size_t kParts = 64;
  std::array<std::deque<Entry>, kParts> parts_;  // by the key's upper bits; deques never copy
};

}  // namespace dl
