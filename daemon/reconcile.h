// The DSP's side of --verify: every attempt of the ledger that can be looked up is looked up, one
// after the other and within the limit, and what the DSP says is held against what we believe. It
// decides nothing and moves no job; its requests are in the ledger like all others.
//
// One look that finds nothing proves nothing, for the DSP's index may be behind. So all are looked
// up once; then, in the same order, those that were absent and should be there, each no sooner than
// kAbsentLooksApart after its last look; and so on until kAbsentLooks looks have not found them.
// Where nothing is absent nothing is waited for. Kept in memory are the absent alone, a few words
// each. Where the DSP cannot be asked any more, they are named with how often they were looked for.
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
  std::int64_t asked = 0;        // attempts that the DSP answered for
  std::int64_t not_askable = 0;  // sent without the key in the body, so no lookup finds them
  // of those asked: absent at first, and found when looked for again
  std::int64_t found_later = 0;
};

// How far it is, for people.
struct ReconcileProgress {
  int look = 1;  // 1: at all; from 2 on at those that were absent at each look before
  // the first look: the id of the job; later ones: how many have been looked for
  std::int64_t done = 0;
  std::int64_t all = 0;     // … of: the last job's id; how many were absent
  std::int64_t absent = 0;  // so far at this look, to be looked for again
  // until the next of them may be looked for; 0: that is not what it waits for
  Millis wait = 0;
};

struct ReconcileEvents {
  std::function<void(Finding)> found;
  // As each look but the first begins; else about four times a second of real time while anything
  // is waited for.
  std::function<void(const ReconcileProgress& progress, const Reconciled& so_far)> progress;
};

// `store` has taken over. Errors: unavailable (the DSP cannot be reached), no_permission (it
// refuses us), config (it offers no lookup after all), and the store's.
Result<Reconciled> reconcile(Store& store, const Recovery& recovery, const Config& config,
                             Clock clock, const ReconcileEvents& events);

}  // namespace dl
