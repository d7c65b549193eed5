// The bytes of one input, opened once and readable twice: a regular file as it lies there; a pipe,
// stdin or a --line is first spooled to an unlinked temporary file. Reading is by position, so the
// two passes share one descriptor and a file that is replaced meanwhile is no danger. Thread rule:
// read_at may be called from any thread; the rest belongs to one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/model/result.h"

namespace dl {

inline constexpr std::int64_t kInputBytesMax = std::int64_t{8} << 30;

class InputFile {
 public:
  // `name`: a path, or "-" for stdin. Errors: no_input (missing, a directory, a device), io, data
  // (longer than kInputBytesMax), no_permission.
  static Result<InputFile> open(const std::string& name);
  // Can it be opened? Reads nothing of it, and leaves a pipe and stdin alone. Errors: no_input,
  // no_permission.
  static Status check(const std::string& name);
  // `text` becomes the content; `name` is only shown.
  static Result<InputFile> from_text(const std::string& name, std::string_view text);

  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  // For messages and the batch's row: the path, "stdin" or "--line".
  const std::string& name() const { return name_; }
  std::int64_t size_bytes() const { return size_bytes_; }

  // Fills `buffer` from `offset`; less than asked for only at the end. Errors: io.
  Result<std::size_t> read_at(std::int64_t offset, std::span<char> buffer) const;

 private:
  InputFile(int fd, std::string name, std::int64_t size_bytes)
      : fd_(fd), name_(std::move(name)), size_bytes_(size_bytes) {}

  int fd_ = -1;
  std::string name_;
  std::int64_t size_bytes_ = 0;
};

}  // namespace dl
