#include "daemon/core/limiter.h"

#include <algorithm>
#include <cmath>

#include "storage/model/check.h"
#include "storage/model/planted.h"

namespace dl {
namespace {

constexpr Millis kSecond = 1'000;
constexpr int kBackoffMaxExponent = 12;
constexpr double kRaiseBelowCeiling = 0.1;    // per clean window
constexpr int kCleanWindowsAboveCeiling = 5;  // for one more above it

}  // namespace

Limiter::Limiter(const LimiterPolicy& policy, const Recovery& recovery, Moment now)
    : policy_(policy) {
  slowest_ = static_cast<std::size_t>(slowest_of(policy_.tiers) - policy_.tiers.cbegin());
  if (policy_.strict && !unlimited()) {
    policy_.tiers.push_back(Tier{1, (slowest().window_ms + slowest().count - 1) / slowest().count});
  }
  if (!unlimited()) cap_ = ceiling_ = slowest().count;
  if (recovery.account.cap && !unlimited())
    cap_ = std::clamp(*recovery.account.cap, 1, slowest().count);
  if (recovery.account.ceiling && !unlimited())
    ceiling_ = std::clamp(*recovery.account.ceiling, 1, slowest().count);
  anchors_.assign(recovery.slot_anchors_boot_ms.begin(), recovery.slot_anchors_boot_ms.end());
  DL_CHECK(std::is_sorted(anchors_.begin(), anchors_.end()), "anchors come in ascending order");
  waits_for_forgotten_until_ = recovery.sends_from_boot_ms;
  gate_ = std::max(recovery.sends_from_boot_ms, recovery.account.gate_boot_ms);
  refusals_ = recovery.account.refusals;
  probing_ = refusals_ > 0;
  accepted_.assign(recovery.accepted_boot_ms.begin(), recovery.accepted_boot_ms.end());
  if (recovery.account.lowered_boot_ms != 0) learned_at_ = recovery.account.lowered_boot_ms;
  clean_since_ = recovery.account.clean_boot_ms != 0 ? recovery.account.clean_boot_ms : now.boot_ms;
  clean_above_ = recovery.account.clean_windows;
  refill_from_memory(now);
}

// What was sent of late has spent its part of the burst: a restart is no new burst.
void Limiter::refill_from_memory(Moment now) {
  tokens_ = burst();
  tokens_at_ = now.boot_ms;
  if (unlimited() || anchors_.empty()) return;
  tokens_at_ = std::min(anchors_.front(), now.boot_ms);
  for (const std::int64_t anchor : anchors_) {
    const Moment then{std::min(anchor, now.boot_ms), 0};
    tokens_ = std::max(0.0, tokens(then) - 1);
    tokens_at_ = then.boot_ms;
  }
}

int Limiter::allowed(std::size_t tier) const {
  const int n = policy_.tiers[tier].count;
  if (tier != slowest_) return n;
  return std::max(1, std::min(n - policy_.headroom, cap_));
}

int Limiter::burst() const {
  if (unlimited()) return 0;
  if (cap_ < slowest().count) return 1;  // no burst until the cap is back
  if (policy_.burst > 0) return policy_.burst;
  return std::max(1, slowest().count / 4);
}

double Limiter::tokens(Moment now) const {
  const double refill = static_cast<double>(now.boot_ms - tokens_at_) * allowed(slowest_) /
                        static_cast<double>(slowest().window_ms);
  return std::min(static_cast<double>(burst()), tokens_ + refill);
}

std::int64_t Limiter::pace_at(Moment now, int ahead) const {
  const double missing = 1.0 + ahead - tokens(now);
  if (missing <= 1e-9) return now.boot_ms;
  return now.boot_ms + static_cast<std::int64_t>(std::ceil(
                           missing * static_cast<double>(slowest().window_ms) / allowed(slowest_)));
}

// When the hard log allows one more after `ahead` others that are imagined as taken now.
std::optional<std::int64_t> Limiter::slot_free_at(Moment now, int ahead) const {
  std::int64_t at = now.boot_ms;
  for (std::size_t i = 0; i < policy_.tiers.size(); ++i) {
    const int spare = allowed(i) - open_ - ahead - 1;  // closed slots that may still be held
    if (spare < 0) return std::nullopt;
    const auto kept = static_cast<std::size_t>(spare);
    if (anchors_.size() <= kept) continue;
    at = std::max(at, anchors_[anchors_.size() - 1 - kept] + held_for(policy_.tiers[i]));
  }
  return at;
}

std::optional<std::int64_t> Limiter::next_permit_at(Moment now) const {
  if (probing_ && open_ > 0) return std::nullopt;
  std::int64_t at = std::max({now.boot_ms, gate_, exhausted_until_boot_ms()});
  if (unlimited()) return at;
  const std::optional<std::int64_t> slot = slot_free_at(now, 0);
  if (!slot) return std::nullopt;
  return std::max({at, *slot, pace_at(now, 0)});
}

// The slots that are held come free one by one; after that each comes back W' and a round trip
// later.
std::int64_t Limiter::permit_at(Moment now, std::int64_t nth, Millis round_trip_ms) const {
  const std::int64_t from = std::max({now.boot_ms, gate_, exhausted_until_boot_ms()});
  if (unlimited() || nth < 1) return from;
  const Millis round = held_for(slowest()) + round_trip_ms;
  const std::int64_t rounds = (nth - 1) / allowed(slowest_);
  const int ahead = static_cast<int>((nth - 1) % allowed(slowest_));
  const std::int64_t slot = slot_free_at(now, ahead).value_or(now.boot_ms + round);
  return std::max({from, slot, pace_at(now, ahead)}) + rounds * round;
}

int Limiter::available(Moment now, int wanted) const {
  if (gate_ > now.boot_ms) return 0;
  wanted = static_cast<int>(std::clamp<std::int64_t>(left_at_dsp(now), 0, wanted));
  if (probing_) wanted = open_ > 0 ? 0 : std::min(wanted, 1);
  if (unlimited()) return wanted;
  int n = 0;
  while (n < wanted) {
    const std::optional<std::int64_t> slot = slot_free_at(now, n);
    if (!slot || *slot > now.boot_ms || pace_at(now, n) > now.boot_ms) break;
    ++n;
  }
  return n;
}

bool Limiter::can_spare(Moment now, int n) const {
  if (gate_ > now.boot_ms || probing_ || left_at_dsp(now) < n) return false;
  if (unlimited() || n < 1) return true;
  const std::optional<std::int64_t> slot = slot_free_at(now, n - 1);
  return slot && *slot <= now.boot_ms && pace_at(now, n - 1) <= now.boot_ms;
}

std::int64_t Limiter::left_at_dsp(Moment now) const {
  std::int64_t left = INT64_MAX;
  for (const Bound& bound : bounds_) {
    if (bound.until_boot_ms > now.boot_ms) left = std::min(left, bound.left);
  }
  return left;
}

std::int64_t Limiter::exhausted_until_boot_ms() const {
  std::int64_t until = 0;
  for (const Bound& bound : bounds_) {
    if (bound.left <= 0) until = std::max(until, bound.until_boot_ms);
  }
  return until;
}

void Limiter::told(const std::vector<Allowance>& allowances, const Ticket& ticket, Moment now) {
  if (allowances.empty()) return;
  if (ticket.number >= bounds_of_) {  // else an older word: both hold
    bounds_.clear();
    bounds_of_ = ticket.number;
  }
  const std::int64_t others = ticket.others_open + (tickets_ - ticket.number);
  for (const Allowance& allowance : allowances) {
    bounds_.push_back({allowance.remaining - others, now.boot_ms + allowance.for_ms});
  }
}

Ticket Limiter::take(Moment now) {
  const std::optional<std::int64_t> at = next_permit_at(now);
  DL_CHECK(at && *at <= now.boot_ms, "a permit is only taken when one is free");
  const Ticket ticket{++tickets_, open_};
  ++open_;
  for (Bound& bound : bounds_) --bound.left;
  probe_taken_ = probing_;
  if (unlimited()) return ticket;
  tokens_ = tokens(now) - 1;
  tokens_at_ = now.boot_ms;
  return ticket;
}

void Limiter::close(std::int64_t anchor_boot_ms) {
  DL_CHECK(open_ > 0, "a slot is ended once");
  --open_;
  hold(anchor_boot_ms);
}

void Limiter::hold(std::int64_t anchor_boot_ms) {
  if (unlimited()) return;
  anchors_.insert(std::upper_bound(anchors_.begin(), anchors_.end(), anchor_boot_ms),
                  anchor_boot_ms);
}

void Limiter::ended_late(Moment now) { hold(now.boot_ms + policy_.late_arrival_ms); }

void Limiter::answered(Moment now) { close(now.boot_ms); }

void Limiter::unsure(Moment now) {
  close(now.boot_ms + (planted(Fault::late_arrivals_forgotten) ? 0 : policy_.late_arrival_ms));
}

void Limiter::not_sent() {
  DL_CHECK(open_ > 0, "a slot is ended once");
  --open_;
  for (Bound& bound : bounds_) ++bound.left;
  if (!unlimited()) tokens_ = std::min(static_cast<double>(burst()), tokens_ + 1);
}

void Limiter::refused(Moment now, std::optional<Millis> retry_after_ms, double jitter,
                      About about) {
  const Millis window = unlimited() ? 60 * kSecond : slowest().window_ms;
  if (!probing_ || probe_taken_) ++refusals_;  // a wave that is refused as a whole is one refusal
  const Millis backoff = std::min(window, kSecond << std::min(refusals_, kBackoffMaxExponent));
  // Equal jitter: half fixed, half random; full jitter can be near zero and burns its tries in one
  // window.
  const Millis own = backoff / 2 + static_cast<Millis>(static_cast<double>(backoff) / 2 * jitter);
  gate_ = std::max({gate_, now.boot_ms + own, now.boot_ms + retry_after_ms.value_or(0)});
  probing_ = true;
  probe_taken_ = false;
  if (about == About::entity) return;
  clean_since_ = now.boot_ms;
  clean_above_ = 0;
  if (unlimited() || now.boot_ms - learned_at_ < window) return;
  learned_at_ = now.boot_ms;
  const int passed = static_cast<int>(accepted_.size());
  ceiling_ = std::max(1, cap_ - 1);
  cap_ = std::max(1, std::min(cap_ - 1, std::max(passed, cap_ / 2)));
  tokens_ = std::min(tokens(now), 1.0);
  tokens_at_ = now.boot_ms;
}

void Limiter::accepted(Moment now) {
  if (!unlimited()) accepted_.push_back(now.boot_ms);
  if (probing_ && !probe_taken_) return;
  probing_ = false;
  refusals_ = 0;
}

bool Limiter::age(Moment now) {
  std::erase_if(bounds_, [now](const Bound& bound) { return bound.until_boot_ms <= now.boot_ms; });
  if (unlimited()) return false;
  const Millis longest = longest_hold(policy_.tiers);
  while (!anchors_.empty() && anchors_.front() + longest <= now.boot_ms) anchors_.pop_front();
  const Millis window = slowest().window_ms;
  const std::int64_t clean_before = clean_since_;
  while (!accepted_.empty() && accepted_.front() + window <= now.boot_ms) accepted_.pop_front();
  while (cap_ < slowest().count && now.boot_ms - clean_since_ >= window) {
    clean_since_ += window;
    if (cap_ < ceiling_) {
      cap_ = std::min(ceiling_, cap_ + std::max(1, static_cast<int>(cap_ * kRaiseBelowCeiling)));
    } else if (++clean_above_ >= kCleanWindowsAboveCeiling) {
      clean_above_ = 0;
      ++cap_;
    }
  }
  return clean_since_ != clean_before;
}

AccountState Limiter::state(Moment now) const {
  AccountState state;
  const std::int64_t gate = std::max(gate_, exhausted_until_boot_ms());
  if (gate > now.boot_ms) {
    state.gate_boot_ms = gate;
    state.gate_wall_ms = now.wall_ms + (gate - now.boot_ms);
  }
  state.refusals = refusals_;
  if (!unlimited()) {
    state.cap = cap_;
    state.ceiling = ceiling_;
    state.lowered_boot_ms = std::max<std::int64_t>(0, learned_at_);
    state.clean_boot_ms = clean_since_;
    state.clean_windows = clean_above_;
  }
  return state;
}

}  // namespace dl
