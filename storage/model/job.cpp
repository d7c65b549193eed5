#include "storage/model/job.h"

namespace dl {

std::optional<JobKind> kind_named(std::string_view name) {
  for (const KindNames& names : kKinds) {
    if (names.name == name) return names.kind;
  }
  return std::nullopt;
}

std::string job_key(const std::vector<std::string_view>& path) {
  std::string key;
  for (const std::string_view id : path) {
    if (!key.empty()) key += '/';
    for (const char c : id) {
      if (c == '/') {
        key += "%2F";
      } else if (c == '%') {
        key += "%25";
      } else {
        key += c;
      }
    }
  }
  return key;
}

std::vector<std::string> job_path(std::string_view key) {
  std::vector<std::string> path(1);
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (key[i] == '/') {
      path.emplace_back();
    } else if (key[i] == '%' && key.substr(i, 3) == "%2F") {
      path.back() += '/';
      i += 2;
    } else if (key[i] == '%' && key.substr(i, 3) == "%25") {
      path.back() += '%';
      i += 2;
    } else {
      path.back() += key[i];
    }
  }
  return path;
}

}  // namespace dl
