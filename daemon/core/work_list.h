// The dispatcher's view of what could be done: what is ready now in order of work, and what becomes due
// later. A window on the tables, refilled by LoadWork; the tables stay the truth.
//
// Order: oldest campaign first (priority, then submission); inside it polls of entities that others wait
// for, then POSTs level by level, then polls of leaves.
// Pure. Not thread-safe; the Dispatcher owns the only one.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "storage/model/work.h"

namespace dl {

struct OrderKey {
  std::int64_t priority = 0;
  std::int64_t root_id = 0;
  int rank = 0;  // 0: poll of a parent, or resolving a doubt; 1: POST; 2: poll of a leaf
  int level = 0;
  JobId id;
  friend auto operator<=>(const OrderKey&, const OrderKey&) = default;
};

struct Candidate {
  JobRef job;
  Purpose purpose = Purpose::create;
  std::int64_t posted_boot_ms = 0;  // status: when the creation was sent
  Millis looked_age_ms = -1;        // status: age at the last undecided look
  bool overdue = false;
};

OrderKey order_of(const Candidate& candidate);

class WorkList {
 public:
  explicit WorkList(UnknownOutcome unknown_outcome) : unknown_outcome_(unknown_outcome) {}

  // Replaces everything by what the tables say, but for jobs that `leaves_out(JobId)` names: they are on
  // their way elsewhere.
  template <class LeavesOut>
  void reload(const LoadedWork& loaded, const LeavesOut& leaves_out, std::int64_t now_boot_ms) {
    clear(loaded);
    for (const JobRef& job : loaded.ready) {
      if (!leaves_out(job.id)) add_ready(job);
    }
    for (const TimedJob& timed : loaded.timed) {
      if (!leaves_out(timed.job.id)) add_timed(timed, now_boot_ms);
    }
  }

  void add_ready(const JobRef& job);  // POST under a new key
  // `due_boot_ms`: not before.
  void add_waiting(const JobRef& job, std::int64_t due_boot_ms);
  void add_later(const Candidate& candidate, std::int64_t due_boot_ms);

  // Moves what is due into the candidates; gives back the jobs that were waiting and are due.
  std::vector<JobRef> fire(std::int64_t now_boot_ms);

  std::optional<Candidate> best() const;
  // The best that `avoids(JobId)` does not name; where it names them all, the best.
  template <class Avoids>
  std::optional<Candidate> best_but(const Avoids& avoids) const {
    for (const auto& [key, candidate] : candidates_) {
      if (!avoids(candidate.job.id)) return candidate;
    }
    return best();
  }
  void remove(const Candidate& candidate);
  void put_back(const Candidate& candidate);

  int candidates() const { return static_cast<int>(candidates_.size()); }
  bool has_candidates() const { return !candidates_.empty(); }
  std::optional<std::int64_t> next_due_boot_ms() const;
  // Anything that a drain must wait for: candidates, or timers of jobs that are not overdue.
  bool has_work_left() const { return !candidates_.empty() || timers_.size() > overdue_timers_; }
  // The window ran low while the table has more.
  bool wants_more() const;

 private:
  struct Timer {
    Candidate candidate;
    bool waiting = false;
  };
  void clear(const LoadedWork& loaded);
  void add_timed(const TimedJob& timed, std::int64_t now_boot_ms);

  UnknownOutcome unknown_outcome_;
  std::map<OrderKey, Candidate> candidates_;
  std::size_t creates_ = 0;  // of the candidates
  std::multimap<std::int64_t, Timer> timers_;
  std::size_t overdue_timers_ = 0;
  bool ready_complete_ = true;
  bool timed_complete_ = true;
  std::optional<OrderKey> ready_end_;  // the last of a window that is not complete
};

}  // namespace dl
