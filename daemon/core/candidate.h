// Something that could be sent, and where it stands in the order of work.
// Pure values; callable from any thread.
#pragma once

#include <compare>
#include <cstdint>

#include "daemon/core/life_table.h"
#include "storage/model/work.h"

namespace dl {

struct Candidate {
  JobRef job;
  Purpose purpose = Purpose::create;
  std::int64_t posted_boot_ms = 0;      // status: when the creation was sent
  Millis looked_age_ms = kNeverLooked;  // status: age at the last undecided look
  bool overdue = false;
};

// When little work is left, latency matters more than the order between campaigns.
enum class EndGame { no, yes };

// Compared field by field. Priority first, always; then the oldest campaign, and inside it polls of
// entities that others wait for and the resolving of doubts, POSTs level by level, polls of leaves.
// In the end game: level by level over all campaigns, POSTs before polls.
struct OrderKey {
  std::int64_t priority = 0;
  std::int64_t first = 0;
  std::int64_t second = 0;
  std::int64_t third = 0;
  JobId id;
  friend auto operator<=>(const OrderKey&, const OrderKey&) = default;
};

OrderKey order_of(const Candidate& candidate, EndGame end_game = EndGame::no);

}  // namespace dl
