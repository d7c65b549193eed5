// The dispatcher's account of its connections: which are being opened, idle, or carry a request. A
// POST to a DSP that does not deduplicate needs a fresh one, because on a reused one "closed while
// idle" and "applied, then died" look alike. Pure bookkeeping. Not thread-safe; the Dispatcher owns
// the only one.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "daemon/core/dsp.h"
#include "storage/model/moment.h"

namespace dl {

enum class Freshness { fresh, any };

class Connections {
 public:
  // A worker is given `per_worker` before the next one gets any; beyond that they are spread
  // evenly. Each wake-up of a thread costs about what an answer does, and the fewer threads there
  // are, the more answers one wake-up serves.
  explicit Connections(int workers, int per_worker = 1)
      : per_worker_(per_worker), open_at_(static_cast<std::size_t>(workers)) {}

  ConnectionId open_next();                            // a new name; it counts as opening
  void opened(ConnectionId id, std::int64_t boot_ms);  // idle and fresh
  // Failed to open, or closed: also while it is taken for a permit that is on its way to the
  // tables. So these three ignore ids that are gone.
  void lost(ConnectionId id);
  void returned(ConnectionId id);   // idle again after a request
  void untouched(ConnectionId id);  // taken, but nothing was sent on it after all
  // Takes an idle one for a request; prefers used ones where any will do.
  std::optional<ConnectionId> take(Freshness freshness);

  int opening() const { return count(Use::opening); }
  int busy() const { return count(Use::busy); }
  int idle(Freshness freshness) const;
  int idle_used_count() const { return count(Use::idle_used); }
  int total() const { return static_cast<int>(uses_.size()); }
  // Those that there are speak with a token that is no longer to be trusted: what is idle is to be
  // closed (they are given back), the others when they are idle next.
  std::vector<ConnectionId> retire();
  bool is_retired(ConnectionId id) const;
  // nothing was sent on it so far, though it may be taken for a permit
  bool is_unused(ConnectionId id) const;
  bool is_older_than(Millis age, ConnectionId id, std::int64_t boot_ms) const;
  // An idle used connection that may make room for a fresh one.
  std::optional<ConnectionId> idle_used() const;

 private:
  enum class Use { opening, idle_fresh, idle_used, busy };
  struct State {
    Use use = Use::opening;
    bool was_fresh = true;  // when it was taken last
    bool is_retired = false;
    std::int64_t opened_boot_ms = 0;
  };
  int count(Use use) const { return counts_[static_cast<std::size_t>(use)]; }
  void set(ConnectionId id, Use use);

  int worker_for_the_next() const;

  int per_worker_;
  std::vector<int> open_at_;  // how many each worker has
  std::int64_t next_serial_ = 1;
  std::map<ConnectionId, State> uses_;
  std::vector<ConnectionId> fresh_;  // stacks; entries whose use has changed since are skipped
  std::vector<ConnectionId> used_;
  int counts_[4] = {};
};

}  // namespace dl
