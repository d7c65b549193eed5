// Does the ledger alone prove that a window held more requests than its limit? A request reached
// the DSP at some moment between its permit and its complete answer, so what counts is only what
// lies in a window as a whole. Fewer may have been seen than there were, never more: what is found
// is broken. Requests whose answer never came, or in another boot, are not counted. Pure but for
// the table; thread rule: the caller's.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "storage/model/rate_spec.h"

namespace dl {

// The fullest window of one tier.
class FullestWindow {
 public:
  explicit FullestWindow(Tier tier) : tier_(tier) {}

  // In the order of `sent_ms`, of one clock; `answered_ms` is not before it.
  void add(std::int64_t request, std::int64_t sent_ms, std::int64_t answered_ms);
  // Call once after the last add().
  void end();

  const Tier& tier() const { return tier_; }
  // how many requests lie in the fullest window as a whole
  std::int64_t count() const { return count_; }
  std::int64_t first() const { return first_; }  // the request with whose permit it began

 private:
  struct Begun {
    std::int64_t request;
    std::int64_t sent_ms;
    bool is_inside = false;  // answered within the window of the first one
  };
  using End = std::pair<std::int64_t, std::int64_t>;  // answered_ms, number in the order of add()
  void close_first();

  Tier tier_;
  std::deque<Begun> begun_;        // sent within a window of the first one
  std::int64_t first_number_ = 0;  // of begun_.front()
  // of those that are not inside, and of some that have left
  std::priority_queue<End, std::vector<End>, std::greater<>> ends_;
  std::int64_t inside_ = 0;
  std::int64_t count_ = 0;
  std::int64_t first_ = 0;
};

// Calls `found` with a sentence for each tier that was broken, once for each stretch of the ledger
// under one limit (instance.rate_limit).
void find_full_windows(SQLite::Database& db, const std::function<void(std::string)>& found);

}  // namespace dl
