#include "daemon/core/schedule.h"

#include <algorithm>

namespace dl {
namespace {

// Under a limit (design 4; simulated, none of them matters by more than a few percent).
constexpr double kRipe = 0.98;   // a poll at this likelihood needs 1.02 looks an entity
constexpr double kLikely = 0.5;  // below it two looks of three are wasted
constexpr double kTail = 0.99;   // "the longest plausible"
constexpr Millis kRereadEvery = 50;
// Unlimited (design 3): at once, then at age x 1.5, at least 5 ms and at most 2 s apart.
constexpr Millis kShortestFreeStep = 5;
constexpr Millis kLongestFreeStep = 2'000;

}  // namespace

Schedule::Schedule(Pace pace, std::span<const ProcessingBin> learned) : pace_(pace) {
  std::array<std::vector<ProcessingBin>, std::tuple_size_v<decltype(tables_)>> of_kind;
  for (const ProcessingBin& bin : learned)
    of_kind[static_cast<std::size_t>(bin.kind)].push_back(bin);
  for (std::size_t kind = 0; kind < tables_.size(); ++kind) {
    if (!of_kind[kind].empty()) tables_[kind].restore(of_kind[kind]);
  }
  reread();
}

Millis Schedule::next_look_age(JobKind kind, Millis looked_age_ms) const {
  if (pace_ == Pace::limited) return likely_age(kind, looked_age_ms);
  if (looked_age_ms == kNeverLooked) return 0;
  return looked_age_ms + std::clamp(looked_age_ms / 2, kShortestFreeStep, kLongestFreeStep);
}

Millis Schedule::likely_age(JobKind kind, Millis looked_age_ms) const {
  if (looked_age_ms == kNeverLooked) return first_[static_cast<std::size_t>(kind)].likely;
  return of(kind).age_when(kLikely, looked_age_ms);
}

Millis Schedule::ripe_age(JobKind kind, Millis looked_age_ms) const {
  if (looked_age_ms == kNeverLooked) return first_[static_cast<std::size_t>(kind)].ripe;
  return of(kind).age_when(kRipe, looked_age_ms);
}

// A kind seen for the first time begins with what its parents are like.
void Schedule::prepare(JobKind kind) {
  if (kind == JobKind::campaign || of(kind).has_seen()) return;
  const LifeTable& parent = tables_[static_cast<std::size_t>(kind) - 1];
  if (parent.has_seen()) of(kind).believe(parent);
}

void Schedule::saw_done(JobKind kind, Millis looked_age_ms, Millis age_ms) {
  prepare(kind);
  of(kind).saw_done(looked_age_ms, age_ms);
  is_stale_ = true;
}

void Schedule::saw_undone(JobKind kind, Millis looked_age_ms, Millis age_ms) {
  prepare(kind);
  of(kind).saw_undone(looked_age_ms, age_ms);
  is_stale_ = true;
}

void Schedule::believe_what_was_seen(std::int64_t now_boot_ms) {
  if (!is_stale_ || now_boot_ms - reread_at_ < kRereadEvery) return;
  reread_at_ = now_boot_ms;
  reread();
}

void Schedule::reread() {
  is_stale_ = false;
  longest_chain_ms_ = 0;
  for (std::size_t kind = 0; kind < tables_.size(); ++kind) {
    first_[kind] = {tables_[kind].age_when(kLikely, kNeverLooked),
                    tables_[kind].age_when(kRipe, kNeverLooked)};
    expected_[kind] =
        kind > 0 && !tables_[kind].has_seen() ? expected_[kind - 1] : first_[kind].likely;
    if (tables_[kind].has_seen()) longest_chain_ms_ += tables_[kind].age_when(kTail, kNeverLooked);
  }
}

bool Schedule::has_changes() const {
  return std::any_of(tables_.begin(), tables_.end(),
                     [](const LifeTable& table) { return table.has_changes(); });
}

std::vector<ProcessingBin> Schedule::take_changes() {
  std::vector<ProcessingBin> all;
  for (std::size_t kind = 0; kind < tables_.size(); ++kind) {
    std::vector<ProcessingBin> some = tables_[kind].take_changes(static_cast<JobKind>(kind));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

}  // namespace dl
