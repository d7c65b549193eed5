// SQLite's files with faults: a layer over the system's own, made the default of the process.
// Compiled only where DL_FAULT_POINTS is on. Thread rule: installed once, by start().
#pragma once

namespace dl::fault {

enum class FileTrouble { none, eio, enospc };

// What a fault has ordered for the next write, or the next sync, of any file of this process; asking
// takes it away. Kept by fault_point.cpp.
FileTrouble take_trouble_of_write();
FileTrouble take_trouble_of_sync();

void install_failing_files();

}  // namespace dl::fault
