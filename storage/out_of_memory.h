// What a program of ours does where memory ends: it says so on stderr and exits with 74, at once
// and from any thread. Nothing is unwound, for unwinding needs memory, too, and would pass through
// code of others that expects no exception. What was committed stays; the rest is as after a kill,
// which the next start deals with. (SQLite's own allocations do not come here: they fail with
// SQLITE_NOMEM.) Thread rule: call once, by main, before there are threads.
#pragma once

namespace dl {

// `program`: its name, a literal.
void end_where_memory_ends(const char* program);

}  // namespace dl
