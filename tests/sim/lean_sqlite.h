// SQLite for a program of one thread that runs for speed: without mutexes, without counts of its
// memory, and with its blocks from free lists. Nothing of what it computes is changed. Where a
// sanitizer watches, memory stays the sanitizer's. Thread rule: once, before anything uses SQLite,
// in a process that never has a second thread; its children by fork() are free to use SQLite, too.
#pragma once

namespace dl::sim {

void make_sqlite_lean();

}  // namespace dl::sim
