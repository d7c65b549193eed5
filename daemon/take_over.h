// How a sender, or who asks for it (--verify), takes over a database: written once, for each step
// guards what follows. Thread rule: main's, before any other thread there is. Ownership: gives the
// store to the caller; borrows the lock.
#pragma once

#include <functional>
#include <memory>

#include "daemon/clock.h"
#include "daemon/instance_lock.h"
#include "storage/store.h"

namespace dl {

struct TakenOver {
  std::unique_ptr<Store> store;
  Recovery recovery;
};

// How the step is gone about that another program's transaction may keep from its end (busy): once,
// or until it is done.
using Patience = std::function<Result<Recovery>(const std::function<Result<Recovery>()>& step)>;

// The caller holds `lock`, has checked the database and removed what dead loaders left. Then, in
// this order:
//   1. the generation file is opened, so that nothing is written where it cannot be kept;
//   2. the guards are left to others, before a statement is prepared;
//   3. the file is compared: is this the database that was last sent from? Else the take-over puts
//   it on hold;
//   4. the take-over, one transaction, with the lock that proves every earlier owner dead;
//   5. the new generation is kept, before anything is sent.
// Errors: of the file, and Store::take_over()'s.
Result<TakenOver> take_over(std::unique_ptr<Database> database, const InstanceLock& lock,
                            const StorePolicy& policy, Clock clock, const Patience& patience);

}  // namespace dl
