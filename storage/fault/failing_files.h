// Files with faults. Under SQLite's: a layer over the system's own, made the default of the
// process. For files of ours beside them: a question before each write and sync. Where
// DL_FAULT_POINTS is off there is no layer, and the answer is no. Thread rule: the layer is
// installed once, by start(); questions by any thread.
#pragma once

namespace dl::fault {

#ifndef DL_FAULT_POINTS

inline bool fails_write() { return false; }
inline bool fails_sync() { return false; }

#else

enum class FileTrouble { none, eio, enospc };

// What a fault has ordered for the next write, or the next sync, of any file of this process;
// asking takes it away. Kept by fault_point.cpp.
FileTrouble take_trouble_of_write();
FileTrouble take_trouble_of_sync();

// Count as vfs.write and vfs.sync. True: the operation that is due fails, with errno as ordered,
// and is not done.
bool fails_write();
bool fails_sync();

void install_failing_files();

#endif

}  // namespace dl::fault
