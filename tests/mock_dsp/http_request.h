// A strict parser of HTTP/1.1 requests with Content-Length, and the writer of answers. What it lets
// through is safe to log: method and target are visible ASCII. Pure; callable from any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dl::mock {

inline constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
inline constexpr std::size_t kMaxBodyBytes = 16 * 1024 * 1024;

// Views into the buffer that was parsed.
struct HttpRequest {
  std::string_view method;
  std::string_view target;
  std::string_view body;
  std::optional<std::string_view> idempotency_key;
  std::string_view authorization;  // as sent; empty: none
  bool keep_alive = true;
};

struct ParsedHttp {
  enum class State { incomplete, complete, bad };
  State state = State::incomplete;
  HttpRequest request;
  std::size_t size = 0;           // complete: bytes of the buffer that this request took
  int refusal = 0;                // bad: the status to answer before closing
  std::string_view trouble = {};  // bad: why, in words
};

// `buffer`: what has arrived and was not yet consumed. Linear in the header; the body is not looked
// at.
ParsedHttp parse_http(std::string_view buffer);

// "%2F" -> "/"; nothing if an escape is broken.
std::optional<std::string> percent_decoded(std::string_view text);

// A whole answer. `headers`: extra lines, each ending in CRLF.
std::string http_answer(int status, std::string_view headers, std::string_view body,
                        bool keep_alive);

}  // namespace dl::mock
