// Whether a thread still gets round to its work. The daemon's loop asks; the thread answers from among its work, never
// from a timer that lives for this alone: what answers can also commit and send.
// Thread rule: ask() from one thread, answer() from the one that is asked, has_answered() from any.
#pragma once

#include <atomic>

namespace dl {

class Heartbeat {
 public:
  // What follows is for the caller to do: hand the thread an answer() to run when its turn comes.
  void ask() { answered_.store(false, std::memory_order_release); }
  void answer() { answered_.store(true, std::memory_order_release); }
  bool has_answered() const { return answered_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> answered_{true};
};

}  // namespace dl
