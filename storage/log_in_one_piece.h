// A layer over SQLite's files (a VFS shim) that writes what a transaction adds to the write-ahead
// log in one piece. SQLite 3.40 makes two pwrite(2) of each page of a commit, 24 bytes and 4096, 15
// pages where 3 requests are in flight; with one call for all of them a tenth more entities are
// sent a second there.
//
// What it changes is when bytes reach the kernel, never their order, and never anything that
// somebody can see:
//  * What is held back is written with the last page of a commit, and before the log is synced,
//  read, measured or cut. So
//    every other process finds the log as if each write had gone at once, also where a commit is
//    not synced (the invisible part of an ingest).
//  * It is dropped when the writer's lock is given back with something still held: that transaction
//  was rolled back. Held
//    any longer it would be written over the next writer's frames.
//  * An error of the one write is that of a write, a sync or a read of the same transaction: SQLite
//  rolls it back.
//  * What a power cut leaves of one long write is what it may leave of many short ones before their
//  sync.
// A load asks for the same with what its checkpoints copy (checkpoint_in_pieces()): neighbouring
// pages of the database go in one write instead of one each. What is held is written before the
// checkpoint's end, its sync, a read or a cut.
//
// Its idea and its place are those of SQLite's own shims (ext/misc/appendvfs.c,
// src/test_vfstrace.c).
//
// Thread rule: log_in_one_piece() from any thread; then as the layer below.
#pragma once

struct sqlite3;

namespace dl {

// The name of the layer over the VFS called `under` (nullptr: the default of the process),
// registered at the first call for each. The layer below must be there until the process ends.
// nullptr: there is no such layer below.
const char* log_in_one_piece(const char* under);

// Whether checkpoints by this connection write neighbouring pages in one piece; at first they do
// not. Nothing where the connection's files are not of such a layer. SQLite does not ask whether
// the last piece could be written before it tells everybody that it was: where the disk refuses it
// the process ends, with a word on standard error and exit code 74. For programs that do nothing
// else meanwhile.
void checkpoint_in_pieces(sqlite3* db, bool on);

}  // namespace dl
