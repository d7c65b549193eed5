// When a request that no worker reports is given up: the dispatcher does it, and a new owner's look
// at the ledger reaches back so far. Thread rule: a constant.
#pragma once

#include "storage/model/moment.h"

namespace dl {

constexpr Millis kLostAfterTimeout = 30'000;  // counted from the end of its HTTP timeout

}  // namespace dl
