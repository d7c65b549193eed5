// A disk in memory that can lose power. Each file is kept as programs see it (the page cache), with
// what was there before each change that was not synced, so that what is on the platter can be had.
// A write reaches the platter when its file is synced; at a power loss each sector of each write
// since then is independently kept, dropped or torn, in the order of the writes, and truncations,
// new names and deletions likewise. A killed program loses nothing that it has written: the page
// cache is the kernel's. A torn sector is new up to some byte and old behind it, so that bytes
// outside a write are never harmed: what SQLite assumes of a disk (powersafe overwrite) and its own
// unix VFS declares. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/dice.h"

namespace dl::sim {

class DiskFile {
 public:
  std::int64_t size() const { return static_cast<std::int64_t>(bytes_.size()); }
  // Copies what there is; the rest of `into` is zeroed. False: there was less than asked for.
  bool read(char* into, std::int64_t n, std::int64_t at) const;
  void write(const char* from, std::int64_t n, std::int64_t at);
  void truncate(std::int64_t size);
  void sync();
  bool is_on_the_platter() const { return name_is_durable_; }

 private:
  friend class Disk;
  static constexpr std::int64_t kSector = 512;
  static constexpr std::int64_t kTruncation = -1;
  struct Change {
    std::int64_t at = 0;
    std::int64_t n = 0;     // kTruncation: the file was cut at `at`
    std::int64_t size = 0;  // of the file before
    std::size_t from = 0;   // where the bytes that it changed are in before_, as many as there were
  };
  void lose_power(Dice& dice);
  // What was written by each change, one after the other; the file is as it was before all of them.
  std::vector<std::string> go_back();
  void keep_what_was(Change change);
  void forget_changes();
  void put(const char* from, std::int64_t n, std::int64_t at);
  void apply(const Change& change, const std::string& written);
  void apply_in_part(const Change& change, const std::string& written, Dice& dice);

  std::string bytes_;
  std::vector<Change> unsynced_;
  std::string before_;
  bool name_is_durable_ = false;
};

class Disk {
 public:
  using Image = std::map<std::string, std::string>;  // everything synced

  // nullptr: there is none. Who holds one may go on using it after it was removed, as on Unix.
  std::shared_ptr<DiskFile> find(std::string_view name) const;
  std::shared_ptr<DiskFile> make(std::string_view name);
  // `is_durable`: the folder was synced with it.
  void remove(std::string_view name, bool is_durable);

  // Everything goes back to the platter, which has got some of what was not synced.
  void lose_power(Dice& dice);

  Image image() const;
  void restore(const Image& image);

 private:
  struct Ghost {  // deleted, but the folder was not synced
    std::string name;
    std::shared_ptr<DiskFile> file;
  };
  std::map<std::string, std::shared_ptr<DiskFile>, std::less<>> files_;
  std::vector<Ghost> ghosts_;
};

}  // namespace dl::sim
