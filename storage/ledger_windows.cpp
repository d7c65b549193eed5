#include "storage/ledger_windows.h"

#include "queries_sql.h"

namespace dl {

void FullestWindow::add(std::int64_t request, std::int64_t sent_ms, std::int64_t answered_ms) {
  while (!begun_.empty() && begun_.front().sent_ms + tier_.window_ms <= sent_ms) close_first();
  ends_.emplace(answered_ms, first_number_ + std::ssize(begun_));
  begun_.push_back({request, sent_ms});
}

void FullestWindow::end() {
  while (!begun_.empty()) close_first();
}

// All that was sent in the window of the first one is known.
void FullestWindow::close_first() {
  const Begun& first = begun_.front();
  for (; !ends_.empty() && ends_.top().first < first.sent_ms + tier_.window_ms; ends_.pop()) {
    const std::int64_t at = ends_.top().second - first_number_;
    if (at < 0) continue;  // has left, and took longer than a window
    begun_[static_cast<std::size_t>(at)].is_inside = true;
    ++inside_;
  }
  if (inside_ > count_) {
    count_ = inside_;
    first_ = first.request;
  }
  if (first.is_inside) --inside_;
  begun_.pop_front();
  ++first_number_;
}

namespace {

// A stretch of the ledger under one limit, by one boot's clock.
struct Stretch {
  std::string boot_key;
  std::string rate_limit;
  std::vector<FullestWindow> tiers;
  std::int64_t sent_ms = 0;

  void end(const std::function<void(std::string)>& found) {
    for (FullestWindow& window : tiers) {
      window.end();
      if (window.count() <= window.tier().count) continue;
      found("the limit " + format_rate_spec({window.tier()}) +
            " was broken: " + std::to_string(window.count()) +
            " requests were sent and answered in the window that began with request " +
            std::to_string(window.first()));
    }
    tiers.clear();
  }
};

}  // namespace

void find_full_windows(SQLite::Database& db, const std::function<void(std::string)>& found) {
  SQLite::Statement rows(db, std::string(sql::k_verify_windows));
  Stretch stretch;
  while (rows.executeStep()) {
    const std::int64_t sent_ms = rows.getColumn(3).getInt64();
    if (rows.getColumn(1).getText() != stretch.boot_key ||
        rows.getColumn(2).getText() != stretch.rate_limit) {
      stretch.end(found);
      stretch.boot_key = rows.getColumn(1).getText();
      stretch.rate_limit = rows.getColumn(2).getText();
      stretch.sent_ms = sent_ms;
      const Result<std::vector<Tier>> tiers = parse_rate_spec(stretch.rate_limit);
      if (!tiers) continue;
      for (const Tier& tier : *tiers) stretch.tiers.emplace_back(tier);
    }
    if (sent_ms < stretch.sent_ms) continue;  // out of order: not counted
    stretch.sent_ms = sent_ms;
    for (FullestWindow& window : stretch.tiers) {
      window.add(rows.getColumn(0).getInt64(), sent_ms, rows.getColumn(4).getInt64());
    }
  }
  stretch.end(found);
}

}  // namespace dl
