#include "daemon/core/work_list.h"

#include <iterator>

namespace dl {
namespace {

constexpr std::size_t kLowWater = 200;
constexpr std::size_t kHighWater = 20'000;  // beyond it the table remembers for us: memory stays flat

}  // namespace

OrderKey order_of(const Candidate& candidate) {
  const JobRef& job = candidate.job;
  int rank = 1;
  if (candidate.purpose == Purpose::lookup) rank = 0;
  if (candidate.purpose == Purpose::status) rank = job.has_children ? 0 : 2;
  return OrderKey{job.priority, job.root_id, rank, job.level, job.id};
}

void WorkList::clear(const LoadedWork& loaded) {
  candidates_.clear();
  timers_.clear();
  creates_ = 0;
  overdue_timers_ = 0;
  ready_complete_ = loaded.ready_complete;
  timed_complete_ = loaded.timed_complete;
  ready_end_.reset();
  if (!ready_complete_ && !loaded.ready.empty()) {
    ready_end_ = order_of(Candidate{.job = loaded.ready.back(), .purpose = Purpose::create});
  }
}

void WorkList::add_ready(const JobRef& job) {
  const Candidate candidate{.job = job, .purpose = Purpose::create};
  const OrderKey key = order_of(candidate);
  if (ready_end_ && key > *ready_end_) return;  // beyond the window: the table has it
  if (candidates_.emplace(key, candidate).second) ++creates_;
  if (creates_ <= kHighWater) return;
  auto last = std::prev(candidates_.end());
  while (last->second.purpose != Purpose::create) --last;
  candidates_.erase(last);
  --creates_;
  ready_complete_ = false;
  last = std::prev(candidates_.end());
  while (last->second.purpose != Purpose::create) --last;
  ready_end_ = last->first;
}

void WorkList::add_waiting(const JobRef& job, std::int64_t due_boot_ms) {
  timers_.emplace(due_boot_ms, Timer{Candidate{.job = job, .purpose = Purpose::create}, true});
}

void WorkList::add_later(const Candidate& candidate, std::int64_t due_boot_ms) {
  timers_.emplace(due_boot_ms, Timer{candidate, false});
  if (candidate.overdue) ++overdue_timers_;
}

void WorkList::add_timed(const TimedJob& timed, std::int64_t now_boot_ms) {
  const std::int64_t due = now_boot_ms + timed.due_in_ms;
  if (timed.state == JobState::waiting) return add_waiting(timed.job, due);
  Candidate candidate{.job = timed.job};
  if (timed.state == JobState::confirming) {
    candidate.purpose = Purpose::status;
    candidate.posted_boot_ms = now_boot_ms - timed.posted_ago_ms;
    candidate.looked_age_ms = timed.looked_age_ms > 0 ? timed.looked_age_ms : -1;
    candidate.overdue = timed.overdue;
  } else {
    candidate.purpose = unknown_outcome_ == UnknownOutcome::lookup ? Purpose::lookup : Purpose::resubmit;
  }
  add_later(candidate, due);
}

std::vector<JobRef> WorkList::fire(std::int64_t now_boot_ms) {
  std::vector<JobRef> due;
  while (!timers_.empty() && timers_.begin()->first <= now_boot_ms) {
    const Timer& timer = timers_.begin()->second;
    if (timer.candidate.overdue) --overdue_timers_;
    if (timer.waiting) {
      due.push_back(timer.candidate.job);
    } else {
      put_back(timer.candidate);
    }
    timers_.erase(timers_.begin());
  }
  return due;
}

std::optional<Candidate> WorkList::best() const {
  if (candidates_.empty()) return std::nullopt;
  return candidates_.begin()->second;
}

void WorkList::remove(const Candidate& candidate) {
  if (candidates_.erase(order_of(candidate)) == 1 && candidate.purpose == Purpose::create) --creates_;
}

void WorkList::put_back(const Candidate& candidate) {
  if (candidates_.emplace(order_of(candidate), candidate).second && candidate.purpose == Purpose::create) ++creates_;
}

std::optional<std::int64_t> WorkList::next_due_boot_ms() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

bool WorkList::wants_more() const {
  return (!ready_complete_ && creates_ < kLowWater) || (!timed_complete_ && timers_.size() < kLowWater);
}

}  // namespace dl
