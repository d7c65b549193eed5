// The half of the dispatcher that runs after every input: what may be sent now, over which
// connections, when to wake, and whether it is done.
#include <algorithm>
#include <utility>

#include "daemon/core/dispatcher.h"
#include "storage/model/lost_request.h"

namespace dl {
namespace {

constexpr Millis kConnectAhead = 1'000;  // open a connection this long before a permit is free
// what is overdue is given up this long after it was first seen to be
constexpr Millis kSecondLook = 2'000;

}  // namespace

// A request whose worker never reported: the worker is stuck or a reply was lost. It proves
// nothing. Where we all stood still (SIGSTOP, a freezer) the answer has perhaps come, and its
// worker is about to say so: hence the second look.
void Dispatcher::give_up_lost_flights(Moment now) {
  if (now.boot_ms < next_lost_flight_at_) return;
  const Millis patience = policy_.http_timeout_ms + kLostAfterTimeout;
  next_lost_flight_at_ = INT64_MAX;
  std::vector<RequestId> lost;
  for (auto& [id, flight] : flights_) {
    const std::int64_t lost_at = flight.sent_boot_ms + patience;
    std::int64_t look_at = lost_at - kSecondLook;
    if (look_at <= now.boot_ms) {
      if (!flight.missed_boot_ms) flight.missed_boot_ms = now.boot_ms;
      look_at = std::max(lost_at, *flight.missed_boot_ms + kSecondLook);
    }
    if (look_at <= now.boot_ms) {
      lost.push_back(id);
    } else {
      next_lost_flight_at_ = std::min(next_lost_flight_at_, look_at);
    }
  }
  for (const RequestId id : lost) {
    input::Replied silence{flights_.at(id).connection, id, {}, false};
    silence.reply.trouble = "no worker reported its end within the HTTP timeout";
    on(silence, now);
  }
}

void Dispatcher::take_off(RequestId id, Flight flight) {
  const std::int64_t look_at =
      flight.sent_boot_ms + policy_.http_timeout_ms + kLostAfterTimeout - kSecondLook;
  next_lost_flight_at_ = std::min(next_lost_flight_at_, look_at);
  if (flight.granted.purpose == Purpose::create) carrying_.emplace_back(flight.connection, id);
  flights_.emplace(id, std::move(flight));
}

void Dispatcher::fire_timers(Moment now) {
  for (const JobRef& job : work_.fire(now.boot_ms)) {
    if (!busy_.insert(job.id).second) continue;
    outbox_.due.push_back(job.id);
    outbox_notes_.due.push_back(job.id);
  }
}

Freshness Dispatcher::freshness_for(Purpose purpose) const {
  const bool deduplicates = policy_.decision.unknown_outcome == UnknownOutcome::resubmit;
  return is_post(purpose) && !deduplicates ? Freshness::fresh : Freshness::any;
}

bool Dispatcher::may_send(Moment now) const {
  if (stopping_ || finished_) return false;
  const bool nothing_is_out = flights_.empty() && asked_permits_ == 0;
  if (is_silent() && (!nothing_is_out || now.boot_ms < connect_again_at_)) return false;
  if (!account_.paused_by) return true;
  // Credentials: one probe now and then; a person's pause holds everything.
  return account_.is_paused_by_daemon() && nothing_is_out &&
         (probes_credentials(now) || asks_another());
}

// Whether so little is left that it could be done before the slowest plausible chain of processing
// is.
void Dispatcher::judge_end_game() {
  if (!is_limited()) return;
  std::int64_t left = 0;
  for (const auto& of_kind : totals_) {
    for (int i = 0; i < kJobStateCount; ++i) {
      if (!is_resting(static_cast<JobState>(i))) left += of_kind[static_cast<std::size_t>(i)];
    }
  }
  const Millis work = left * limiter_.spacing_ms();
  const Millis chain = schedule_.longest_chain_ms();
  end_game_ = work <= (end_game_ ? chain + chain / 10 : chain);  // it does not flutter
  work_.set_end_game(end_game_ ? EndGame::yes : EndGame::no);
}

// What goes next. The probe after a refusal is another job than the one that met it, or that one
// could keep the account shut for all.
std::optional<Candidate> Dispatcher::next_candidate(Moment now) {
  const bool probing = limiter_.refusals() > 0 || account_.is_paused_by_daemon();
  std::optional<Candidate> next =
      probing ? work_.best_but([this](JobId job) { return is_set_back(job); }, now.boot_ms)
              : work_.best(now.boot_ms);
  if (!next && is_limited()) next = work_.doubtful(now.boot_ms, limiter_.spacing_ms());
  const bool only_others = account_.is_paused_by_daemon() && !probes_credentials(now);
  if (next && only_others && is_set_back(next->job.id)) return std::nullopt;
  return next;
}

// When there will be something to send, where there is nothing certain now.
std::optional<std::int64_t> Dispatcher::next_work_at() const {
  const std::optional<std::int64_t> due = work_.next_due_boot_ms();
  if (!is_limited()) return due;
  const std::optional<std::int64_t> guess = work_.next_doubtful_at(limiter_.spacing_ms());
  if (!guess) return due;
  return std::min(*guess, due.value_or(INT64_MAX));
}

void Dispatcher::ask_permits(Moment now) {
  while (may_send(now) && static_cast<int>(flights_.size()) + asked_now() < policy_.in_flight_max) {
    const std::optional<Candidate> candidate = next_candidate(now);
    if (!candidate) return;
    const std::optional<std::int64_t> at = limiter_.next_permit_at(now);
    if (!at || *at > now.boot_ms) return;
    const std::optional<ConnectionId> connection =
        connections_.take(freshness_for(candidate->purpose));
    if (!connection) return;  // open_connections() sees to it
    work_.take(*candidate, now.boot_ms);
    if (!busy_.insert(candidate->job.id).second) {
      connections_.untouched(*connection);
      continue;
    }
    ask(*candidate, *connection, Turn::now, now);
  }
}

void Dispatcher::ask(const Candidate& candidate, ConnectionId connection, Turn turn, Moment now) {
  const Ticket ticket = limiter_.take(now);
  ++asked_permits_;
  const std::int64_t tag = next_tag_++;
  const bool with_look =
      candidate.purpose == Purpose::create && looks_at_once(candidate.job.kind, now);
  outbox_.permits.push_back(
      Permit{candidate.job.id, candidate.purpose, connection.worker, tag, with_look});
  outbox_notes_.asked.emplace(tag, AskedPermit{connection, candidate, ticket, turn});
}

void Dispatcher::open_connections(Moment now) {
  if (!may_send(now) || now.boot_ms < connect_again_at_) return;
  const std::optional<Candidate> candidate = next_candidate(now);
  const std::optional<std::int64_t> due = candidate ? std::nullopt : next_work_at();
  if (!candidate && (!due || *due > now.boot_ms + kConnectAhead)) return;
  const std::optional<std::int64_t> at = limiter_.next_permit_at(now);
  if (!at || *at > now.boot_ms + kConnectAhead) return;
  const Freshness freshness = candidate ? freshness_for(candidate->purpose) : Freshness::any;
  const int on_the_wire = static_cast<int>(flights_.size()) + asked_now();
  const int most = connections_max(now);
  const int room = std::max(0, most - on_the_wire);
  int wanted =
      std::min({room, std::max(1, work_.candidates()), std::max(1, limiter_.available(now, room))});
  if (connect_failures_ > 0) wanted = 1;  // the DSP may be gone: one knock at a time
  wanted -= connections_.idle(freshness) + connections_.opening();
  for (int i = 0; i < wanted; ++i) {
    if (connections_.total() >= most) {
      const std::optional<ConnectionId> old = connections_.idle_used();
      if (!old) return;
      hang_up(*old);
    }
    commands_.emplace_back(command::Connect{connections_.open_next()});
  }
}

void Dispatcher::look_for_the_end() {
  if (finished_) return;
  const bool at_rest = flights_.empty() && asked_permits_ == 0 && sent_batches_.empty() &&
                       outbox_.empty() && !account_changed_;
  if (!at_rest) return;
  const auto finish = [this](Ending ending) {
    finished_ = true;
    commands_.emplace_back(command::Finish{ending});
  };
  const auto saves_first = [this] {  // the next run starts with what this one learned
    save_learned_ = schedule_.has_changes();
    return save_learned_;
  };
  if (stopping_ && saves_first()) return;
  if (stopping_) return finish(Ending::stopped);
  if (policy_.lifetime == Lifetime::for_ever) return;
  if (account_.is_paused_by_daemon() && !asks_another()) return finish(Ending::unauthorized);
  if (loads_asked_ > 0) return;
  if (unreachable_) return finish(Ending::unreachable);
  if (work_.has_work_left()) {
    drained_once_ = false;
    return;
  }
  if (saves_first()) return;
  if (drained_once_) return finish(Ending::drained);
  drained_once_ = true;  // ask the tables once more: they have the last word
  ask_load();
}

void Dispatcher::set_wake(Moment now) {
  std::int64_t at = INT64_MAX;
  const auto no_later_than = [&at](std::int64_t boot_ms) { at = std::min(at, boot_ms); };
  if (const auto due = work_.next_due_boot_ms()) no_later_than(*due);
  if (is_limited() && !stopping_ && !work_.has_candidates() && !account_.paused_by) {
    if (const auto guess = work_.next_doubtful_at(limiter_.spacing_ms())) {
      const std::optional<std::int64_t> permit = limiter_.next_permit_at(now);
      const std::int64_t guess_at = std::max(*guess, permit.value_or(INT64_MAX));
      // else a connection or an answer wakes us
      if (guess_at > now.boot_ms && permit) no_later_than(guess_at);
    }
  }
  if (!stopping_ && work_.has_candidates() && !account_.paused_by) {
    if (const auto permit = limiter_.next_permit_at(now)) {
      if (*permit > now.boot_ms) no_later_than(*permit);  // else a connection or an answer wakes us
      if (*permit > now.boot_ms + kConnectAhead) no_later_than(*permit - kConnectAhead);
    }
  }
  if (connect_again_at_ > now.boot_ms) no_later_than(connect_again_at_);
  if (files_allow_until_ > now.boot_ms && work_.has_candidates()) no_later_than(files_allow_until_);
  if (account_.is_paused_by_daemon()) {
    const std::int64_t probe_at = asks_another() ? now.boot_ms : probe_credentials_at_;
    no_later_than(std::max(probe_at, now.boot_ms + 1'000));
  }
  if (!flights_.empty()) {
    no_later_than(std::min(next_lost_flight_at_, next_given_back_at_));
  }
  if (at != INT64_MAX) commands_.emplace_back(command::WakeAt{std::max(at, now.boot_ms + 1)});
}

}  // namespace dl
