#include "daemon/core/dispatcher.h"

#include <algorithm>
#include <utility>

#include "daemon/core/retry_after.h"
#include "storage/model/check.h"
#include "storage/model/planted.h"

namespace dl {
namespace {

using Level = command::Say::Level;

constexpr Millis kTrendWhereUnlimited = 60'000;
constexpr Millis kKeyJudgedFor = 30'000;      // less than the margin of last_use_of_key()
constexpr Millis kSaveLearnedEvery = 10'000;  // with outcomes, which are written anyway

Pace pace_of(const LimiterPolicy& limiter) {
  return limiter.tiers.empty() ? Pace::unlimited : Pace::limited;
}

}  // namespace

Dispatcher::Dispatcher(const DispatcherPolicy& policy, const Recovery& recovery, Moment now)
    : policy_(policy),
      limiter_(policy.limiter, recovery, now),
      schedule_(pace_of(policy.limiter), recovery.processing),
      connections_(policy.workers, policy.connections_per_worker),
      work_(policy.decision.unknown_outcome, schedule_),
      ahead_of_each_(ahead_of_each(policy.in_flight_max)),
      account_(recovery.account),
      trend_(policy.limiter.tiers.empty() ? kTrendWhereUnlimited : limiter_.slowest().window_ms),
      learned_saved_at_(now.boot_ms) {
  policy_.decision.outcome.honours_keys =
      policy.decision.unknown_outcome == UnknownOutcome::resubmit;
  if (!account_.is_paused_by_daemon()) return;
  account_.paused_by.reset();  // a restart is the probe: the credentials may be mended
  account_changed_ = pause_changed_ = true;
}

std::vector<AnyCommand> Dispatcher::start(Moment now) {
  ask_load();
  return flush(now);
}

void Dispatcher::take(Input& input, Moment now) {
  if (limiter_.age(now)) account_changed_ = true;
  std::visit([&](auto& what) { on(what, now); }, input);
}

std::vector<AnyCommand> Dispatcher::plan(Moment now) {
  give_up_lost_flights(now);
  schedule_.believe_what_was_seen(now.boot_ms);
  judge_end_game();
  fire_timers(now);
  give_back_what_waits(now);
  ask_permits(now);
  ask_ahead(now);
  DL_CHECK(asked_ahead_ >= 0 && asked_ahead_ <= asked_permits_,
           "permits asked ahead are among those asked for");
  open_connections(now);
  if (work_.wants_more() && loads_asked_ == 0) ask_load();
  look_for_the_end();
  return flush(now);
}

void Dispatcher::on(const input::Woke&, Moment) {}

void Dispatcher::on(const input::TablesChanged&, Moment) {
  drained_once_ = false;
  for (auto& [job, refusals] : permit_refusals_) refusals.in_a_row = 0;
  shelved_ = 0;
  ask_load();
}

void Dispatcher::ask_load() {
  if (loads_asked_ > 0) {
    load_again_ = true;
    return;
  }
  ++loads_asked_;
  LoadLimits limits;  // what the window leaves out must not fill it
  limits.ready += static_cast<int>(busy_.size()) + shelved_;
  limits.timed += static_cast<int>(busy_.size()) + shelved_;
  commands_.emplace_back(command::LoadWork{limits});
}

void Dispatcher::on(const input::Loaded& loaded, Moment now) {
  --loads_asked_;
  const auto leaves_out = [this](JobId job) { return busy_.contains(job) || is_shelved(job); };
  work_.reload(loaded.work, leaves_out, now.boot_ms);
  totals_ = loaded.work.totals;
  note_progress(now);
  const bool was_paused = account_.paused_by.has_value();
  pause_unread_ = pause_changed_ || pause_writes_ > 0;
  if (!pause_unread_) {
    account_.paused_by = loaded.work.account.paused_by;
    account_.paused_reason = loaded.work.account.paused_reason;
  }
  if (account_.paused_by && !was_paused)
    say(Level::warning, "paused by " + *account_.paused_by + ": " + account_.paused_reason);
  if (!account_.paused_by && was_paused) say(Level::info, "resumed");
  if (!std::exchange(load_again_, false)) return;
  ask_load();
}

void Dispatcher::on(input::Committed& committed, Moment now) {
  DL_CHECK(!sent_batches_.empty(), "a commit is answered once");
  SentBatch sent = std::move(sent_batches_.front());
  sent_batches_.pop_front();
  WorkResult& result = committed.result;
  DL_CHECK(result.applied.size() == sent.decided.size(), "each outcome has its answer");
  totals_ = result.totals;
  note_progress(now);
  if (sent.writes_pause && --pause_writes_ == 0 && pause_unread_) ask_load();
  for (const JobId job : sent.due) busy_.erase(job);
  for (std::size_t i = 0; i < sent.decided.size(); ++i)
    apply(sent.decided[i], result.applied[i], now);
  for (const JobRef& job : result.ready) became_ready(job);
  if (result.ready.size() < sent.due.size()) ask_load();  // the tables know better when, or what
  for (Granted& granted : result.granted) {
    --asked_permits_;
    permit_refusals_.erase(granted.job.id);
    const AskedPermit& asked = sent.asked.at(granted.tag);
    if (asked.turn == Turn::next) {
      granted_ahead(granted, asked, now);
    } else {
      send(granted, asked, now);
    }
  }
  for (const Refused& refused : result.refused)
    take_refusal(refused, sent.asked.at(refused.tag), now);
  tell_held(result.held);
}

// A stale view is mended by a load. A job that the tables list and yet refuse would be asked for
// without end: it is set aside until they change.
void Dispatcher::take_refusal(const Refused& refused, const AskedPermit& asked, Moment now) {
  --asked_permits_;
  limiter_.not_sent();
  busy_.erase(refused.job);
  if (asked.turn == Turn::next) {
    refused_ahead(refused, asked.connection, now);
  } else {
    connections_.untouched(asked.connection);
    if (connections_.is_retired(asked.connection)) hang_up(asked.connection);
  }
  PermitRefusals& refusals = permit_refusals_[refused.job];
  if (++refusals.in_a_row < kShelvedAfter) return ask_load();
  ++shelved_;
  if (std::exchange(refusals.told, true)) return;
  say(Level::error, "job " + std::to_string(refused.job.value) +
                        " is set aside until the tables change: " + refused.why);
}

bool Dispatcher::is_shelved(JobId job) const {
  const auto at = permit_refusals_.find(job);
  return at != permit_refusals_.end() && at->second.in_a_row >= kShelvedAfter;
}

void Dispatcher::became_ready(const JobRef& job) {
  if (is_shelved(job.id)) --shelved_;
  permit_refusals_.erase(job.id);
  work_.add_ready(job);
}

void Dispatcher::send(Granted& granted, const AskedPermit& asked, Moment now) {
  const RequestId id = granted.request;
  DspRequest request;
  request.id = id;
  request.purpose = granted.purpose;
  request.kind = granted.job.kind;
  request.target = std::move(granted.target);
  request.body = std::move(granted.body);
  if (is_post(granted.purpose)) request.idempotency_key = std::move(granted.idempotency_key);
  // The disk may have stood still between the permit, which has judged the age of the key, and now.
  const bool is_stale = granted.purpose == Purpose::resubmit &&
                        now.boot_ms - granted.permitted_boot_ms > kKeyJudgedFor;
  Flight flight{std::move(granted), asked.connection, now.boot_ms,
                now.boot_ms,        kNeverLooked,     asked.ticket};
  if (flight.granted.purpose == Purpose::status) {
    flight.posted_boot_ms = asked.candidate.posted_boot_ms;
    flight.looked_age_ms = asked.candidate.looked_age_ms;
  }
  take_off(id, std::move(flight));
  if (stopping_ || is_stale) {  // the permit came too late: give the job back, provably unsent
    input::Replied unsent{asked.connection, id, {}, true};
    unsent.reply.wire = Wire::not_sent;
    if (is_stale)
      unsent.reply.trouble =
          "its permit was recorded too late to be sure that the DSP still knows the key";
    return on(unsent, now);
  }
  commands_.emplace_back(command::Send{asked.connection, std::move(request)});
}

void Dispatcher::apply(Decided& decided, const Applied& applied, Moment now) {
  Outcome& outcome = decided.outcome;
  const JobState state = outcome.event ? rule_for(outcome.from, *outcome.event)->to : outcome.from;
  if (!decided.look_follows) busy_.erase(outcome.job);
  commands_.emplace_back(
      command::Record{outcome.job, std::move(decided.granted.job_key), decided.granted.attempt,
                      outcome.purpose, outcome.http_status, std::move(outcome.outcome_class),
                      outcome.latency_us, state, applied.matched, std::move(outcome.error)});
  for (const JobRef& child : applied.promoted) became_ready(child);
  if (!applied.matched) {
    ask_load();  // somebody else decided meanwhile
    return;
  }
  const std::int64_t due = now.boot_ms + outcome.due_in_ms.value_or(0);
  const JobRef& job = decided.granted.job;
  switch (state) {
    case JobState::ready: work_.add_ready(job); break;
    case JobState::waiting: work_.add_waiting(job, due); break;
    case JobState::confirming: {
      if (decided.look_follows) break;
      Candidate poll{.job = job, .purpose = Purpose::status, .overdue = outcome.overdue};
      poll.posted_boot_ms = decided.posted_boot_ms;
      poll.looked_age_ms = decided.looked_age_ms;
      work_.add_poll(poll, due,
                     outcome.not_before_in_ms > 0 ? now.boot_ms + outcome.not_before_in_ms : 0);
      break;
    }
    case JobState::in_doubt:
      if (!outcome.hold) {
        const bool looks = policy_.decision.unknown_outcome == UnknownOutcome::lookup;
        work_.add_later(
            Candidate{.job = job, .purpose = looks ? Purpose::lookup : Purpose::resubmit}, due);
      }
      break;
    case JobState::blocked:
    case JobState::submitting:
    case JobState::succeeded:
    case JobState::failed:
    case JobState::cancelled: break;
  }
}

void Dispatcher::on(const input::Connected& connected, Moment now) {
  connections_.opened(connected.id, now.boot_ms);
  note_connected();
  if (connections_.is_retired(connected.id)) hang_up(connected.id);
}

void Dispatcher::on(const input::Closed& closed, Moment now) {
  if (connections_.is_unused(closed.id))
    note_slammed("the connection was closed before anything was sent on it", closed.id, now);
  connections_.lost(closed.id);
  if (const auto at = nexts_.find(closed.id); at != nexts_.end() && at->second.front().is_awaited)
    drop_nexts(closed.id, now);
}

void Dispatcher::on(input::Replied& replied, Moment now) {
  const auto at = flights_.find(replied.request);
  // given up as lost; its slot was closed then, but it was on the wire until now
  if (at == flights_.end()) {
    tell_late_reply(replied);
    limiter_.ended_late(now);
    if (replied.reusable) commands_.emplace_back(command::Close{replied.id});
    return connections_.lost(replied.id);
  }
  Flight flight = std::move(at->second);
  flights_.erase(at);
  connections_stay_ = replied.reusable;
  note_round_trip(flight, now);
  note_whether_answered(replied.reply, replied.id, now);
  if (flight.granted.purpose == Purpose::lookup)
    disbelieve_anothers(replied.reply, flight.granted.idempotency_key);
  const OutcomeClass what =
      classify(flight.granted.purpose, replied.reply, policy_.decision.outcome);
  switch (slot_end(replied.reply, policy_.decision.outcome)) {
    case SlotEnd::answered:
      limiter_.answered(planted(Fault::slot_freed_from_the_send)
                            ? Moment{flight.sent_boot_ms, now.wall_ms}
                            : now);
      break;
    case SlotEnd::unsure: limiter_.unsure(now); break;
    case SlotEnd::not_sent: limiter_.not_sent(); break;
  }
  heed_headers(replied.reply, flight.ticket, now);
  const DecisionContext context = context_of(flight, replied.reply, now);
  settle_account(replied.reply, what, flight, context.others_pass, now);
  learn(what, flight);
  note_lookup(what, flight);
  Outcome outcome =
      decide(flight.granted, replied.reply, what, policy_.decision, context, schedule_);
  if (stopping_ && outcome.event == JobEvent::not_sent) {
    outcome.event = JobEvent::given_back;
    outcome.due_in_ms.reset();
  }
  if (outcome.setbacks > 0 || pauses_account(what)) {
    accepted_at_setback_[flight.granted.job.id] = accepted_count_;
  } else {
    accepted_at_setback_.erase(flight.granted.job.id);
  }
  const bool due_by_age =
      outcome.event == JobEvent::accepted || outcome.from == JobState::confirming;
  // the schedule counts from the sending
  if (due_by_age && outcome.due_in_ms && !outcome.spends_attempt) {
    const Millis since_sent = now.boot_ms - flight.sent_boot_ms;
    outcome.due_in_ms =
        std::max({Millis{0}, *outcome.due_in_ms - since_sent, outcome.not_before_in_ms});
  }
  if (outcome.event == JobEvent::accepted) {
    asked_to_wait_[static_cast<std::size_t>(flight.granted.job.kind)] =
        outcome.not_before_in_ms > 0;
  }
  if (flight.granted.look) look_at_once(replied, flight, outcome, now);
  const bool look_follows{outcome.look_sent};
  if (!look_follows) free_connection(replied.id, replied.reusable, now);
  const Millis looked_age = outcome.looked ? context.age_ms : flight.looked_age_ms;
  outbox_notes_.decided.push_back(
      {std::move(flight.granted), outcome, flight.posted_boot_ms, looked_age, look_follows});
  outbox_.outcomes.push_back(std::move(outcome));
}

// Before this answer counts.
DecisionContext Dispatcher::context_of(const Flight& flight, const DspReply& reply,
                                       Moment now) const {
  DecisionContext context;
  context.age_ms = flight.sent_boot_ms - flight.posted_boot_ms;
  if (reply.retry_after)
    context.wait_ms = parse_retry_after(*reply.retry_after, reply.date, now.wall_ms);
  const auto seen = accepted_at_setback_.find(flight.granted.job.id);
  context.others_pass = seen != accepted_at_setback_.end() && accepted_count_ > seen->second;
  const auto failed = failed_lookups_.find(flight.granted.job.id);
  if (failed != failed_lookups_.end()) context.failed_lookups = failed->second;
  return context;
}

void Dispatcher::note_lookup(OutcomeClass what, const Flight& flight) {
  if (flight.granted.purpose != Purpose::lookup) return;
  if (what == OutcomeClass::look_failed) ++failed_lookups_[flight.granted.job.id];
  if (what != OutcomeClass::look_failed) failed_lookups_.erase(flight.granted.job.id);
}

// Both ends of processing are "done"; a look that failed says nothing.
void Dispatcher::learn(OutcomeClass what, const Flight& flight) {
  if (!is_limited() || flight.granted.purpose != Purpose::status) return;
  const JobKind kind = flight.granted.job.kind;
  const Millis age = flight.sent_boot_ms - flight.posted_boot_ms;
  const bool is_done = what == OutcomeClass::confirmed || what == OutcomeClass::creation_failed;
  ++polls_;
  if (is_done) ++confirmed_;
  if (is_done) schedule_.saw_done(kind, flight.looked_age_ms, age);
  if (what == OutcomeClass::undecided) schedule_.saw_undone(kind, flight.looked_age_ms, age);
}

void Dispatcher::take_back(ConnectionId id, bool reusable) {
  if (!reusable) return connections_.lost(id);
  if (connections_.is_retired(id)) return hang_up(id);
  const bool enough = connections_.idle_used_count() >= policy_.workers;
  if (enough && freshness_for(Purpose::create) == Freshness::fresh) {  // POSTs will not use it
    return hang_up(id);
  }
  connections_.returned(id);
}

void Dispatcher::hang_up(ConnectionId id) {
  connections_.lost(id);
  commands_.emplace_back(command::Close{id});
}

void Dispatcher::on(const input::StopAsked&, Moment) { stopping_ = true; }

std::vector<AnyCommand> Dispatcher::flush(Moment now) {
  if (std::exchange(account_changed_, false)) {
    AccountState state = limiter_.state(now);
    state.paused_by = account_.paused_by;
    state.paused_reason = account_.paused_reason;
    state.writes_pause = std::exchange(pause_changed_, false);
    outbox_notes_.writes_pause = state.writes_pause;
    pause_writes_ += state.writes_pause ? 1 : 0;
    outbox_.account = std::move(state);
  }
  const bool saves = save_learned_ || (!outbox_.outcomes.empty() &&
                                       now.boot_ms - learned_saved_at_ >= kSaveLearnedEvery);
  if (saves && schedule_.has_changes()) {
    outbox_.processing = schedule_.take_changes();
    learned_saved_at_ = now.boot_ms;
  }
  save_learned_ = false;
  if (!outbox_.empty()) {
    // they are large, so growing is not cheap
    const std::size_t as_many_again = outbox_.outcomes.size();
    commands_.emplace_back(command::CommitWork{std::exchange(outbox_, {})});
    sent_batches_.push_back(std::exchange(outbox_notes_, {}));
    outbox_.outcomes.reserve(as_many_again);
    outbox_notes_.decided.reserve(as_many_again);
  }
  set_wake(now);
  return std::exchange(commands_, {});
}

}  // namespace dl
