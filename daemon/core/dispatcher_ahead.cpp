// The part of the dispatcher that keeps connections from waiting for the disk where permits abound:
// while a connection carries a creation, the permit of the one that goes out on it next is
// committed already; where there are few connections, those of the next three, as a commit lasts
// longer than an entity and would else be one for an entity or two. Only where a doubt resolves
// itself by a key: a crash finds up to twice as many POSTs open, or 32 more than are on the wire.
// Only where an answer takes about as long as a commit (with a DSP that is far away nothing is won;
// one that has not answered yet is taken for near), and where connections live through an answer:
// else all that waits is given back each time.
#include <algorithm>
#include <utility>

#include "daemon/core/dispatcher.h"

namespace dl {
namespace {

// so long a permit waits behind another request, then it is given back
constexpr Millis kPatience = 1'000;

}  // namespace

std::size_t Dispatcher::ahead_of_each(int in_flight_max) {
  constexpr int kOfEach = 3;
  constexpr int kOfAll = 32;
  return static_cast<std::size_t>(std::clamp(kOfAll / std::max(1, in_flight_max), 1, kOfEach));
}

// No limit, or one that is so far from binding that all can be served: then the order of work does
// not matter, and a permit that is held a little longer takes none from anybody.
bool Dispatcher::permits_abound(Moment now) const {
  constexpr int kPlenty = 1'000;
  return limiter_.can_spare(now, std::max(kPlenty, 4 * policy_.in_flight_max));
}

bool Dispatcher::asks_ahead(Moment now) const {
  return policy_.decision.unknown_outcome == UnknownOutcome::resubmit &&
         round_trip_ms_ < static_cast<double>(policy_.nearby_ms) && permits_abound(now) &&
         !account_.paused_by && may_send(now);
}

void Dispatcher::ask_ahead(Moment now) {
  if (!asks_ahead(now)) return carrying_.clear();
  while (connections_stay_ && !carrying_.empty()) {
    const auto [connection, request] = carrying_.back();
    const auto line = nexts_.find(connection);
    const bool is_full = line != nexts_.end() && line->second.size() >= ahead_of_each_;
    if (is_full || !flights_.contains(request)) {
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
    carrying_.emplace_front(connection, request);  // the others come before its next one
    nexts_[connection].emplace_back().tag = next_tag_;
    ++asked_ahead_;
    ask(*candidate, connection, Turn::next, now);
  }
  const auto is_over = [this](const auto& each) { return !flights_.contains(each.second); };
  if (carrying_.size() > 2 * static_cast<std::size_t>(policy_.in_flight_max))
    std::erase_if(carrying_, is_over);
}

Dispatcher::Next* Dispatcher::find_next(ConnectionId id, std::int64_t tag) {
  const auto line = nexts_.find(id);
  if (line == nexts_.end()) return nullptr;
  const auto at = std::ranges::find(line->second, tag, &Next::tag);
  return at == line->second.end() ? nullptr : &*at;
}

void Dispatcher::forget_next(ConnectionId id, std::int64_t tag) {
  const auto line = nexts_.find(id);
  std::erase_if(line->second, [tag](const Next& each) { return each.tag == tag; });
  if (line->second.empty()) nexts_.erase(line);
}

void Dispatcher::granted_ahead(Granted& granted, const AskedPermit& asked, Moment now) {
  Next* const next = find_next(asked.connection, granted.tag);
  if (next == nullptr) return give_back(granted, now);
  if (next->is_awaited) {
    forget_next(asked.connection, granted.tag);
    return send(granted, asked, now);
  }
  --asked_ahead_;
  next_given_back_at_ = std::min(next_given_back_at_, now.boot_ms + kPatience);
  next->permit.emplace(std::move(granted), asked);
  next->waits_since_boot_ms = now.boot_ms;
}

void Dispatcher::refused_ahead(const Refused& refused, ConnectionId id, Moment now) {
  const Next* const next = find_next(id, refused.tag);
  if (next == nullptr) return;
  const bool was_awaited = next->is_awaited;
  forget_next(id, refused.tag);
  if (was_awaited) return free_connection(id, true, now);
  --asked_ahead_;
}

// A request on it has ended, and none follows that belongs to the same entity.
void Dispatcher::free_connection(ConnectionId id, bool reusable, Moment now) {
  const auto line = nexts_.find(id);
  if (line == nexts_.end()) return take_back(id, reusable);
  const bool may = reusable && !connections_.is_retired(id) && may_send(now) &&
                   !account_.paused_by && permits_abound(now);
  if (!may) {
    drop_nexts(id, now);
    return take_back(id, reusable);
  }
  Next& next = line->second.front();
  if (!next.permit) {
    next.is_awaited = true;
    --asked_ahead_;
    return;
  }
  auto [granted, asked] = std::move(*next.permit);
  forget_next(id, next.tag);
  if (const auto rest = nexts_.find(id); rest != nexts_.end()) {
    // behind another request from now on
    for (Next& each : rest->second) each.waits_since_boot_ms = now.boot_ms;
  }
  send(granted, asked, now);
}

// A permit that is still on its way to the tables is given back when it comes.
void Dispatcher::drop_nexts(ConnectionId id, Moment now) {
  const auto line = nexts_.find(id);
  if (line == nexts_.end()) return;
  std::deque<Next> nexts = std::move(line->second);
  nexts_.erase(line);
  for (Next& next : nexts) {
    if (next.permit) {
      give_back(next.permit->first, now);
    } else if (!next.is_awaited) {
      --asked_ahead_;
    }
  }
}

// What waits behind a request that does not end is given back, so that another connection may have
// it.
void Dispatcher::give_back_what_waits(Moment now) {
  if (now.boot_ms < next_given_back_at_ && !stopping_) return;
  next_given_back_at_ = INT64_MAX;
  std::vector<ConnectionId> late;
  for (const auto& [id, line] : nexts_) {
    const auto next =
        std::ranges::find_if(line, [](const Next& each) { return each.permit.has_value(); });
    if (next == line.end()) continue;
    const std::int64_t at = next->waits_since_boot_ms + kPatience;
    if (stopping_ || at <= now.boot_ms) {
      late.push_back(id);
    } else {
      next_given_back_at_ = std::min(next_given_back_at_, at);
    }
  }
  for (const ConnectionId id : late) {
    drop_nexts(id, now);
    std::erase_if(carrying_, [id](const auto& each) { return each.first == id; });
  }
}

// It was never sent, so the job is ready again.
void Dispatcher::give_back(Granted& granted, Moment now) {
  limiter_.not_sent();
  DspReply unsent;
  unsent.wire = Wire::not_sent;
  unsent.trouble = "the connection that it waited for was not free";
  Outcome outcome = decide(granted, unsent, OutcomeClass::not_sent, policy_.decision,
                           DecisionContext{}, schedule_);
  outcome.event = JobEvent::given_back;
  outcome.due_in_ms.reset();
  outcome.look_unsent = granted.look;
  outbox_notes_.decided.push_back({std::move(granted), outcome, now.boot_ms, kNeverLooked, false});
  outbox_.outcomes.push_back(std::move(outcome));
}

}  // namespace dl
