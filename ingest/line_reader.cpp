#include "ingest/line_reader.h"

#include <openssl/evp.h>

#include <array>
#include <cstring>

#include "storage/digest.h"
#include "storage/model/check.h"

namespace dl {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

// Room for a small file as a whole (and a byte, to see its end), for a large one by and by.
std::size_t room_for(const InputFile& file) {
  const std::int64_t size = file.size_bytes() + 1;
  return size < static_cast<std::int64_t>(kChunk) ? static_cast<std::size_t>(size) : kChunk;
}
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Length of the well-formed sequence at the front of `text` (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF); 0: malformed.
std::size_t utf8_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  const auto second = static_cast<unsigned char>(text[1]);
  if (lead == 0xE0 && second < 0xA0) return 0;
  if (lead == 0xED && second > 0x9F) return 0;
  if (lead == 0xF0 && second < 0x90) return 0;
  if (lead == 0xF4 && second > 0x8F) return 0;
  return length;
}

LineFlaw flaw_of(std::string_view text) {
  if (std::memchr(text.data(), '\0', text.size()) != nullptr) return LineFlaw::nul_byte;
  return is_valid_utf8(text) ? LineFlaw::none : LineFlaw::bad_utf8;
}

}  // namespace

RunningDigest::RunningDigest() : context_(EVP_MD_CTX_new()) {
  DL_CHECK(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1,
           "OpenSSL has no SHA-256");
}

RunningDigest::~RunningDigest() { EVP_MD_CTX_free(context_); }

void RunningDigest::add(std::string_view bytes) {
  DL_CHECK(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1, "SHA-256 refused bytes");
}

std::string RunningDigest::hex_of_all() {
  Sha256 digest{};
  DL_CHECK(EVP_DigestFinal_ex(context_, digest.data(), nullptr) == 1, "SHA-256 did not finish");
  return hex(digest);
}

std::string_view without_end(std::string_view line) {
  if (!line.empty() && line.back() == '\n') {
    line.remove_suffix(1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  }
  return line;
}

bool is_valid_utf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t at = 0;
  while (at < text.size()) {
    std::uint64_t word = 0;  // eight bytes of ASCII at a time
    if (text.size() - at >= sizeof word) {
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & kHighBits) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

LineReader::LineReader(const InputFile& file, std::size_t line_bytes_max)
    : file_(file), line_bytes_max_(line_bytes_max), buffer_(room_for(file)) {}

Result<bool> LineReader::fill() {
  const std::size_t kept_from = mark_.value_or(begin_);
  if (kept_from > 0) {
    std::memmove(buffer_.data(), buffer_.data() + kept_from, end_ - kept_from);
    end_ -= kept_from;
    begin_ -= kept_from;
    if (mark_) mark_ = 0;
  }
  if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
  Result<std::size_t> got = file_.read_at(offset_, std::span(buffer_).subspan(end_));
  if (!got) return got.error();
  digest_.add({buffer_.data() + end_, *got});
  const bool at_start = offset_ == 0;
  offset_ += static_cast<std::int64_t>(*got);
  end_ += *got;
  if (at_start && std::string_view(buffer_.data(), end_).starts_with(kByteOrderMark)) {
    begin_ = kByteOrderMark.size();
    has_mark_ = true;
  }
  return *got > 0;
}

Result<bool> LineReader::next(Line& line) {
  std::size_t searched = 0;  // of the unread bytes, without finding an end
  for (;;) {
    const char* from = buffer_.data() + begin_ + searched;
    const std::size_t room = end_ - begin_ - searched;
    const void* found = room == 0 ? nullptr : std::memchr(from, '\n', room);
    if (found != nullptr) {
      const auto length =
          static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) - begin_ + 1;
      line = {{buffer_.data() + begin_, length}, ++line_number_, LineFlaw::none};
      begin_ += length;
      break;
    }
    searched += room;
    if (searched > line_bytes_max_) {
      if (mark_) {
        line = {{}, line_number_ + 1, LineFlaw::too_long};
        return true;
      }
      if (Status ok = skip_rest_of_line(); !ok) return ok.error();
      line = {{buffer_.data() + begin_, 0}, ++line_number_, LineFlaw::too_long};
      return true;
    }
    Result<bool> more = fill();
    if (!more) return more.error();
    if (*more) continue;
    if (begin_ == end_) return false;
    line = {{buffer_.data() + begin_, end_ - begin_}, ++line_number_, LineFlaw::none};
    begin_ = end_;
    break;
  }
  line.flaw = line.text.size() > line_bytes_max_ ? LineFlaw::too_long : flaw_of(line.text);
  if (line.flaw == LineFlaw::too_long) line.text = {};
  return true;
}

void LineReader::mark() {
  mark_ = begin_;
  lines_before_mark_ = line_number_;
}

void LineReader::go_back() {
  DL_CHECK(mark_, "there is a mark to go back to");
  begin_ = *mark_;
  line_number_ = lines_before_mark_;
  mark_.reset();
}

Status LineReader::skip_rest_of_line() {
  for (;;) {
    const void* found =
        begin_ == end_ ? nullptr : std::memchr(buffer_.data() + begin_, '\n', end_ - begin_);
    if (found != nullptr) {
      begin_ = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()) + 1;
      return Done{};
    }
    begin_ = end_;
    Result<bool> more = fill();
    if (!more) return more.error();
    if (!*more) return Done{};
  }
}

Result<std::string> LineReader::sha256_hex() {
  mark_.reset();
  for (;;) {
    begin_ = end_;
    Result<bool> more = fill();
    if (!more) return more.error();
    if (!*more) return digest_.hex_of_all();
  }
}

}  // namespace dl
