#include "daemon/core/poll_queue.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace dl {
namespace {

constexpr int kProbeAfter = 4;  // permits unused before an unlikely look is worth one
// an unlikely look is at least this much later than the last
constexpr double kProbeGrowth = 1.05;
// of each group: one of the likeliest is almost always old enough
constexpr int kProbesConsidered = 16;

bool is_fresh(const Candidate& poll) { return poll.looked_age_ms == kNeverLooked; }

}  // namespace

std::array<PollQueue::Group, 6> PollQueue::make_groups() {
  std::array<Group, 6> groups;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].kind = static_cast<JobKind>(i / 2);
    groups[i].has_children = i % 2 == 1;
  }
  return groups;
}

PollQueue::Group& PollQueue::group_of(const Candidate& poll) {
  return groups_[static_cast<std::size_t>(poll.job.kind) * 2 + (poll.job.has_children ? 1 : 0)];
}

void PollQueue::add(const Candidate& poll, std::int64_t not_before_boot_ms) {
  const auto [at, is_new] = kept_.try_emplace(poll.job.id);
  if (!is_new) return;
  Kept& kept = at->second;
  kept.poll = poll;
  kept.not_before_boot_ms = not_before_boot_ms;
  kept.is_held = not_before_boot_ms > 0;
  if (!is_fresh(poll)) {
    kept.likely_at = poll.posted_boot_ms + schedule_.likely_age(poll.job.kind, poll.looked_age_ms);
    kept.ripe_at = poll.posted_boot_ms + schedule_.ripe_age(poll.job.kind, poll.looked_age_ms);
  }
  if (poll.overdue) {  // what was learned says nothing about it; its next look is given
    kept.likely_at = kept.ripe_at = not_before_boot_ms;
    ++overdue_;
  }
  place(kept);
}

void PollQueue::place(Kept& kept) {
  const JobId id = kept.poll.job.id;
  if (kept.is_held) {
    held_.emplace(kept.not_before_boot_ms, id);
    return;
  }
  Group& group = group_of(kept.poll);
  if (is_fresh(kept.poll)) {
    group.fresh.emplace(kept.poll.posted_boot_ms, id);
    return;
  }
  group.likely.emplace(kept.likely_at, id);
  group.ripe.emplace(kept.ripe_at, id);
}

void PollQueue::unplace(const Kept& kept) {
  const JobId id = kept.poll.job.id;
  if (kept.is_held) {
    held_.erase({kept.not_before_boot_ms, id});
    return;
  }
  Group& group = group_of(kept.poll);
  if (is_fresh(kept.poll)) {
    group.fresh.erase({kept.poll.posted_boot_ms, id});
    return;
  }
  group.likely.erase({kept.likely_at, id});
  group.ripe.erase({kept.ripe_at, id});
}

bool PollQueue::remove(JobId job) {
  const auto at = kept_.find(job);
  if (at == kept_.end()) return false;
  unplace(at->second);
  if (at->second.poll.overdue) --overdue_;
  kept_.erase(at);
  return true;
}

void PollQueue::clear() {
  kept_.clear();
  groups_ = make_groups();
  held_.clear();
  overdue_ = 0;
}

std::int64_t PollQueue::fresh_age(const Group& group, EndGame end_game) const {
  const bool at_likely = end_game == EndGame::yes && group.has_children;
  return at_likely ? schedule_.likely_age(group.kind, kNeverLooked)
                   : schedule_.ripe_age(group.kind, kNeverLooked);
}

const PollQueue::Ordered& PollQueue::looked_order(const Group& group, EndGame end_game) const {
  return end_game == EndGame::yes && group.has_children ? group.likely : group.ripe;
}

std::vector<Candidate> PollQueue::take_certain(std::int64_t now_boot_ms, EndGame end_game) {
  while (!held_.empty() && held_.begin()->first <= now_boot_ms) {
    Kept& kept = kept_.at(held_.begin()->second);
    held_.erase(held_.begin());
    kept.is_held = false;
    place(kept);
  }
  std::vector<Candidate> certain;
  for (Group& group : groups_) {
    const auto take_first_of = [&](const Ordered& order) {
      const JobId id = order.begin()->second;
      certain.push_back(kept_.at(id).poll);
      remove(id);
    };
    const std::int64_t age = fresh_age(group, end_game);
    while (!group.fresh.empty() && group.fresh.begin()->first + age <= now_boot_ms)
      take_first_of(group.fresh);
    const Ordered& looked = looked_order(group, end_game);
    while (!looked.empty() && looked.begin()->first <= now_boot_ms) take_first_of(looked);
  }
  return certain;
}

// What was taken for ripe may not be so any more: the schedule has learned that it takes longer.
bool PollQueue::is_certain(const Candidate& poll, std::int64_t now_boot_ms,
                           EndGame end_game) const {
  if (!is_fresh(poll)) return true;
  const bool at_likely = end_game == EndGame::yes && poll.job.has_children;
  const Millis age = at_likely ? schedule_.likely_age(poll.job.kind, kNeverLooked)
                               : schedule_.ripe_age(poll.job.kind, kNeverLooked);
  return poll.posted_boot_ms + age <= now_boot_ms;
}

std::int64_t PollQueue::likely_at(const Kept& kept) const {
  if (!is_fresh(kept.poll)) return kept.likely_at;
  return kept.poll.posted_boot_ms + schedule_.likely_age(kept.poll.job.kind, kNeverLooked);
}

const PollQueue::Kept* PollQueue::likeliest(bool has_children) const {
  const Kept* best = nullptr;
  const auto consider = [&](const Ordered& order) {
    if (order.empty()) return;
    const Kept& kept = kept_.at(order.begin()->second);
    if (best == nullptr || likely_at(kept) < likely_at(*best)) best = &kept;
  };
  for (const Group& group : groups_) {
    if (group.has_children != has_children) continue;
    consider(group.fresh);
    consider(group.likely);
  }
  return best;
}

const PollQueue::Kept* PollQueue::probe(bool has_children, std::int64_t now_boot_ms) const {
  const Kept* best = nullptr;
  const auto consider = [&](const Ordered& order) {
    int considered = 0;
    for (const auto& [at, id] : order) {
      if (++considered > kProbesConsidered) return;
      const Kept& kept = kept_.at(id);
      const auto age = static_cast<double>(now_boot_ms - kept.poll.posted_boot_ms);
      const bool is_later =
          is_fresh(kept.poll) || age >= kProbeGrowth * static_cast<double>(kept.poll.looked_age_ms);
      if (!is_later) continue;
      if (best == nullptr || likely_at(kept) < likely_at(*best)) best = &kept;
      return;
    }
  };
  for (const Group& group : groups_) {
    if (group.has_children != has_children) continue;
    consider(group.fresh);
    consider(group.likely);
  }
  return best;
}

std::optional<Candidate> PollQueue::doubtful(std::int64_t now_boot_ms, Millis spacing_ms) const {
  if (guessed_at_ + spacing_ms <= now_boot_ms) {
    for (const bool has_children : {true, false}) {
      const Kept* kept = likeliest(has_children);
      if (kept != nullptr && likely_at(*kept) <= now_boot_ms) return kept->poll;
    }
  }
  if (sent_at_ + kProbeAfter * spacing_ms > now_boot_ms) return std::nullopt;
  for (const bool has_children : {true, false}) {
    if (const Kept* kept = probe(has_children, now_boot_ms)) return kept->poll;
  }
  return std::nullopt;
}

std::optional<std::int64_t> PollQueue::next_certain_at(EndGame end_game) const {
  std::int64_t at = INT64_MAX;
  if (!held_.empty()) at = held_.begin()->first;
  for (const Group& group : groups_) {
    if (!group.fresh.empty())
      at = std::min(at, group.fresh.begin()->first + fresh_age(group, end_game));
    const Ordered& looked = looked_order(group, end_game);
    if (!looked.empty()) at = std::min(at, looked.begin()->first);
  }
  if (at == INT64_MAX) return std::nullopt;
  return at;
}

std::int64_t PollQueue::latest_likely_at() const {
  std::int64_t latest = held_.empty() ? 0 : held_.rbegin()->first;
  for (const Group& group : groups_) {
    for (const Ordered* order : {&group.fresh, &group.likely}) {
      if (!order->empty()) latest = std::max(latest, likely_at(kept_.at(order->rbegin()->second)));
    }
  }
  return latest;
}

std::optional<std::int64_t> PollQueue::next_doubtful_at(Millis spacing_ms) const {
  std::int64_t at = INT64_MAX;
  for (const bool has_children : {true, false}) {
    if (const Kept* kept = likeliest(has_children))
      at = std::min(at, std::max(likely_at(*kept), guessed_at_ + spacing_ms));
  }
  if (at == INT64_MAX) return std::nullopt;
  return std::min(at, std::max(sent_at_ + kProbeAfter * spacing_ms, next_probe_at()));
}

// When probe() will first find one whose last look is long enough ago.
std::int64_t PollQueue::next_probe_at() const {
  std::int64_t at = INT64_MAX;
  for (const Group& group : groups_) {
    if (!group.fresh.empty()) return INT64_MIN;
    int considered = 0;
    for (const auto& [likely, id] : group.likely) {
      if (++considered > kProbesConsidered) break;
      const Candidate& poll = kept_.at(id).poll;
      const double age = std::ceil(kProbeGrowth * static_cast<double>(poll.looked_age_ms));
      at = std::min(at, poll.posted_boot_ms + static_cast<std::int64_t>(age));
    }
  }
  return at;
}

}  // namespace dl
