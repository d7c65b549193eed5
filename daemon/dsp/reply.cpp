#include "daemon/dsp/reply.h"

#include <algorithm>

#include "daemon/dsp/codec.h"

namespace dl {
namespace {

constexpr std::size_t kHeaderBytesKept = 128;
constexpr std::size_t kListBytesKept = 512;  // of all lines of a list
constexpr std::size_t kExcerptBytesMax = 512;

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string printable(std::string_view text, std::size_t bytes_max) {
  std::string out(text.substr(0, bytes_max));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

bool is_json(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  type = type.substr(0, type.find_last_not_of(" \t") + 1);
  if (type.empty() || same_word(type, "application/json")) return true;
  constexpr std::string_view kSuffix = "+json";
  return type.size() > kSuffix.size() &&
         same_word(type.substr(type.size() - kSuffix.size()), kSuffix);
}

bool needs_an_id(Purpose purpose) { return is_post(purpose) || purpose == Purpose::lookup; }

}  // namespace

void note_header(DspReply& reply, std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view wanted) { return same_word(name, wanted); };
  const auto kept = [&] { return printable(value, kHeaderBytesKept); };
  // A list of RFC 9651 may come in several lines: each has windows of its own.
  const auto join = [&](std::optional<std::string>& list) {
    list = !list || list->empty() ? kept() : printable(*list + ", " + kept(), kListBytesKept);
  };
  switch (lower(name.empty() ? ' ' : name.front())) {
    case 'd':
      if (is("Date")) reply.date = kept();
      break;
    case 'l':
      if (is("Location")) reply.location = kept();
      break;
    case 'r':
      if (is("Retry-After")) reply.retry_after = kept();
      if (is("RateLimit-Remaining")) reply.rate_limit_remaining = kept();
      if (is("RateLimit-Reset")) reply.rate_limit_reset = kept();
      if (is("RateLimit")) join(reply.rate_limit);
      if (is("RateLimit-Policy")) join(reply.rate_limit_policy);
      if (is("Request-Id") && reply.dsp_request_id.empty()) reply.dsp_request_id = kept();
      break;
    case 'x':
      // The standard's names, where both are there, win over the X- ones.
      if (is("X-RateLimit-Remaining") && !reply.rate_limit_remaining) {
        reply.rate_limit_remaining = kept();
      }
      if (is("X-RateLimit-Reset") && !reply.rate_limit_reset) reply.rate_limit_reset = kept();
      if (is("X-Request-Id")) reply.dsp_request_id = kept();
      break;
    default: break;
  }
}

void note_body(DspReply& reply, std::string_view content_type, std::string_view body, JobKind kind,
               Purpose purpose, const Secret& token) {
  if (body.empty()) {
    reply.trouble = "the answer has no body";
  } else if (!is_json(content_type)) {
    reply.trouble = "the answer is no JSON but " + printable(content_type, 64);
  } else {
    reply.answer = parse_answer(body, kind, purpose, token);
    if (!reply.answer.readable) {
      reply.trouble = reply.answer.id_withheld
                          ? "the answer's id holds our token, so it is not kept; use a longer token"
                          : "the answer's JSON cannot be read";
    }
  }
  const bool is_odd = !reply.answer.readable || reply.http_status < 200 ||
                      reply.http_status > 299 || (needs_an_id(purpose) && reply.answer.ids.empty());
  if (!is_odd) return;
  std::string masked(body);
  token.mask_in(masked);
  reply.excerpt = printable(masked, kExcerptBytesMax);
}

}  // namespace dl
