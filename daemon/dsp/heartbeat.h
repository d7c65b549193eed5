// Whether a thread still gets round to its work. The daemon's loop asks; the thread answers from
// among its work, never from a timer that lives for this alone: what answers can also commit and
// send. Thread rule: ask() from one thread; answer(), begin_long_work() and end_long_work() from
// the one that is asked; has_answered() from any.
#pragma once

#include <atomic>
#include <chrono>

namespace dl {

class Heartbeat {
 public:
  // What follows is for the caller to do: hand the thread an answer() to run when its turn comes.
  void ask() { answered_.store(false, std::memory_order_release); }
  void answer() { answered_.store(true, std::memory_order_release); }
  bool has_answered() const {
    return answered_.load(std::memory_order_acquire) ||
           Clock::now().time_since_epoch() < busy_until_.load(std::memory_order_acquire);
  }

  // Known to take long, in one call: for that time its silence counts as an answer.
  void begin_long_work(std::chrono::minutes longest) {
    busy_until_.store((Clock::now() + longest).time_since_epoch(), std::memory_order_release);
  }
  void end_long_work() { busy_until_.store({}, std::memory_order_release); }

 private:
  using Clock = std::chrono::steady_clock;

  std::atomic<bool> answered_{true};
  std::atomic<Clock::duration> busy_until_{};  // since the clock's epoch
};

}  // namespace dl
