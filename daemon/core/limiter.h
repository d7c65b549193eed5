// The permit to send, and nothing else: at most N requests counted by the DSP in any half-open
// window of W, for every tier, whatever the network delay (proof: design 3 and its research
// note, 1.2).
//
// Rule: a slot is held from its permit until W' after the answer was complete, because the server
// counted the request somewhere between the two. What proves nothing holds its slot until D after
// it was given up. W' (held_for) covers the drift of the two clocks.
//
// Pure: time is an argument (CLOCK_BOOTTIME). Not thread-safe; the Dispatcher owns the only one.
// Memory: the ledger. A restart gives back the anchors of every slot that may still be held.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "daemon/core/rate_limit_headers.h"
#include "storage/model/moment.h"
#include "storage/model/rate_spec.h"
#include "storage/model/work.h"

namespace dl {

struct LimiterPolicy {
  std::vector<Tier> tiers;  // empty: no limit (refusals still pause)
  int burst = 0;            // soft pace on the sends; 0: N/4 of the slowest tier, at least 1
  // slots of the slowest tier left to people who use the DSP's own page
  int headroom = 0;
  bool strict = false;  // W/N after the last answer, for servers without any burst
  // D: an unanswered request is not counted later than this after give-up
  Millis late_arrival_ms = 60'000;
};

// A permit that was taken: which one, and how many others were open then.
struct Ticket {
  std::int64_t number = 0;
  int others_open = 0;
};

// what a refusal speaks of
enum class About { account, entity };

class Limiter {
 public:
  Limiter(const LimiterPolicy& policy, const Recovery& recovery, Moment now);

  // When the next request may be sent: `now` or later, in boot ms. Nothing: only the answer to an
  // open request can free a slot.
  std::optional<std::int64_t> next_permit_at(Moment now) const;

  // How many could be sent right now, one after the other, at most `wanted`.
  int available(Moment now, int wanted) const;

  // Whether `n` could be sent right now; costs the same whatever `n` is.
  bool can_spare(Moment now, int n) const;

  // Takes a slot. Each is ended by exactly one of the four below.
  Ticket take(Moment now);
  void answered(Moment now);  // complete final answer of the origin
  void unsure(Moment now);    // time-out, reset, 408, 502, 504, cut body, owner's death
  void not_sent();            // provably no byte left

  // A request whose slot was ended as unsure was on the wire until now: what still was under way
  // then may be counted as late after this as after any other end.
  void ended_late(Moment now);

  // What the answer to the request of `ticket` says is left at the DSP. Of that, every own request
  // that was open at any time since then may have been counted later, so it is taken off. Never
  // allows more than the rest of the limiter does; a newer request's word takes the place of an
  // older one's.
  void told(const std::vector<Allowance>& allowances, const Ticket& ticket, Moment now);

  // The DSP refused (429, 503): nothing is sent until the later of Retry-After and an own back-off,
  // then one probe. `retry_after_ms`: from now, already read against the answer's own Date.
  // `jitter`: 0..1, from a hash, so that replays agree. The cap learns nothing from what one entity
  // meets.
  void refused(Moment now, std::optional<Millis> retry_after_ms, double jitter,
               About about = About::account);
  // A request was accepted (any answer that is not a refusal): what the cap learns from. Behind a
  // refusal only the probe's opens the gate; what was sent before it says nothing about now.
  void accepted(Moment now);

  // Forgets what no longer counts and lets the cap rise; call when time passes. True: it has risen
  // or is a window nearer to it, so state() is worth keeping again.
  bool age(Moment now);

  bool unlimited() const { return policy_.tiers.empty(); }
  std::int64_t gate_until_boot_ms() const { return gate_; }
  // Nobody but we ourselves has closed it: what left before this machine started, or is not known
  // any more, may still be counted.
  bool gate_is_our_own() const { return gate_ != 0 && gate_ == waits_for_forgotten_until_; }
  // Nothing may go before this because the DSP's headers say that nothing is left; 0: nothing of
  // the kind.
  std::int64_t exhausted_until_boot_ms() const;
  int refusals() const { return refusals_; }
  int cap() const { return cap_; }
  // W/N: how far apart permits are at the sustainable rate. Only where there is a limit.
  Millis spacing_ms() const { return std::max<Millis>(1, slowest().window_ms / allowed(slowest_)); }
  // When the `nth` permit from now (1, 2, …) will be there, if each is used at once and answered in
  // this time.
  std::int64_t permit_at(Moment now, std::int64_t nth, Millis round_trip_ms) const;
  // For the account row: gate, refusals in a row, learned cap. Pauses by people are not known here.
  AccountState state(Moment now) const;
  // The slowest tier: what the ETA counts by. Only where there is a limit.
  const Tier& slowest() const { return policy_.tiers[slowest_]; }

 private:
  int allowed(std::size_t tier) const;
  int burst() const;
  double tokens(Moment now) const;
  void refill_from_memory(Moment now);
  void close(std::int64_t anchor_boot_ms);
  void hold(std::int64_t anchor_boot_ms);
  std::optional<std::int64_t> slot_free_at(Moment now, int ahead) const;
  std::int64_t pace_at(Moment now, int ahead) const;
  std::int64_t left_at_dsp(Moment now) const;

  LimiterPolicy policy_;
  std::size_t slowest_ = 0;            // index of the tier with the lowest rate
  int open_ = 0;                       // permits whose request has not ended
  std::deque<std::int64_t> anchors_;   // ascending; a slot is free held_for() after its anchor
  std::deque<std::int64_t> accepted_;  // when, within the last window: what the cap learns from
  double tokens_ = 0;
  std::int64_t tokens_at_ = 0;
  std::int64_t gate_ = 0;
  std::int64_t waits_for_forgotten_until_ = 0;
  int refusals_ = 0;
  bool probing_ = false;      // after a refusal: one at a time until one is accepted
  bool probe_taken_ = false;  // what is open now was sent behind the gate
  int cap_ = 0;               // of the slowest tier
  int ceiling_ = 0;
  std::int64_t learned_at_ = INT64_MIN / 2;  // when the cap was last lowered
  struct Bound {                             // phantom slots: told by the DSP, until when
    std::int64_t left = 0;
    std::int64_t until_boot_ms = 0;
  };
  std::vector<Bound> bounds_;
  std::int64_t bounds_of_ = 0;  // the ticket whose answer told them
  std::int64_t tickets_ = 0;
  std::int64_t clean_since_ = 0;
  int clean_above_ = 0;  // clean windows at or above the ceiling
};

}  // namespace dl
