#include "daemon/dsp/request_text.h"

#include <algorithm>

namespace dl {
namespace {

bool all_between(std::string_view text, char first, char last) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return c >= first && c <= last; });
}

// Names are literals of ours; values are not. CR, LF, NUL and everything beyond printable ASCII
// stays out: Beast 1.81 would pass it on.
bool set_header(std::string& out, std::string_view name, std::string_view value) {
  if (!all_between(value, ' ', '~')) return false;
  out.append(name).append(": ").append(value).append("\r\n");
  return true;
}

std::string host_header(const Endpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  std::string value = is_v6 ? "[" + endpoint.host + "]" : endpoint.host;
  if (endpoint.port != (endpoint.tls ? "443" : "80")) value += ":" + endpoint.port;
  return value;
}

Error refused(const char* part) {
  return {Errc::software,
          std::string("not sent: a byte in the ") + part + " has no place in a request"};
}

}  // namespace

Status append_request(const WirePolicy& policy, std::string_view token, const DspRequest& request,
                      std::string& out) {
  const bool posts = is_post(request.purpose);
  if (!request.target.starts_with('/') || !all_between(request.target, '!', '~')) {
    return refused("path");
  }
  out.append(posts ? "POST " : "GET ").append(policy.endpoint.base_path).append(request.target);
  out.append(" HTTP/1.1\r\n");
  if (!set_header(out, "Host", host_header(policy.endpoint))) return refused("host");
  if (!set_header(out, "User-Agent", policy.user_agent)) return refused("user agent");
  set_header(out, "Accept", "application/json");
  if (!token.empty()) {
    out.append("Authorization: Bearer ");
    if (!all_between(token, '!', '~')) return refused("token");
    out.append(token).append("\r\n");
  }
  if (posts) {
    set_header(out, "Content-Type", "application/json");
    set_header(out, "Content-Length", std::to_string(request.body.size()));
    if (!request.idempotency_key.empty() &&
        !set_header(out, "Idempotency-Key", request.idempotency_key)) {
      return refused("idempotency key");
    }
  }
  out.append("\r\n");
  if (posts) out.append(request.body);
  return Done{};
}

}  // namespace dl
