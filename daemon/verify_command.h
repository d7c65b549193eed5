// dl-daemon --verify: what the database alone shows and, where the DSP offers a lookup, what the
// DSP has. A line for each finding on stdout, progress on stderr. Thread rule: main's. Ownership:
// borrows all.
#pragma once

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/log.h"

namespace dl {

// The exit code: 0 only where nothing is broken, missing, duplicate, in doubt or unanswered, else
// 1; 75 where the DSP is to be asked and a daemon runs; the others as of the daemon.
int run_verify(const Config& config, Log& log, Clock clock);

}  // namespace dl
