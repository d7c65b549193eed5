// Physical lines of an input, in constant memory, with the checks that belong to bytes: length,
// NUL, UTF-8. Counts and hashes all it reads. A byte order mark at the beginning is taken off.
// Thread rule: one thread. Ownership: borrows the InputFile.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/input_file.h"

struct evp_md_ctx_st;

namespace dl {

// SHA-256 of bytes that come in pieces.
class RunningDigest {
 public:
  RunningDigest();
  ~RunningDigest();
  RunningDigest(const RunningDigest&) = delete;
  RunningDigest& operator=(const RunningDigest&) = delete;
  void add(std::string_view bytes);
  std::string hex_of_all();  // once, at the end

 private:
  evp_md_ctx_st* context_;
};

enum class LineFlaw { none, too_long, nul_byte, bad_utf8 };

struct Line {
  std::string_view text;  // with its end (\n or \r\n, none at the end of the file); valid until the
                          // next call; empty where the line is too long
  std::int64_t number = 0;  // 1 = first
  LineFlaw flaw = LineFlaw::none;
};

// The text without \n or \r\n.
std::string_view without_end(std::string_view line);
bool is_valid_utf8(std::string_view text);

class LineReader {
 public:
  // `line_bytes_max`: what is longer comes as one empty line with the flaw too_long.
  LineReader(const InputFile& file, std::size_t line_bytes_max);

  // False at the end. Errors: io.
  Result<bool> next(Line& line);

  // Keeps what comes from here on, which must not be much, so that go_back() can give it again. A
  // line that is too long cannot be kept: then going back is all that is left to do.
  void mark();
  void forget_mark() { mark_.reset(); }
  void go_back();  // to the mark, which is forgotten

  std::int64_t bytes_read() const { return offset_; }
  bool has_mark() const { return has_mark_; }  // after the first line
  // Of the whole input; reads on to its end if need be. Once. Errors: io.
  Result<std::string> sha256_hex();

 private:
  Result<bool> fill();  // false: nothing more to read
  Status skip_rest_of_line();

  const InputFile& file_;
  std::size_t line_bytes_max_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // unread bytes are buffer_[begin_, end_)
  std::size_t end_ = 0;
  std::optional<std::size_t> mark_;  // in buffer_, not above begin_
  std::int64_t lines_before_mark_ = 0;
  std::int64_t offset_ = 0;
  std::int64_t line_number_ = 0;
  bool has_mark_ = false;
  RunningDigest digest_;
};

}  // namespace dl
