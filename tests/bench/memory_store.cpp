#include "tests/bench/memory_store.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "storage/model/check.h"

namespace dl::bench {
namespace {

constexpr Millis kReclaimedDue = 1'000;  // as the store's
constexpr std::int64_t kOpen = -1;

std::size_t index(auto value) { return static_cast<std::size_t>(value); }

}  // namespace

MemoryStore::MemoryStore(const Workload& workload) : jobs_(workload.entities.size()) {
  std::vector<int> root(workload.campaign_size.size(), -1);
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const Entity& entity = workload.entities[i];
    Job& made = jobs_[i];
    const int self = static_cast<int>(i);
    if (entity.parent < 0) root[index(entity.campaign)] = self;
    made.ref.root_id = root[index(entity.campaign)] + 1;
    made.ref.level = entity.level;
    made.ref.id = JobId{self + 1};
    made.ref.kind = static_cast<JobKind>(entity.level);
    made.parent_is_open = entity.parent >= 0;
    made.state = made.parent_is_open ? JobState::blocked : JobState::ready;
    ++totals_[index(made.ref.kind)][index(made.state)];
    if (entity.parent < 0) continue;
    Job& parent = jobs_[index(entity.parent)];
    parent.children.push_back(self);
    parent.ref.has_children = true;
  }
  in_order_.resize(jobs_.size());
  std::iota(in_order_.begin(), in_order_.end(), 0);
  const auto order = [this](int i) {
    const JobRef& ref = jobs_[index(i)].ref;
    return std::tuple(ref.priority, ref.root_id, ref.level, ref.id);
  };
  std::ranges::sort(in_order_, {}, order);
}

void MemoryStore::change(Job& what, JobState to) {
  auto& of_kind = totals_[index(what.ref.kind)];
  --of_kind[index(what.state)];
  ++of_kind[index(to)];
  what.state = to;
  if (to == JobState::succeeded) ++succeeded_;
  if (to == JobState::failed) ++failed_;
}

LoadedWork MemoryStore::load(const LoadLimits& limits, Moment now) const {
  LoadedWork loaded;
  for (const int i : in_order_) {
    const Job& each = jobs_[index(i)];
    if (each.state == JobState::ready) {
      loaded.ready_complete = static_cast<int>(loaded.ready.size()) < limits.ready;
      if (loaded.ready_complete) loaded.ready.push_back(each.ref);
      if (!loaded.ready_complete) break;
    }
  }
  std::vector<const Job*> timed;
  for (const Job& each : jobs_) {
    const bool has_timer = each.state == JobState::waiting || each.state == JobState::confirming ||
                           each.state == JobState::in_doubt;
    if (has_timer && !each.lease) timed.push_back(&each);
  }
  std::ranges::stable_sort(timed, {}, [](const Job* each) { return each->due_at; });
  if (timed.size() > index(limits.timed)) {
    timed.resize(index(limits.timed));
    loaded.timed_complete = false;
  }
  for (const Job* each : timed) {
    TimedJob timer{.job = each->ref, .state = each->state, .overdue = each->overdue};
    timer.due_in_ms = std::max(Millis{0}, each->due_at - now.boot_ms);
    if (each->posted_at != 0) {
      timer.posted_ago_ms = now.boot_ms - each->posted_at;
      timer.looked_age_ms = std::max(Millis{0}, each->looked_at - each->posted_at);
    }
    loaded.timed.push_back(timer);
  }
  loaded.account = account_;
  loaded.totals = totals_;
  return loaded;
}

WorkResult MemoryStore::commit(const WorkBatch& batch, Moment now) {
  WorkResult result;
  for (const Outcome& outcome : batch.outcomes) apply(outcome, result, now);
  for (const JobId id : batch.due) {
    if (job(id).state != JobState::waiting) continue;
    change(job(id), JobState::ready);
    result.ready.push_back(job(id).ref);
  }
  for (const Permit& wanted : batch.permits) permit(wanted, result, now);
  if (batch.account) account_ = *batch.account;
  for (const ProcessingBin& bin : batch.processing) learned_[{bin.kind, bin.bin}] = bin;
  result.totals = totals_;
  return result;
}

void MemoryStore::apply(const Outcome& outcome, WorkResult& result, Moment now) {
  Job& moved = job(outcome.job);
  Applied applied{outcome.request, outcome.job, false, {}};
  Ended& ended = ended_[index(outcome.request.value - 1)];
  const bool was_open = ended.at == kOpen;
  const bool is_accepted = outcome.http_status != 429 && outcome.http_status < 500;
  if (was_open) ended = {outcome.slot, now.boot_ms, is_accepted};
  if (was_open && moved.lease == outcome.request && moved.state == outcome.from) {
    applied.matched = true;
    const std::int64_t sent_at = now.boot_ms - outcome.latency_us / 1'000;
    if (outcome.spends_attempt) ++moved.attempt, ++moved.tries;
    moved.setbacks = outcome.setbacks;
    moved.looks = outcome.looks;
    moved.overdue = outcome.overdue;
    moved.due_at = now.boot_ms + outcome.due_in_ms.value_or(0);
    moved.lease = {};
    if (outcome.dsp_id) moved.posted_at = sent_at;
    if (outcome.looked) moved.looked_at = sent_at;
    if (outcome.event) change(moved, rule_for(outcome.from, *outcome.event)->to);
    if (outcome.event == JobEvent::confirmed) {
      for (const int i : moved.children) {
        Job& child = jobs_[index(i)];
        child.parent_is_open = false;
        if (child.state != JobState::blocked) continue;
        change(child, JobState::ready);
        applied.promoted.push_back(child.ref);
      }
    }
  } else if (moved.lease == outcome.request) {
    moved.lease = {};
  }
  result.applied.push_back(std::move(applied));
}

void MemoryStore::permit(const Permit& permit, WorkResult& result, Moment now) {
  Job& wanted = job(permit.job);
  const auto fits = [&] {
    switch (permit.purpose) {
      case Purpose::create: return wanted.state == JobState::ready && !wanted.parent_is_open;
      case Purpose::resubmit: return wanted.state == JobState::in_doubt;
      case Purpose::status: return wanted.state == JobState::confirming;
      case Purpose::lookup: return false;
    }
    return false;
  };
  if (wanted.lease || !fits()) {
    result.refused.push_back({permit.tag, permit.job, "the tables do not allow it"});
    return;
  }
  entity_of_.push_back(static_cast<int>(permit.job.value - 1));
  ended_.push_back({SlotEnd::answered, kOpen, false});
  wanted.lease = RequestId{static_cast<std::int64_t>(entity_of_.size())};
  if (is_post(permit.purpose)) change(wanted, JobState::submitting);
  Granted granted;
  granted.tag = permit.tag;
  granted.request = wanted.lease;
  granted.job = wanted.ref;
  granted.purpose = permit.purpose;
  granted.permitted_boot_ms = now.boot_ms;
  granted.attempt = wanted.attempt;
  granted.tries = wanted.tries;
  granted.setbacks = wanted.setbacks;
  granted.looks = wanted.looks;
  result.granted.push_back(std::move(granted));
}

Recovery MemoryStore::take_over(Moment now, Millis late_arrival_ms, const Tier& slowest) {
  const Millis hold_ms = held_for(slowest);
  Recovery recovery;
  for (std::size_t i = 0; i < ended_.size(); ++i) {
    if (ended_[i].at == kOpen) {
      ended_[i] = {SlotEnd::unsure, now.boot_ms, false};
      ++recovery.reclaimed;
      Job& left = jobs_[index(entity_of_[i])];
      left.lease = {};
      if (left.state == JobState::submitting) {
        change(left, JobState::in_doubt);
        left.due_at = now.boot_ms + kReclaimedDue;
      }
    }
    if (ended_[i].slot == SlotEnd::not_sent) continue;
    const bool is_sure = ended_[i].slot == SlotEnd::answered;
    const std::int64_t anchor = ended_[i].at + (is_sure ? 0 : late_arrival_ms);
    if (anchor + hold_ms > now.boot_ms) recovery.slot_anchors_boot_ms.push_back(anchor);
    const bool is_recent = ended_[i].at + slowest.window_ms > now.boot_ms;
    if (is_sure && is_recent && ended_[i].accepted) {
      recovery.accepted_boot_ms.push_back(ended_[i].at);
    }
  }
  std::ranges::sort(recovery.slot_anchors_boot_ms);
  std::ranges::sort(recovery.accepted_boot_ms);
  for (const auto& [place, bin] : learned_) recovery.processing.push_back(bin);
  recovery.account = account_;
  return recovery;
}

}  // namespace dl::bench
