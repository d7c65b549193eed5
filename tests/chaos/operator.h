// The people beside the daemon: an operator who decides what is in doubt by the DSP's own list, and
// one who leaves a transaction open. Thread rule: any thread.
#pragma once

#include <chrono>
#include <string>

namespace dl::chaos {

// For each job in doubt whose POST can't change any more at the DSP: exists, with the DSP's id, or
// absent. `port`: the mock's. One that the mock is still about to apply is left for later.
void decide_doubts(const std::string& database, const std::string& ledger, int port);

// BEGIN IMMEDIATE, then nothing for `span`, then ROLLBACK. Where the database is not there yet, or
// somebody else writes: nothing.
void hold_transaction(const std::string& database, std::chrono::milliseconds span);

}  // namespace dl::chaos
