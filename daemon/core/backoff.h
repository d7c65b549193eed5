// How long to wait before trying again. Jitter is a hash of what is tried, not a random number: no
// hidden state, replays agree, and an auditor can recompute any delay.
// Pure; callable from any thread.
#pragma once

#include <cstdint>

#include "storage/model/moment.h"

namespace dl {

// 0 … 1, evenly spread over different `what` and `nth` (SplitMix64, Steele et al. 2014).
double jitter(std::int64_t what, std::int64_t nth);

// Retry number `n` (1, 2, 3, …) of `what` waits 2^n s and up to half as much again, so that what
// failed together does not return together; never more than `longest_ms`.
Millis retry_backoff(std::int64_t what, int n, Millis longest_ms = 900'000);

}  // namespace dl
