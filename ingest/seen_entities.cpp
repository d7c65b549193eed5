#include "ingest/seen_entities.h"

#include <algorithm>
#include <functional>
#include <tuple>

namespace dl {

std::uint64_t SeenEntities::key_hash(std::string_view key) {
  return std::hash<std::string_view>{}(key);
}

void SeenEntities::add(std::string_view key, std::string_view content, std::int64_t row) {
  const std::uint64_t hash = key_hash(key);
  const auto content_hash = static_cast<std::uint32_t>(std::hash<std::string_view>{}(content));
  parts_[hash >> 58].push_back({hash, content_hash, static_cast<std::uint32_t>(row)});
}

std::vector<SeenEntities::Suspicion> SeenEntities::take_suspicions() {
  std::vector<Suspicion> suspicions;
  for (std::deque<Entry>& part : parts_) {
    std::sort(part.begin(), part.end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.key, a.row) < std::tie(b.key, b.row);
    });
    const Entry* first = nullptr;
    for (const Entry& entry : part) {
      if (first == nullptr || first->key != entry.key) {
        first = &entry;
      } else if (first->content != entry.content) {
        suspicions.push_back({first->row, entry.row, entry.key});
      }
    }
    part = {};
  }
  std::sort(suspicions.begin(), suspicions.end(), [](const Suspicion& a, const Suspicion& b) {
    return std::tie(a.later_row, a.first_row) < std::tie(b.later_row, b.first_row);
  });
  return suspicions;
}

}  // namespace dl
