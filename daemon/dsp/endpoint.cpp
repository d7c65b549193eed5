#include <arpa/inet.h>

#include <algorithm>
#include <boost/url.hpp>
#include <cctype>
#include <charconv>

#include "daemon/dsp/worker_pool.h"

namespace dl {
namespace {

namespace urls = boost::urls;

Error refused(const std::string& url, const std::string& why) {
  // What holds an '@' may hold a password, and errors end up in logs.
  const bool is_quotable = url.find('@') == std::string::npos;
  return {Errc::config, (is_quotable ? "endpoint \"" + url + "\": " : "endpoint: ") + why};
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
}

// Digits; 0 where that is no port. Boost.URL 1.81's port_number() makes 34463 of 99999.
int port_of(std::string_view digits) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool is_port =
      error == std::errc{} && end == digits.data() + digits.size() && port <= 65'535;
  return is_port ? static_cast<int>(port) : 0;
}

std::string_view default_port(const Endpoint& endpoint) { return endpoint.tls ? "443" : "80"; }

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& url) {
  const auto parsed = urls::parse_uri(url);
  if (!parsed) {
    return refused(url, "not a URL; write http://host[:port][/base] or https://…");
  }
  const urls::url_view view = *parsed;
  Endpoint endpoint;
  if (view.scheme_id() == urls::scheme::https) {
    endpoint.tls = true;
  } else if (view.scheme_id() != urls::scheme::http) {
    return refused(url, "the scheme must be http or https");
  }
  if (view.has_userinfo()) {
    return refused(url, "no user or password in the URL; use token_file");
  }
  if (view.has_query() || view.has_fragment()) return refused(url, "no '?' or '#' may follow");
  if (view.host_type() == urls::host_type::ipv6) {
    endpoint.host = view.host_address();
  } else {
    endpoint.host = std::string(view.encoded_host());
    if (!is_host_name(endpoint.host)) return refused(url, "that is no host name or address");
  }
  endpoint.port = std::string(default_port(endpoint));
  if (view.has_port() && !view.port().empty()) {
    const int port = port_of(view.port());
    if (port == 0) return refused(url, "the port must be 1 to 65535");
    endpoint.port = std::to_string(port);
  }
  endpoint.base_path = std::string(view.encoded_path());
  // Boost.URL 1.81 reads "http://127.0.0.1.example" as the host 127.0.0.1 and the path ".example".
  if (!endpoint.base_path.empty() && endpoint.base_path.front() != '/') {
    return refused(url, "that is no host name or address with a port");
  }
  while (endpoint.base_path.ends_with('/')) endpoint.base_path.pop_back();
  return endpoint;
}

std::string Endpoint::text() const {
  return (tls ? "https://" : "http://") +
         (port == default_port(*this) ? bracketed(host) : host_and_port()) + base_path;
}

std::string Endpoint::host_and_port() const { return bracketed(host) + ":" + port; }

bool Endpoint::is_loopback() const {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace dl
