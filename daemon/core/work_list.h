// The dispatcher's view of what could be done: what is ready now in order of work, and what becomes
// due later. A window on the tables, refilled by LoadWork; the tables stay the truth.
//
// In candidate.h: the order of work. In poll_queue.h: what waits for the DSP where a permit is
// scarce. Pure. Not thread-safe; the Dispatcher owns the only one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/core/candidate.h"
#include "daemon/core/poll_queue.h"
#include "daemon/core/schedule.h"
#include "storage/model/work.h"

namespace dl {

class WorkList {
 public:
  // `schedule` outlives it.
  WorkList(UnknownOutcome unknown_outcome, const Schedule& schedule)
      : unknown_outcome_(unknown_outcome), schedule_(schedule), polls_(schedule) {}

  // Replaces everything by what the tables say, but for jobs that `leaves_out(JobId)` names: they
  // are on their way elsewhere. Of entities that wait for the DSP memory knows more than the
  // tables.
  template <class LeavesOut>
  void reload(const LoadedWork& loaded, const LeavesOut& leaves_out, std::int64_t now_boot_ms) {
    const KnownPolls known = clear(loaded);
    for (const JobRef& job : loaded.ready) {
      if (!leaves_out(job.id)) add_ready(job);
    }
    for (const TimedJob& timed : loaded.timed) {
      if (!leaves_out(timed.job.id)) add_timed(timed, known, now_boot_ms);
    }
  }

  void add_ready(const JobRef& job);  // POST under a new key
  // `due_boot_ms`: not before.
  void add_waiting(const JobRef& job, std::int64_t due_boot_ms);
  void add_later(const Candidate& candidate, std::int64_t due_boot_ms);
  // A poll. `due_boot_ms` counts where looks are free; else the schedule decides, but not before
  // `not_before_boot_ms` (0: whenever).
  void add_poll(const Candidate& poll, std::int64_t due_boot_ms, std::int64_t not_before_boot_ms);

  // Moves what is due into the candidates; gives back the jobs that were waiting and are due.
  std::vector<JobRef> fire(std::int64_t now_boot_ms);
  void set_end_game(EndGame end_game);

  // What is certain to be worth a permit, and only where there is nothing of that: a look in doubt.
  std::optional<Candidate> best(std::int64_t now_boot_ms);
  std::optional<Candidate> doubtful(std::int64_t now_boot_ms, Millis spacing_ms) const {
    return polls_.doubtful(now_boot_ms, spacing_ms);
  }
  // The best that `avoids(JobId)` does not name; where it names them all, the best.
  template <class Avoids>
  std::optional<Candidate> best_but(const Avoids& avoids, std::int64_t now_boot_ms) {
    for (const auto& [key, candidate] : candidates_) {
      if (!avoids(candidate.job.id)) return candidate;
    }
    return best(now_boot_ms);
  }
  // Anything that a drain must wait for, of another job than `avoids(JobId)` names.
  template <class Avoids>
  bool has_other(const Avoids& avoids) const {
    const auto counts = [&avoids](const Candidate& each) {
      return !each.overdue && !avoids(each.job.id);
    };
    return std::ranges::any_of(candidates_,
                               [&](const auto& each) { return counts(each.second); }) ||
           std::ranges::any_of(timers_,
                               [&](const auto& each) { return counts(each.second.candidate); }) ||
           std::ranges::any_of(polls_.kept(),
                               [&](const auto& each) { return counts(each.second.poll); });
  }
  // It goes out.
  void take(const Candidate& candidate, std::int64_t now_boot_ms);
  void put_back(const Candidate& candidate);

  int candidates() const { return static_cast<int>(candidates_.size()); }
  bool has_candidates() const { return !candidates_.empty(); }
  // When there will be one more that is certain, or due.
  std::optional<std::int64_t> next_due_boot_ms() const;
  // When doubtful() will have something.
  std::optional<std::int64_t> next_doubtful_at(Millis spacing_ms) const {
    return polls_.next_doubtful_at(spacing_ms);
  }
  std::int64_t latest_likely_at() const { return polls_.latest_likely_at(); }
  // Anything that a drain must wait for: candidates, or jobs that are not overdue.
  bool has_work_left() const {
    return !candidates_.empty() || timers_.size() > overdue_timers_ ||
           polls_.size() > polls_.overdue();
  }
  // The window ran low while the table has more.
  bool wants_more() const;

 private:
  struct Timer {
    Candidate candidate;
    bool waiting = false;
  };
  // and not before
  using KnownPolls = std::unordered_map<JobId, std::pair<Candidate, std::int64_t>>;
  KnownPolls clear(const LoadedWork& loaded);
  void add_timed(const TimedJob& timed, const KnownPolls& known, std::int64_t now_boot_ms);
  void drop_beyond_high_water();

  UnknownOutcome unknown_outcome_;
  const Schedule& schedule_;
  PollQueue polls_;  // where a permit is scarce; else polls are timers
  EndGame end_game_ = EndGame::no;
  std::map<OrderKey, Candidate> candidates_;
  std::size_t creates_ = 0;  // of the candidates
  std::multimap<std::int64_t, Timer> timers_;
  std::size_t overdue_timers_ = 0;
  bool ready_complete_ = true;
  bool timed_complete_ = true;
  std::optional<OrderKey> ready_end_;  // the last of a window that is not complete
};

}  // namespace dl
