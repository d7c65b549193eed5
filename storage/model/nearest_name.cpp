#include "storage/model/nearest_name.h"

#include <algorithm>
#include <vector>

namespace dl {
namespace {

// Optimal string alignment distance.
std::size_t edits(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> cost((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return cost[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
      }
    }
  }
  return at(a.size(), b.size());
}

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view typed,
                                             std::span<const std::string_view> known) {
  constexpr std::size_t kLongestTyped =
      64;  // longer ones are no slip of the finger, and cost a square
  if (typed.size() > kLongestTyped) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_edits = 0;
  for (const std::string_view name : known) {
    const std::size_t needed = edits(typed, name);
    if (needed > std::max<std::size_t>(1, name.size() / 3)) continue;
    if (!best || needed < best_edits) {
      best = name;
      best_edits = needed;
    }
  }
  return best;
}

}  // namespace dl
