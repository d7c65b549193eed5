// A job's life is one table. kRules is its only definition: it seeds the SQL table job_rule, which
// the guards on operators' acts read; docs/state_machine.md is printed from it; the tests enumerate
// it. A Rule's id is stored in job_history, so an id is never reused or renumbered. Pure; callable
// from any thread.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace dl {

enum class JobState {
  blocked,     // waits for one or more parents
  ready,       // may be submitted now
  waiting,     // a retry is scheduled (due_at)
  submitting,  // the intent to POST is committed; the request may be on the wire
  in_doubt,    // the POST may or may not have been applied
  confirming,  // the DSP's id is recorded; status polls are due at due_at
  succeeded,   // confirmed; children promoted in the same transaction
  failed,      // given up after max_retries, or refused for good
  cancelled,   // an operator said so; nothing more is sent for it
};
inline constexpr int kJobStateCount = 9;

enum class JobEvent {
  parents_done,       // the last parent succeeded, or a batch without open parents was published
  leased,             // the intent row is committed before the first byte leaves
  due,                // the scheduled retry is due
  accepted,           // 2xx with the DSP's id
  not_sent,           // provably nothing left this machine: no attempt spent
  given_back,         // leased, but handed back unsent: its connection was not free, or a stop came
  throttled,          // 429, 401 or 403: no attempt spent, the account pauses
  refused,            // refused, may be tried again: an attempt is spent
  refused_for_good,   // refused, and trying again cannot help
  exhausted,          // refused or failed once more than max_retries allows
  unknown,            // no proof either way: anything not listed
  owner_lost,         // the daemon that held the lease is proven dead
  resubmitted,        // leased again: same key, same bytes
  found,              // a lookup found exactly one entity under our key
  absent,             // three lookups after the settle time found nothing
  look_due,           // declared absent, and the settle time has passed: looked up
  confirmed,          // the DSP says success
  creation_failed,    // the DSP says failed: the entity was not created
  id_not_found,       // an id that an operator gave stays 404, or its creation failed
  retry_confirming,   // operator: retry, and the DSP's id is known
  retry_in_doubt,     // operator: retry, and a POST is unresolved
  retry_blocked,      // operator: retry, and parents are open
  retry_ready,        // operator: retry, and nothing stands in the way
  declared_absent,    // operator: the DSP does not have it
  declared_existing,  // operator: the DSP has it, under this id
  cancel,             // operator: send nothing more for it
};

enum class Actor { daemon, ingest, operator_ };

struct Rule {
  int id;
  JobState from;
  JobEvent event;
  JobState to;
  Actor actor;
};

inline constexpr auto kRules = [] {
  using enum JobState;
  using enum JobEvent;
  using enum Actor;
  return std::to_array<Rule>({
      // in the parent's transaction; by ingest when a batch is published
      {1, blocked, parents_done, ready, daemon},
      {2, ready, leased, submitting, daemon},  // write-ahead intent
      {3, waiting, due, ready, daemon},
      {4, submitting, accepted, confirming, daemon},
      {5, submitting, not_sent, waiting, daemon},
      {6, submitting, given_back, ready, daemon},
      {7, submitting, throttled, waiting, daemon},
      {8, submitting, refused, waiting, daemon},
      {9, submitting, refused_for_good, failed, daemon},
      {10, submitting, exhausted, failed, daemon},
      {11, submitting, unknown, in_doubt, daemon},
      {12, submitting, owner_lost, in_doubt, daemon},
      {13, in_doubt, resubmitted, submitting, daemon},
      {14, in_doubt, found, confirming, daemon},
      {15, in_doubt, absent, ready, daemon},
      {16, confirming, confirmed, succeeded, daemon},
      {17, confirming, creation_failed, waiting, daemon},
      {18, confirming, exhausted, failed, daemon},
      {19, confirming, id_not_found, in_doubt, daemon},
      {20, failed, retry_confirming, confirming, operator_},
      {21, failed, retry_in_doubt, in_doubt, operator_},
      {22, failed, retry_blocked, blocked, operator_},
      {23, failed, retry_ready, ready, operator_},
      {24, waiting, retry_confirming, confirming, operator_},
      {25, waiting, retry_in_doubt, in_doubt, operator_},
      {26, waiting, retry_blocked, blocked, operator_},
      {27, waiting, retry_ready, ready, operator_},
      {28, cancelled, retry_confirming, confirming, operator_},
      {29, cancelled, retry_in_doubt, in_doubt, operator_},
      {30, cancelled, retry_blocked, blocked, operator_},
      {31, cancelled, retry_ready, ready, operator_},
      {32, in_doubt, declared_absent, waiting, operator_},
      {33, in_doubt, declared_existing, confirming, operator_},
      {34, failed, declared_existing, confirming, operator_},
      {35, blocked, cancel, cancelled, operator_},
      {36, ready, cancel, cancelled, operator_},
      {37, waiting, cancel, cancelled, operator_},
      {38, in_doubt, cancel, cancelled, operator_},
      {39, confirming, cancel, cancelled, operator_},
      {40, failed, cancel, cancelled, operator_},
      {41, waiting, look_due, in_doubt, daemon},  // declared absent, where the account can be asked
  });
}();

// The rule for `event` in state `from`, or nothing where the event is not legal there.
constexpr std::optional<Rule> rule_for(JobState from, JobEvent event) {
  for (const Rule& rule : kRules) {
    if (rule.from == from && rule.event == event) return rule;
  }
  return std::nullopt;
}

std::string_view name_of(JobState state);
std::string_view name_of(JobEvent event);
std::string_view name_of(Actor actor);
std::optional<JobState> state_named(std::string_view name);

// No event of the daemon leaves these; an operator's may (all but succeeded).
constexpr bool is_resting(JobState state) {
  return state == JobState::succeeded || state == JobState::failed || state == JobState::cancelled;
}

namespace rules_hold {
constexpr bool one_state_and_event_lead_to_one_place() {
  for (const Rule& a : kRules) {
    for (const Rule& b : kRules) {
      if (a.id != b.id && a.from == b.from && a.event == b.event) return false;
    }
  }
  return true;
}
constexpr bool ids_are_dense() {
  for (std::size_t i = 0; i < kRules.size(); ++i) {
    if (kRules[i].id != static_cast<int>(i) + 1) return false;
  }
  return true;
}
constexpr bool nothing_leaves(JobState state) {
  for (const Rule& rule : kRules) {
    if (rule.from == state) return false;
  }
  return true;
}
constexpr bool the_operator_never_touches_what_is_on_the_wire() {
  for (const Rule& rule : kRules) {
    if (rule.from == JobState::submitting && rule.actor == Actor::operator_) return false;
  }
  return true;
}
static_assert(one_state_and_event_lead_to_one_place());
static_assert(ids_are_dense());
static_assert(nothing_leaves(JobState::succeeded), "a confirmed entity is never submitted again");
static_assert(the_operator_never_touches_what_is_on_the_wire());
}  // namespace rules_hold

}  // namespace dl
