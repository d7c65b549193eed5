// What the dispatcher would say if asked: how far it is, when it will be done, or why nobody can
// know.
#include <algorithm>

#include "daemon/core/dispatcher.h"

namespace dl {
namespace {

constexpr double kRoundTripSmoothing = 0.1;
constexpr double kLooksMemory = 500;  // polls

std::int64_t work_left(const Tally& tally) { return 2 * tally.to_post + tally.confirming; }

}  // namespace

void Dispatcher::note_progress(Moment now) {
  trend_.note(now.boot_ms, work_left(tally_of(totals_)));
  if (polls_ < kLooksMemory) return;
  polls_ /= 2;
  confirmed_ /= 2;
}

void Dispatcher::note_round_trip(const Flight& flight, Moment now) {
  const auto took = static_cast<double>(now.boot_ms - flight.sent_boot_ms);
  round_trip_ms_ =
      round_trip_ms_ == 0 ? took : round_trip_ms_ + kRoundTripSmoothing * (took - round_trip_ms_);
}

Going Dispatcher::going(const Tally& tally, Moment now) const {
  Going going;
  const auto round_trip = static_cast<Millis>(round_trip_ms_);
  if (!is_limited()) {
    const double spacing = trend_.spacing_ms(now.boot_ms, work_left(tally));
    const auto permits = static_cast<Millis>(spacing * static_cast<double>(work_left(tally)));
    if (spacing > 0) going.permits_ms = limiter_.permit_at(now, 0, 0) - now.boot_ms + permits;
    return going;
  }
  const std::int64_t out = std::ssize(flights_) + asked_permits_;
  const std::int64_t permits = permits_left(tally, polls_ / confirmed_, out);
  going.permits_ms = limiter_.permit_at(now, permits, round_trip) - now.boot_ms + round_trip;
  for (const KindNames& names : kKinds) {
    std::int64_t to_post = 0;
    for (const JobState state :
         {JobState::blocked, JobState::ready, JobState::waiting, JobState::submitting}) {
      to_post += totals_[static_cast<std::size_t>(names.kind)][static_cast<std::size_t>(state)];
    }
    if (to_post == 0) continue;
    going.processing_ms = schedule_.mean_age(names.kind);
    going.chain_ms += going.processing_ms;
  }
  going.chain_ms = std::max(going.chain_ms, work_.latest_likely_at() - now.boot_ms);
  return going;
}

// Empty where something can be sent or is awaited.
std::string Dispatcher::stalled_by(const Tally& tally, Moment now) const {
  if (account_.paused_by) return "paused by " + *account_.paused_by + ": " + account_.paused_reason;
  const bool awaits_answer = !flights_.empty() && !is_silent();
  if (unreachable_since_ && now.boot_ms > *unreachable_since_ && !awaits_answer)
    return last_trouble_;
  const bool moves =
      work_.has_work_left() || !flights_.empty() || !busy_.empty() || loads_asked_ > 0;
  if (moves || tally.to_post + tally.confirming == 0) return "";
  if (tally.in_doubt > 0)
    return std::to_string(tally.in_doubt) + " in doubt wait for a decision (v_in_doubt)";
  if (tally.failed > 0) return "the rest waits for jobs that failed (v_blocked)";
  return "nothing is left that could be sent (v_blocked)";
}

// Why nothing is sent for a while that ends by itself; empty: it is not so.
std::string Dispatcher::closed_by(Moment now) const {
  const std::int64_t gate = limiter_.gate_until_boot_ms();
  const std::int64_t exhausted = limiter_.exhausted_until_boot_ms();
  const Millis closed = std::max(gate, exhausted) - now.boot_ms;
  if (closed <= 0) return "";
  if (gate >= exhausted && limiter_.gate_is_our_own()) {
    return "for " + span_text(closed) + " the DSP may still count what was sent before this start";
  }
  return "the DSP asked to wait " + span_text(closed);
}

Outlook Dispatcher::outlook(const Tally& tally, Moment now) const {
  Outlook outlook;
  outlook.reason = stalled_by(tally, now);
  if (!outlook.reason.empty()) {
    outlook.state = Outlook::State::stalled;
    return outlook;
  }
  if (tally.to_post + tally.confirming == 0) {
    outlook.state = Outlook::State::done;
    return outlook;
  }
  outlook.left_ms = eta_ms(tally, going(tally, now));
  if (trend_.grows(now.boot_ms, work_left(tally))) {
    outlook.state = Outlook::State::growing;
  } else if (outlook.left_ms) {
    outlook.state = Outlook::State::clears;
    outlook.reason = closed_by(now);
  }
  return outlook;
}

Standing Dispatcher::standing(Moment now) const {
  Standing standing;
  standing.totals = totals_;
  standing.on_the_wire = static_cast<int>(flights_.size());
  if (work_.has_candidates()) {
    standing.next_send_boot_ms = limiter_.next_permit_at(now);
  } else {
    standing.next_send_boot_ms = next_work_at();
  }
  standing.outlook = outlook(tally_of(totals_), now);
  return standing;
}

}  // namespace dl
