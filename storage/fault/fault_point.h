// Named moments at which a test makes our programs fail, by the environment of the program:
//
//   DL_FAULT = ITEM,ITEM,…     ITEM = name[:n[+]]:action     (n: at the n-th time, 1; n+: and ever
//   after) DL_FAULT=intent.after_commit:3:kill       DL_FAULT=vfs.sync:7:eio,trace:/tmp/reached
//
//   kill, abort      SIGKILL or SIGABRT to ourselves
//   eio, enospc      the file operation fails so; at a moment that is none, the next write does
//   nosync           the next sync fails
//   nomem            the allocation fails; at alloc.sqlite and alloc.new alone
//   delay=50ms       this thread stands still
//   step=1h          the wall clock jumps (step=-1h: back), for this process alone
//   alloc_from:NAME  is no fault: allocations count once NAME was reached (else from the start)
//   trace:FILE       is no fault: names go to the end of FILE, a line each, when they are first
//   reached
//                    ("send.header") and when a fault is due ("fault at send.header")
//
// Compiled in only where CMake's DL_FAULT_POINTS is on. Else every macro here is nothing, and the
// programs hold none of it (tests/e2e/product_test.cpp). A name that the table lacks does not
// compile. Thread rule: any thread; start() once, by main, before SQLite is used.
#pragma once

#ifndef DL_FAULT_POINTS

#define DL_FAULT_START() static_cast<void>(0)
#define DL_FAULT_POINT(name) static_cast<void>(0)
#define DL_FAULT_POINT_IF(name, ...) static_cast<void>(0)
#define DL_FAULT_POINT_AFTER(name, ...) static_cast<void>(0)
#define DL_FAULT_WALL_STEP_MS() 0.0

#else

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace dl::fault {

// The lease and the intent of a request are one transaction here, so intent.* stands for both.
inline constexpr std::string_view kNames[] = {
    "ingest.row",                                   // a row of the sheet is about to be placed
    "ingest.before_commit", "ingest.after_commit",  // of a part of the sheet
    // the sheet becomes visible: acknowledged after it
    "publish.before_commit", "publish.after_commit",
    "orphan.in_tx",    // what a dead loader left is being removed
    "archive.copied",  // into the archive, not yet removed here
    "archive.moved",   // and removed
    "migrate.step",    // a migration was applied, not yet committed
    "start.locked", "start.opened", "takeover.before_commit", "takeover.after_commit",
    "net.resolved", "net.connected", "net.tls_done",
    "limiter.taken",    // a permit is written, not yet committed
    "limiter.persist",  // so is what the limiter has learnt
    "intent.before_commit", "intent.after_commit",
    // of the file beside the database, before permits leave
    "generation.before_write", "generation.after_write", "send.header", "send.half_body",
    "send.complete",    // the first two without TLS only
    "recv.first_byte",  // bytes have come, and are not yet looked at
    "recv.headers", "recv.half_body", "recv.complete", "parse.done", "result.before_commit",
    "result.after_commit",  // of a creation's first request
    "promote.in_tx",        // children are ready, not yet committed
    "poll.sent", "poll.answered", "poll.before_commit", "reconcile.sent", "reconcile.answered",
    "reconcile.before_commit",  // resubmissions and lookups
    "checkpoint.before", "checkpoint.after", "shutdown.signal", "shutdown.drained",
    "shutdown.before_commit",
    // SQLite's file operations; write and sync: of the generation file, too; map: of the -shm
    "vfs.read", "vfs.write", "vfs.sync", "vfs.map", "alloc.sqlite",
    "alloc.new",  // memory, for SQLite and for everybody else
};

class Point {
 public:
  consteval Point(const char* name) : index_(index_of(name)) {}
  std::size_t index() const { return index_; }

 private:
  static consteval std::size_t index_of(std::string_view name) {
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      if (kNames[i] == name) return i;
    }
    throw "the table lacks this name";
  }
  std::size_t index_;
};

struct Fault;

// Reads DL_FAULT (a mistake in it ends the process: 64) and puts the failing files and memory under
// SQLite.
void start();
// Counts. A fault that is due here and now, to be carried out by perform(); or nullptr.
const Fault* due(Point point);
void perform(const Fault& fault);
inline void reach(Point point) {
  if (const Fault* const fault = due(point)) perform(*fault);
}
// Counts, unless it is the fault points themselves that allocate. True: this one fails.
bool fails_allocation(Point point);
double wall_step_ms();

}  // namespace dl::fault

#define DL_FAULT_START() ::dl::fault::start()
#define DL_FAULT_POINT(name) ::dl::fault::reach(name)
#define DL_FAULT_POINT_IF(name, ...)           \
  do {                                         \
    if (__VA_ARGS__) ::dl::fault::reach(name); \
  } while (false)
   // What makes this moment special is done first, and only where a fault is due.
#define DL_FAULT_POINT_AFTER(name, ...)                      \
  do {                                                       \
    if (const auto* const fault_ = ::dl::fault::due(name)) { \
      __VA_ARGS__;                                           \
      ::dl::fault::perform(*fault_);                         \
    }                                                        \
  } while (false)
#define DL_FAULT_WALL_STEP_MS() ::dl::fault::wall_step_ms()

#endif
