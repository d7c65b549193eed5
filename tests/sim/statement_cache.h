// Prepared statements outlive their owners: whoever prepares the same text on the same connection
// again gets the one that was finalized last, reset and without bindings. Parsing was a third of
// what a simulation costs, and a statement is nothing but what the schema says; SQLite prepares it
// anew by itself once the schema has changed.
//
// It works by the linker (--wrap, see tests/CMakeLists.txt): calls of sqlite3_prepare_v2, _exec,
// _finalize and _close in a program that links the simulator come here first. Nothing else has to
// know.
//
// Thread rule: each thread has its own cache; a connection is used and closed by the thread that
// opened it.
#pragma once

#include <cstdint>

namespace dl::sim {

// How many were asked for and how many of those were at hand, in this thread.
struct StatementCacheCounts {
  std::int64_t asked = 0;
  std::int64_t at_hand = 0;
};
StatementCacheCounts statement_cache_counts();

}  // namespace dl::sim
