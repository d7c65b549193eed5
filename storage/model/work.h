// What travels between the dispatcher (brain) and the store (memory): permits to send, outcomes to
// record, and what the tables said back. Plain values, passed by move between threads.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/model/account.h"
#include "storage/model/ids.h"
#include "storage/model/job.h"
#include "storage/model/job_state.h"
#include "storage/model/moment.h"

namespace dl {

enum class Purpose {
  create,    // POST under a new key
  resubmit,  // POST again: same key, same bytes, copied from the ledger
  status,    // GET /<kind>/<id>/status
  lookup,    // GET /<kind>?external_id=<key>
};
constexpr bool is_post(Purpose purpose) {
  return purpose == Purpose::create || purpose == Purpose::resubmit;
}
std::string_view name_of(Purpose purpose);

// How many lookups must find nothing, and how far apart they are, before a POST counts as not
// applied: also where an operator has declared it absent, for his word and one false "not found"
// made a duplicate.
inline constexpr int kAbsentLooks = 3;
inline constexpr Millis kAbsentLooksApart = 30'000;

// How a request closes its limiter slot (design 3).
enum class SlotEnd {
  answered,  // the origin's complete final answer: held until W after it
  unsure,    // no proof: held until give-up + D + W
  not_sent,  // no byte left: given back at once
};
std::string_view name_of(SlotEnd end);

// A job as the order of work sees it: oldest campaign first, then level by level.
struct JobRef {
  std::int64_t priority = 0;  // smaller goes first
  std::int64_t root_id = 0;   // the campaign's job
  int level = 0;
  JobId id;
  JobKind kind = JobKind::campaign;
  bool has_children = false;
};

// [kind][state], loaded batches only
using Totals = std::array<std::array<std::int64_t, kJobStateCount>, 3>;

// What was learned of how long the DSP takes: one bin of ages of one kind
// (daemon/core/life_table.h).
struct ProcessingBin {
  JobKind kind = JobKind::campaign;
  int bin = 0;
  Millis until_ms = 0;  // its upper edge, for people
  double entered = 0;   // entities known to have been undone at its beginning; older ones fade
  double done = 0;      // of them, done in it
  double believed = 0;  // likelihood before anything was seen
};

// One request to be allowed: the store checks the tables, writes the intent and leases the job.
struct Permit {
  JobId job;
  Purpose purpose = Purpose::create;
  int worker = 0;          // recorded in the ledger
  std::int64_t tag = 0;    // the dispatcher's own mark, handed back
  bool with_look = false;  // create: write the intent of the first look at its status too
};

// A permit that was given: committed, so it may be sent.
struct Granted {
  std::int64_t tag = 0;
  RequestId request;
  JobRef job;
  std::string job_key;
  Purpose purpose = Purpose::create;
  int attempt = 1;
  int tries = 0;
  int setbacks = 0;
  int looks = 0;
  bool declared_id = false;  // the id to ask for was given by an operator
  std::string target;        // path below the endpoint
  std::string body;
  std::string idempotency_key;
  RequestId look;  // create: the ledger row of the first look, where one was asked for
  std::int64_t permitted_boot_ms = 0;
};

// A permit that the tables did not allow: nothing was written, its limiter slot is free.
struct Refused {
  std::int64_t tag = 0;
  JobId job;
  std::string why;
};

// The end of a request and what it does to its job. Applied whole or, where the job has meanwhile
// been taken out of our hands, to the ledger alone (late evidence always counts).
struct Outcome {
  RequestId request;
  JobId job;
  Purpose purpose = Purpose::create;
  JobState from = JobState::submitting;  // the state the guard expects
  std::optional<JobEvent> event;         // none: the state stays (an undecided poll)
  SlotEnd slot = SlotEnd::answered;
  int http_status = 0;        // 0: none
  std::string outcome_class;  // name of the class, for the ledger
  std::int64_t latency_us = 0;
  std::string dsp_request_id;
  std::string error;                      // words; empty: none
  std::optional<std::string> dsp_id;      // accepted, found
  bool id_is_proved = false;              // found: the entity said that our key is its external_id
  std::optional<std::string> resolution;  // of the POST(s): see request.resolution
  bool spends_attempt = false;            // attempt + 1 and tries + 1
  int setbacks = 0;                       // new value
  int looks = 0;                          // new value
  bool overdue = false;
  std::optional<Millis> due_in_ms;  // due_at = now + this
  // confirming: the DSP or a failed look asks to wait at least this long
  Millis not_before_in_ms = 0;
  // confirming: the DSP said "not yet", so the next look counts from this one
  bool looked = false;
  std::optional<std::string> hold;  // in_doubt: why an operator must decide
  // Of a creation whose first look was written with it: it is on the wire by now and gets the
  // lease, or it was not sent and its row is closed too. At most one of the two.
  RequestId look_sent;
  RequestId look_unsent;
};

struct Applied {
  RequestId request;
  JobId job;
  bool matched = false;          // false: only the ledger row was completed
  std::vector<JobRef> promoted;  // children that became ready
};

// Who has paused the account where no person has: the daemon, for its credentials. A person's pause
// holds everything until a person resumes; this one is probed, and a restart ends it. No operator
// may call himself so (migrations/0003_acts.sql).
inline constexpr std::string_view kPausedByDaemon = "daemon";

// Account-wide facts that must survive a restart.
struct AccountState {
  std::optional<std::string> paused_by;  // an operator's name, or kPausedByDaemon
  std::string paused_reason;
  // to be saved too: the daemon itself has just paused or resumed
  bool writes_pause = false;
  std::int64_t gate_boot_ms = 0;  // nothing is sent before; 0: open. Of the present boot
  std::int64_t gate_wall_ms = 0;  // the same for people
  int refusals = 0;               // in a row
  std::optional<int> cap;         // learned: what we allow ourselves per window
  std::optional<int> ceiling;
  // What the cap's way back counts by; of the present boot, 0: unknown.
  std::int64_t lowered_boot_ms = 0;  // when it was last lowered
  // the window without a refusal that is being counted began then
  std::int64_t clean_boot_ms = 0;
  int clean_windows = 0;  // in a row at or above the ceiling
  bool is_paused_by_daemon() const { return paused_by == kPausedByDaemon; }
};

// One transaction's worth of work. Outcomes come first, then what is due, then permits.
struct WorkBatch {
  std::vector<Outcome> outcomes;
  std::vector<JobId> due;  // waiting -> ready
  std::vector<Permit> permits;
  std::optional<AccountState> account;
  std::vector<ProcessingBin> processing;  // what has changed of what was learned
  bool empty() const {
    return outcomes.empty() && due.empty() && permits.empty() && !account && processing.empty();
  }
};

// What the store has given to a person to decide; who leads the life of the job says so.
struct Held {
  JobId job;
  std::string why;
};

struct WorkResult {
  std::vector<Applied> applied;  // in the order of the outcomes
  // of `due`; one that is missing is due later, or has gone another way
  std::vector<JobRef> ready;
  std::vector<Granted> granted;
  std::vector<Refused> refused;
  std::vector<Held> held;  // whichever of the batches of a commit they come from
  Totals totals{};
};

// A job that is due at some time: waiting, confirming, or in_doubt and not held.
struct TimedJob {
  JobRef job;
  JobState state = JobState::waiting;
  Millis due_in_ms = 0;      // from the moment of loading; never longer than was planned
  Millis posted_ago_ms = 0;  // confirming: since the creation was sent
  Millis looked_age_ms = 0;  // confirming: age at the last undecided look; 0: none
  bool overdue = false;
};

struct LoadLimits {
  int ready = 1'000;
  int timed = 50'000;
};

struct LoadedWork {
  std::vector<JobRef> ready;   // in order of work
  bool ready_complete = true;  // false: there are more in the table than were asked for
  std::vector<TimedJob> timed;
  bool timed_complete = true;
  AccountState account;
  Totals totals{};
};

// What a new owner finds in the ledger.
struct Recovery {
  // W after each of these a slot is free; ascending
  std::vector<std::int64_t> slot_anchors_boot_ms;
  std::int64_t sends_from_boot_ms = 0;  // another boot's requests: nothing before this
  // answers of the last window that were no refusals; ascending
  std::vector<std::int64_t> accepted_boot_ms;
  AccountState account;
  std::vector<ProcessingBin> processing;  // what earlier runs have learned
  std::int64_t reclaimed = 0;             // requests that a dead owner left open
};

}  // namespace dl
