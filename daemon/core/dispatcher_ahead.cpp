// The part of the dispatcher that keeps connections from waiting for the disk where permits abound: while a
// connection carries a creation, the permit of the one that goes out on it next is committed already.
// Only where a doubt resolves itself by a key: a crash finds up to twice as many POSTs open. Only where an answer takes
// about as long as a commit: with a DSP that is far away nothing is won.
#include <algorithm>
#include <utility>

#include "daemon/core/dispatcher.h"

namespace dl {
namespace {

constexpr Millis kPatience = 1'000;  // so long a permit waits behind another request, then it is given back

}  // namespace

// No limit, or one that is so far from binding that all can be served: then the order of work does not matter, and a
// permit that is held a little longer takes none from anybody.
bool Dispatcher::permits_abound(Moment now) const {
  constexpr int kPlenty = 1'000;
  return limiter_.can_spare(now, std::max(kPlenty, 4 * policy_.in_flight_max));
}

bool Dispatcher::asks_ahead(Moment now) const {
  return policy_.decision.unknown_outcome == UnknownOutcome::resubmit && round_trip_ms_ < static_cast<double>(policy_.nearby_ms) &&
         permits_abound(now) && !account_.paused_by && may_send(now);
}

void Dispatcher::ask_ahead(Moment now) {
  if (!asks_ahead(now)) return carrying_.clear();
  while (!carrying_.empty()) {
    const auto [connection, request] = carrying_.back();
    if (!flights_.contains(request) || nexts_.contains(connection)) {
      carrying_.pop_back();
      continue;
    }
    const std::optional<Candidate> candidate = next_candidate(now);
    if (!candidate || candidate->purpose != Purpose::create) break;
    const std::optional<std::int64_t> at = limiter_.next_permit_at(now);
    if (!at || *at > now.boot_ms) break;
    work_.take(*candidate, now.boot_ms);
    if (!busy_.insert(candidate->job.id).second) continue;
    carrying_.pop_back();
    nexts_.emplace(connection, Next{next_tag_, {}, 0, false});
    ++asked_ahead_;
    ask(*candidate, connection, Turn::next, now);
  }
  const auto is_over = [this](const auto& each) { return !flights_.contains(each.second); };
  if (carrying_.size() > 2 * static_cast<std::size_t>(policy_.in_flight_max)) std::erase_if(carrying_, is_over);
}

void Dispatcher::granted_ahead(Granted& granted, const AskedPermit& asked, Moment now) {
  const auto at = nexts_.find(asked.connection);
  if (at == nexts_.end() || at->second.tag != granted.tag) return give_back(granted, now);
  if (at->second.is_awaited) {
    nexts_.erase(at);
    return send(granted, asked, now);
  }
  --asked_ahead_;
  next_given_back_at_ = std::min(next_given_back_at_, now.boot_ms + kPatience);
  at->second.permit.emplace(std::move(granted), asked);
  at->second.granted_boot_ms = now.boot_ms;
}

void Dispatcher::refused_ahead(const Refused& refused, ConnectionId id) {
  const auto at = nexts_.find(id);
  if (at == nexts_.end() || at->second.tag != refused.tag) return;
  if (at->second.is_awaited) {
    connections_.returned(id);
  } else {
    --asked_ahead_;
  }
  nexts_.erase(at);
}

// A request on it has ended, and none follows that belongs to the same entity.
void Dispatcher::free_connection(ConnectionId id, bool reusable, Moment now) {
  const auto at = nexts_.find(id);
  if (at == nexts_.end()) return take_back(id, reusable);
  const bool may = reusable && may_send(now) && !account_.paused_by && permits_abound(now);
  if (!may) {
    drop_next(id, now);
    return take_back(id, reusable);
  }
  if (!at->second.permit) {
    at->second.is_awaited = true;
    --asked_ahead_;
    return;
  }
  auto [granted, asked] = std::move(*at->second.permit);
  nexts_.erase(at);
  send(granted, asked, now);
}

// A permit that is still on its way to the tables is given back when it comes.
void Dispatcher::drop_next(ConnectionId id, Moment now) {
  const auto at = nexts_.find(id);
  if (at == nexts_.end()) return;
  Next next = std::move(at->second);
  nexts_.erase(at);
  if (next.permit) return give_back(next.permit->first, now);
  if (!next.is_awaited) --asked_ahead_;
}

// What waits behind a request that does not end is given back, so that another connection may have it.
void Dispatcher::give_back_what_waits(Moment now) {
  if (now.boot_ms < next_given_back_at_ && !stopping_) return;
  next_given_back_at_ = INT64_MAX;
  std::vector<ConnectionId> late;
  for (const auto& [id, next] : nexts_) {
    if (!next.permit) continue;
    const std::int64_t at = next.granted_boot_ms + kPatience;
    if (stopping_ || at <= now.boot_ms) {
      late.push_back(id);
    } else {
      next_given_back_at_ = std::min(next_given_back_at_, at);
    }
  }
  for (const ConnectionId id : late) drop_next(id, now);
}

// It was never sent, so the job is ready again.
void Dispatcher::give_back(Granted& granted, Moment now) {
  limiter_.not_sent();
  DspReply unsent;
  unsent.wire = Wire::not_sent;
  unsent.trouble = "the connection that it waited for was not free";
  Outcome outcome = decide(granted, unsent, OutcomeClass::not_sent, policy_.decision, DecisionContext{}, schedule_);
  outcome.event = JobEvent::given_back;
  outcome.due_in_ms.reset();
  outcome.look_unsent = granted.look;
  outbox_notes_.decided.push_back({std::move(granted), outcome, now.boot_ms, kNeverLooked, false});
  outbox_.outcomes.push_back(std::move(outcome));
}

}  // namespace dl
