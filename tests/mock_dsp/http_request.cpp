#include "tests/mock_dsp/http_request.h"

#include <algorithm>
#include <charconv>

namespace dl::mock {
namespace {

using State = ParsedHttp::State;

ParsedHttp bad(int refusal, std::string_view trouble) {
  return {.state = State::bad, .request = {}, .refusal = refusal, .trouble = trouble};
}

bool is_visible(std::string_view text) {
  const auto visible = [](char c) { return c > 0x20 && c < 0x7f; };
  return !text.empty() && std::all_of(text.begin(), text.end(), visible);
}

bool same_name(std::string_view name, std::string_view lower_case) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::equal(name.begin(), name.end(), lower_case.begin(), lower_case.end(), same);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes the next line off `head`; the last one has no CRLF of its own.
std::string_view next_line(std::string_view& head) {
  const std::size_t end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, end);
  head.remove_prefix(std::min(end + 2, head.size()));
  return line;
}

bool parse_request_line(std::string_view line, HttpRequest& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  request.keep_alive = version == "HTTP/1.1";
  return is_visible(request.method) && is_visible(request.target) &&
         (version == "HTTP/1.1" || version == "HTTP/1.0");
}

bool parse_length(std::string_view value, std::optional<std::size_t>& length) {
  std::size_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [rest, trouble] = std::from_chars(value.data(), end, number);
  if (trouble != std::errc{} || rest != end || (length && *length != number)) return false;
  length = number;
  return true;
}

// `head`: request line and headers, without the empty line. Fills `length` from Content-Length.
ParsedHttp parse_head(std::string_view head, std::size_t& body_size) {
  ParsedHttp parsed{.state = State::complete, .request = {}};
  std::optional<std::size_t> length;
  if (!parse_request_line(next_line(head), parsed.request)) return bad(400, "bad request line");
  while (!head.empty()) {
    const std::string_view line = next_line(head);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || !is_visible(line.substr(0, colon))) {
      return bad(400, "bad header line");
    }
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same_name(name, "content-length")) {
      if (!parse_length(value, length)) return bad(400, "bad Content-Length");
    } else if (same_name(name, "transfer-encoding")) {
      return bad(411, "send Content-Length, not Transfer-Encoding");
    } else if (same_name(name, "idempotency-key")) {
      if (!is_visible(value)) return bad(400, "bad Idempotency-Key");
      parsed.request.idempotency_key = value;
    } else if (same_name(name, "authorization")) {
      parsed.request.authorization = value;
    } else if (same_name(name, "connection")) {
      if (same_name(value, "close")) parsed.request.keep_alive = false;
      if (same_name(value, "keep-alive")) parsed.request.keep_alive = true;
    }
  }
  body_size = length.value_or(0);
  if (body_size > kMaxBodyBytes) return bad(413, "body over 16 MiB");
  return parsed;
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Mock";
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ParsedHttp parse_http(std::string_view buffer) {
  const std::size_t head_size = buffer.substr(0, kMaxHeaderBytes).find("\r\n\r\n");
  if (head_size == std::string_view::npos) {
    if (buffer.size() >= kMaxHeaderBytes) return bad(431, "header over 64 KiB");
    return {};
  }
  std::size_t body_size = 0;
  ParsedHttp parsed = parse_head(buffer.substr(0, head_size), body_size);
  if (parsed.state == State::bad) return parsed;
  const std::size_t body_begin = head_size + 4;
  if (buffer.size() < body_begin + body_size) return {};
  parsed.request.body = buffer.substr(body_begin, body_size);
  parsed.size = body_begin + body_size;
  return parsed;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string http_answer(int status, std::string_view headers, std::string_view body,
                        bool keep_alive) {
  std::string answer;
  answer.reserve(128 + headers.size() + body.size());
  answer.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_of(status));
  answer.append("\r\nContent-Type: application/json\r\nContent-Length: ");
  answer.append(std::to_string(body.size())).append("\r\n").append(headers);
  answer.append(keep_alive ? "\r\n" : "Connection: close\r\n\r\n").append(body);
  return answer;
}

}  // namespace dl::mock
