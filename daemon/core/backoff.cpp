#include "daemon/core/backoff.h"

#include <algorithm>

namespace dl {

double jitter(std::int64_t what, std::int64_t nth) {
  std::uint64_t x =
      static_cast<std::uint64_t>(what) * 0x9E3779B97F4A7C15ULL + static_cast<std::uint64_t>(nth);
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  x ^= x >> 31;
  return static_cast<double>(x >> 11) / static_cast<double>(1ULL << 53);
}

Millis retry_backoff(std::int64_t what, int n, Millis longest_ms) {
  const Millis base = Millis{1'000} << std::clamp(n, 0, 20);
  const Millis spread = static_cast<Millis>(static_cast<double>(base) / 2 * jitter(what, n));
  return std::min(longest_ms, base + spread);
}

}  // namespace dl
