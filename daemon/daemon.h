// The interpreter: wires the brain (Dispatcher), the memory (StoreThread) and the hands
// (WorkerPool), feeds inputs in and carries commands out, with timers, signals and the service
// manager. It decides nothing.
//
// Thread rule: run() belongs to the thread that calls it, main's; everything else reaches it by
// post. Ownership: owns all parts for the time of run().
#pragma once

#include <memory>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/core/dispatcher.h"
#include "daemon/core/limiter.h"
#include "daemon/instance_lock.h"
#include "daemon/log.h"
#include "storage/store.h"

namespace dl {

struct DaemonParts {
  const Config& config;
  Log& log;
  Clock clock;
  const InstanceLock& lock;
  std::unique_ptr<Store> store;  // taken over already
  Recovery recovery;
};

// Runs until a signal, or with --drain until nothing is left. The exit code (docs/OPERATIONS.md).
int run_daemon(DaemonParts parts);

// The policies that a configuration stands for.
LimiterPolicy limiter_policy(const Config& config);
DispatcherPolicy dispatcher_policy(const Config& config);
WirePolicy wire_policy(const Config& config, const Clock& clock);
StorePolicy store_policy(const Config& config);
RequestFormat request_format();

}  // namespace dl
