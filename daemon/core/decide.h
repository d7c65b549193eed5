// From what was sent and what came back to what happens to the job. Outcomes where there is nothing
// to decide are written by others: of a dead owner's POST by Store::reclaim_post(), of --verify's
// lookups by daemon/reconcile.cpp. Pure; callable from any thread.
#pragma once

#include <optional>

#include "daemon/core/dsp.h"
#include "daemon/core/outcome.h"
#include "daemon/core/schedule.h"
#include "storage/model/account.h"
#include "storage/model/work.h"

namespace dl {

struct DecisionPolicy {
  int max_retries = 3;  // creations in all: 1 + this
  UnknownOutcome unknown_outcome = UnknownOutcome::hold;
  // an unanswered POST may still be applied this long
  Millis settle_ms = 180'000;
  Millis confirm_timeout_ms = 86'400'000;  // a known id undecided for longer is overdue
  Millis window_ms = 60'000;               // of the slowest tier: the unit of set-backs
  OutcomePolicy outcome;
};

// What the dispatcher knows beside the reply.
struct DecisionContext {
  Millis age_ms = 0;              // status: age of the creation when this poll was sent
  std::optional<Millis> wait_ms;  // Retry-After of the answer
  bool others_pass = false;       // other requests were accepted since this job's last set-back
  int failed_lookups = 0;         // lookup: of this job in a row, as far as this daemon knows
};

// `granted`: what was sent. The Outcome's state guard, event, new counters and due time follow
// design 2.
Outcome decide(const Granted& granted, const DspReply& reply, OutcomeClass what,
               const DecisionPolicy& policy, const DecisionContext& context,
               const Schedule& schedule);

// 401, 403 or 429 in a row that one job may meet while others pass, before it fails; 401, 403 or
// 503 of a lookup, before an operator has to decide.
inline constexpr int kSetbacksMax = 8;
// Lookups in a row whose answer is neither our entity nor 404, before an operator has to decide.
inline constexpr int kUselessLookups = 20;
// Polls that must answer 404 before an id that an operator gave is doubted.
inline constexpr int kDeclaredIdLooks = 5;
// A status "failed" of such an id, in the ledger: unlike `creation_failed` it says nothing of our
// own creation.
inline constexpr const char* kDeclaredIdFailed = "declared_id_failed";

}  // namespace dl
