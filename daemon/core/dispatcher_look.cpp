// The part of the dispatcher that saves a commit an entity: where no limit is near, the intent of
// the first look at a status is committed with its POST's, and the look goes out as soon as its
// POST is answered. Such a look has its slot from the moment it is sent, not from its intent: it
// would hold one through the processing. A crash counts its row as if it had been sent, which is
// why permits have to abound.
#include "daemon/core/dispatcher.h"

namespace dl {

// Only where the look would be due as soon as the id is there, so that its row does not end unsent.
// Under a limit the schedule knows nothing finer than a quarter of a second: what is mostly done
// within that is looked at without waiting.
bool Dispatcher::is_done_at_once(JobKind kind) const {
  constexpr Millis kAtOnce = 250;
  if (asked_to_wait_[static_cast<std::size_t>(kind)]) return false;
  return schedule_.next_look_age(kind, kNeverLooked) <= 0 ||
         (is_limited() && schedule_.expected_age(kind) <= kAtOnce);
}

bool Dispatcher::looks_at_once(JobKind kind, Moment now) const {
  return policy_.status_target != nullptr && permits_abound(now) && is_done_at_once(kind);
}

// The look that was written with its POST goes out on the same connection, where it is due now and
// nothing speaks against sending; else its row is closed with the POST's outcome, and a look is
// asked for like any other.
void Dispatcher::look_at_once(const input::Replied& replied, const Flight& flight, Outcome& outcome,
                              Moment now) {
  const RequestId look = flight.granted.look;
  const JobKind kind = flight.granted.job.kind;
  const bool is_due = outcome.event == JobEvent::accepted &&
                      (outcome.due_in_ms.value_or(1) <= 0 || is_done_at_once(kind));
  const bool stays = replied.reusable && !connections_.is_retired(replied.id);
  const bool may = stays && may_send(now) && !account_.paused_by && permits_abound(now);
  if (!is_due || !may) {
    outcome.look_unsent = look;
    return;
  }
  outcome.look_sent = look;
  Flight next{flight.granted,        replied.id,   now.boot_ms,
              flight.posted_boot_ms, kNeverLooked, limiter_.take(now)};
  next.granted.request = look;
  next.granted.purpose = Purpose::status;
  next.granted.look = RequestId{};
  next.granted.setbacks = outcome.setbacks;
  next.granted.looks = outcome.looks;
  DspRequest request;
  request.id = look;
  request.purpose = Purpose::status;
  request.kind = kind;
  request.target = policy_.status_target(kind, *outcome.dsp_id);
  commands_.emplace_back(command::Send{replied.id, std::move(request)});
  take_off(look, std::move(next));
}

}  // namespace dl
