// The DSP's side of --verify: every attempt of the ledger that can be looked up is looked up, one after the other
// and within the limit, and what the DSP says is held against what we believe. It decides nothing and moves no job;
// its requests are in the ledger like all others.
// Thread rule: the caller's thread, which waits; the hand has its own. Ownership: borrows all.
#pragma once

#include <cstdint>
#include <functional>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "storage/store.h"
#include "storage/verifier.h"

namespace dl {

struct Reconciled {
  std::int64_t asked = 0;         // attempts that the DSP answered for
  std::int64_t not_askable = 0;   // sent without the key in the body, so no lookup finds them
};

struct ReconcileEvents {
  std::function<void(Finding)> found;
  // About four times a second of real time, also while a permit is waited for. Ids of jobs.
  std::function<void(std::int64_t job, std::int64_t last_job, const Reconciled& so_far)> progress;
};

// `store` has taken over. Errors: unavailable (the DSP cannot be reached), no_permission (it refuses us), config (it
// offers no lookup after all), and the store's.
Result<Reconciled> reconcile(Store& store, const Recovery& recovery, const Config& config, Clock clock,
                             const ReconcileEvents& events);

}  // namespace dl
