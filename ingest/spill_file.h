// Temporary files without a name, in $TMPDIR (else /var/tmp, which is on a disk): gone with their
// descriptor, whatever happens. Thread rule: one thread a file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/model/result.h"

namespace dl {

// A descriptor, the caller's to close. `what` is spooled: for messages. Errors: cant_create.
Result<int> open_temporary_file(const std::string& what);

class SpillFile {
 public:
  // As open_temporary_file().
  static Result<SpillFile> create(const std::string& what);
  SpillFile(SpillFile&& other) noexcept;
  SpillFile& operator=(SpillFile&& other) noexcept;
  ~SpillFile();

  std::int64_t size() const { return size_; }
  // Errors: io.
  Status append(std::string_view bytes);
  // Fewer bytes than asked for only at the end. Errors: io.
  Result<std::size_t> read_at(std::int64_t offset, std::span<char> buffer) const;

 private:
  SpillFile(int fd, std::string what) : fd_(fd), what_(std::move(what)) {}
  int fd_ = -1;
  std::string what_;
  std::int64_t size_ = 0;
};

}  // namespace dl
