#include "tests/sim/lean_sqlite.h"

#include <sqlite3.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "storage/model/check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DL_IS_WATCHED 1
#else
#define DL_IS_WATCHED 0
#endif

namespace dl::sim {
namespace {

// Blocks of four sizes to each power of two. A block that is given back is the next of its size to
// be handed out, and never again of another size or the system's: a simulation asks for the same
// ones over and over.
class Blocks {
 public:
  void* take(int bytes) {
    const std::size_t size = class_size(bytes);
    if (size > kLargest) return fresh(std::malloc(size + kHead), size);
    Free*& first = free_[index_of(size)];
    if (first != nullptr) return std::exchange(first, first->next);
    return fresh(carve(size + kHead), size);
  }

  void give_back(void* block) {
    if (block == nullptr) return;
    const std::size_t size = size_of(block);
    if (size > kLargest) return std::free(static_cast<char*>(block) - kHead);
    auto* mine = static_cast<Free*>(block);
    Free*& first = free_[index_of(size)];
    mine->next = first;
    first = mine;
  }

  static std::size_t size_of(const void* block) {
    std::uint64_t size = 0;
    std::memcpy(&size, static_cast<const char*>(block) - kHead, sizeof size);
    return size;
  }

  static std::size_t class_size(int bytes) {
    const auto wanted = static_cast<std::size_t>(bytes);
    if (wanted <= kSmallest) return kSmallest;
    const std::size_t step = std::bit_floor(wanted - 1) / 4;  // a power of two
    return (wanted + step - 1) & ~(step - 1);
  }

 private:
  struct Free {
    Free* next;
  };
  static constexpr std::size_t kHead = 8;
  static constexpr std::size_t kSmallest = 32;
  static constexpr std::size_t kLargest = 128 * 1024;
  static constexpr std::size_t kPiece = 1024 * 1024;

  static std::size_t index_of(std::size_t size) {
    const auto power = static_cast<std::size_t>(std::bit_width(size)) - 1;
    return power * 4 + (size >> (power - 2)) - 4;
  }

  static void* fresh(void* memory, std::size_t size) {
    if (memory == nullptr) return nullptr;
    const std::uint64_t head = size;
    std::memcpy(memory, &head, sizeof head);
    return static_cast<char*>(memory) + kHead;
  }

  void* carve(std::size_t bytes) {
    if (left_ < bytes) {
      next_ = static_cast<char*>(std::malloc(kPiece));
      left_ = next_ == nullptr ? 0 : kPiece;
      if (left_ < bytes) return nullptr;
    }
    left_ -= bytes;
    return std::exchange(next_, next_ + bytes);
  }

  std::array<Free*, 80> free_{};
  char* next_ = nullptr;  // what is left of the newest piece
  std::size_t left_ = 0;
};

Blocks g_blocks;

void* resize(void* block, int bytes) {
  const std::size_t size = Blocks::size_of(block);
  if (static_cast<std::size_t>(bytes) <= size) return block;
  void* larger = g_blocks.take(bytes);
  if (larger == nullptr) return nullptr;
  std::memcpy(larger, block, size);
  g_blocks.give_back(block);
  return larger;
}

void use_blocks() {
  sqlite3_mem_methods methods{};
  methods.xMalloc = [](int bytes) { return g_blocks.take(bytes); };
  methods.xFree = [](void* block) { g_blocks.give_back(block); };
  methods.xRealloc = resize;
  methods.xSize = [](void* block) { return static_cast<int>(Blocks::size_of(block)); };
  methods.xRoundup = [](int bytes) { return static_cast<int>(Blocks::class_size(bytes)); };
  methods.xInit = [](void*) { return SQLITE_OK; };
  methods.xShutdown = [](void*) {};
  DL_CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK,
           "SQLite takes its memory from here");
}

}  // namespace

void make_sqlite_lean() {
  DL_CHECK(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) == SQLITE_OK, "SQLite is not in use yet");
  DL_CHECK(sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK, "SQLite is not in use yet");
  if (DL_IS_WATCHED == 0) use_blocks();
}

}  // namespace dl::sim
