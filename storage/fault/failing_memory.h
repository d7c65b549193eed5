// Memory that runs out: SQLite's allocator and operator new, each of which fails where a fault at
// "alloc.sqlite" or "alloc.new" is due. Compiled only where DL_FAULT_POINTS is on. Thread rule:
// installed once, by start(), before SQLite is used.
#pragma once

namespace dl::fault {

// Replaces SQLite's allocator. (operator new is replaced by linking.)
void install_failing_memory();

}  // namespace dl::fault
