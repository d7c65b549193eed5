// The part of the dispatcher that saves a commit an entity. Where there is no limit the intent of the first look at a
// status is committed with its POST's; where it is far away, with its POST's outcome, which passes the lease on to it.
#include "daemon/core/dispatcher.h"

namespace dl {

// Only where the look would be due as soon as the id is there, so that its row does not end unsent.
bool Dispatcher::looks_at_once(JobKind kind) const {
  return policy_.status_target != nullptr && limiter_.unlimited() && schedule_.next_look_age(kind, kNeverLooked) <= 0 &&
         !asked_to_wait_[static_cast<std::size_t>(kind)];
}

// The look that was written with its POST goes out on the same connection, where it is due now and nothing
// speaks against sending; else its row is closed with the POST's outcome, and a look is asked for like any other.
void Dispatcher::look_at_once(const input::Replied& replied, const Flight& flight, Outcome& outcome, Moment now) {
  const RequestId look = flight.granted.look;
  const bool is_due = outcome.event == JobEvent::accepted && outcome.due_in_ms.value_or(1) <= 0;
  const std::optional<std::int64_t> permit_at = limiter_.next_permit_at(now);
  const bool may = replied.reusable && !stopping_ && !account_.paused_by && permit_at && *permit_at <= now.boot_ms;
  if (!is_due || !may) {
    outcome.look_unsent = look;
    return;
  }
  outcome.look_sent = look;
  Flight next{flight.granted, replied.id, now.boot_ms, flight.posted_boot_ms, kNeverLooked, limiter_.take(now)};
  next.granted.request = look;
  next.granted.purpose = Purpose::status;
  next.granted.look = RequestId{};
  next.granted.setbacks = outcome.setbacks;
  next.granted.looks = outcome.looks;
  DspRequest request;
  request.id = look;
  request.purpose = Purpose::status;
  request.kind = next.granted.job.kind;
  request.target = policy_.status_target(next.granted.job.kind, *outcome.dsp_id);
  commands_.emplace_back(command::Send{replied.id, std::move(request)});
  take_off(look, std::move(next));
}

// Under a limit that is far from binding the permit of the first look is asked for together with the outcome of its
// POST, for the same connection: one transaction for both, and no turn in a queue where all can be served. A limit
// that may bind needs the order of work.
std::optional<Dispatcher::AskedPermit> Dispatcher::ask_for_look(const input::Replied& replied, const Flight& flight,
                                                                Outcome& outcome, Moment now) {
  // What is mostly done within this is looked at without waiting: the schedule knows nothing finer, and looks abound too.
  constexpr Millis kAtOnce = 250;
  if (!is_limited() || policy_.status_target == nullptr) return std::nullopt;
  const bool is_due = outcome.event == JobEvent::accepted && outcome.not_before_in_ms <= 0 &&
                      (outcome.due_in_ms.value_or(1) <= 0 || schedule_.expected_age(flight.granted.job.kind) <= kAtOnce);
  if (!is_due || !replied.reusable || account_.paused_by || !may_send(now) || !permits_abound(now)) return std::nullopt;
  Candidate look{.job = flight.granted.job, .purpose = Purpose::status, .overdue = false};
  look.posted_boot_ms = flight.posted_boot_ms;
  ++asked_permits_;
  outcome.look_asked_by = replied.id.worker;
  return AskedPermit{replied.id, look, limiter_.take(now)};
}

// What came of it. Where somebody has taken the job there is no look, and the connection has waited in vain.
void Dispatcher::take_first_look(Decided& decided, RequestId look, Moment now) {
  --asked_permits_;
  const AskedPermit& asked = *decided.look;
  if (!look) {
    limiter_.not_sent();
    busy_.erase(decided.outcome.job);
    return free_connection(asked.connection, true, now);
  }
  Granted granted = std::move(decided.granted);
  granted.request = look;
  granted.purpose = Purpose::status;
  granted.setbacks = decided.outcome.setbacks;
  granted.looks = decided.outcome.looks;
  granted.target = policy_.status_target(granted.job.kind, *decided.outcome.dsp_id);
  send(granted, asked, now);
}

}  // namespace dl
