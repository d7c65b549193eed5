#include "daemon/core/work_list.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace dl {
namespace {

constexpr std::size_t kLowWater = 200;
// beyond it the table remembers for us: memory stays flat
constexpr std::size_t kHighWater = 20'000;

}  // namespace

WorkList::KnownPolls WorkList::clear(const LoadedWork& loaded) {
  KnownPolls known;
  if (schedule_.pace() == Pace::limited) {
    for (const auto& [id, kept] : polls_.kept())
      known.emplace(id, std::pair(kept.poll, kept.not_before_boot_ms));
    for (const auto& [key, candidate] : candidates_) {
      if (candidate.purpose == Purpose::status)
        known.emplace(candidate.job.id, std::pair(candidate, std::int64_t{0}));
    }
  }
  polls_.clear();
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
  return known;
}

void WorkList::add_ready(const JobRef& job) {
  const Candidate candidate{.job = job, .purpose = Purpose::create};
  // beyond the window: the table has it
  if (ready_end_ && order_of(candidate) > *ready_end_) return;
  put_back(candidate);
  if (creates_ > kHighWater) drop_beyond_high_water();
}

// The window ends by the tables' order, so the end game's is left first.
void WorkList::drop_beyond_high_water() {
  set_end_game(EndGame::no);
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

void WorkList::add_poll(const Candidate& poll, std::int64_t due_boot_ms,
                        std::int64_t not_before_boot_ms) {
  switch (schedule_.pace()) {
    case Pace::unlimited: return add_later(poll, due_boot_ms);
    case Pace::limited: return polls_.add(poll, not_before_boot_ms);
  }
}

void WorkList::add_timed(const TimedJob& timed, const KnownPolls& known, std::int64_t now_boot_ms) {
  const std::int64_t due = now_boot_ms + timed.due_in_ms;
  if (timed.state == JobState::waiting) return add_waiting(timed.job, due);
  Candidate candidate{.job = timed.job};
  if (timed.state != JobState::confirming) {
    candidate.purpose =
        unknown_outcome_ == UnknownOutcome::lookup ? Purpose::lookup : Purpose::resubmit;
    return add_later(candidate, due);
  }
  candidate.purpose = Purpose::status;
  candidate.posted_boot_ms = now_boot_ms - timed.posted_ago_ms;
  candidate.looked_age_ms = timed.looked_age_ms > 0 ? timed.looked_age_ms : kNeverLooked;
  candidate.overdue = timed.overdue;
  const auto before = known.find(timed.job.id);
  if (before == known.end()) return add_poll(candidate, due, timed.due_in_ms > 0 ? due : 0);
  candidate.posted_boot_ms = before->second.first.posted_boot_ms;
  candidate.looked_age_ms = before->second.first.looked_age_ms;
  add_poll(candidate, due, before->second.second);
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
  if (polls_.size() == 0) return due;
  for (const Candidate& poll : polls_.take_certain(now_boot_ms, end_game_)) put_back(poll);
  return due;
}

void WorkList::set_end_game(EndGame end_game) {
  if (end_game == end_game_) return;
  if (end_game == EndGame::yes && creates_ > kHighWater / 2) return;
  end_game_ = end_game;
  creates_ = 0;
  for (const auto& [key, candidate] : std::exchange(candidates_, {})) {
    if (candidate.purpose == Purpose::status) {
      add_poll(candidate, 0, 0);
    } else {
      put_back(candidate);
    }
  }
}

std::optional<Candidate> WorkList::best(std::int64_t now_boot_ms) {
  while (!candidates_.empty()) {
    const Candidate& first = candidates_.begin()->second;
    const bool is_poll = first.purpose == Purpose::status && schedule_.pace() == Pace::limited;
    if (!is_poll || polls_.is_certain(first, now_boot_ms, end_game_)) return first;
    polls_.add(first, 0);
    candidates_.erase(candidates_.begin());
  }
  return std::nullopt;
}

void WorkList::take(const Candidate& candidate, std::int64_t now_boot_ms) {
  polls_.note_sent(now_boot_ms);
  const bool is_guess = candidate.purpose == Purpose::status &&
                        !polls_.is_certain(candidate, now_boot_ms, EndGame::no);
  if (is_guess) polls_.note_guessed(now_boot_ms);
  if (candidates_.erase(order_of(candidate, end_game_)) == 1) {
    if (candidate.purpose == Purpose::create) --creates_;
  } else if (polls_.remove(candidate.job.id)) {
    polls_.note_guessed(now_boot_ms);
  }
}

void WorkList::put_back(const Candidate& candidate) {
  const bool is_new = candidates_.emplace(order_of(candidate, end_game_), candidate).second;
  if (is_new && candidate.purpose == Purpose::create) ++creates_;
}

std::optional<std::int64_t> WorkList::next_due_boot_ms() const {
  const std::optional<std::int64_t> certain = polls_.next_certain_at(end_game_);
  if (timers_.empty()) return certain;
  return std::min(timers_.begin()->first, certain.value_or(INT64_MAX));
}

bool WorkList::wants_more() const {
  const std::size_t timed = timers_.size() + polls_.size();
  return (!ready_complete_ && creates_ < kLowWater) || (!timed_complete_ && timed < kLowWater);
}

}  // namespace dl
