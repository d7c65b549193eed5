// A blocking HTTP client on a bare socket that shows what really came back. Thread rule: one owner.
#pragma once

#include <string>
#include <string_view>

namespace dl::mock {

// what the server did after (or in place of) an answer
enum class End { open, closed, reset };

struct RawAnswer {
  std::string bytes;  // head and body
  int status = 0;     // 0: no status line
  std::string body;
  bool whole = false;  // as many bytes of body as Content-Length promised
  End end = End::open;

  std::string header(std::string_view name) const;  // empty: none
};

class PlainClient {
 public:
  explicit PlainClient(int port);
  ~PlainClient();
  PlainClient(const PlainClient&) = delete;
  PlainClient& operator=(const PlainClient&) = delete;

  void send(std::string_view bytes);
  RawAnswer receive();  // one answer, or what came until the connection ended

  // `headers`: lines, each ending in CRLF.
  RawAnswer post(std::string_view target, std::string_view body, std::string_view headers = "");
  RawAnswer post_with_key(std::string_view target, std::string_view body, std::string_view key);
  RawAnswer get(std::string_view target);

 private:
  int socket_;
  std::string unread_;  // arrived behind the last answer
};

std::string http_post(std::string_view target, std::string_view body, std::string_view headers);
// The string field `name` of a flat JSON object; empty: none.
std::string json_text(const std::string& object, std::string_view name);

}  // namespace dl::mock
