// Looks after our threads: asks each for a sign of life, now and then, and says "all are alive"
// only when each has given it. A thread that hangs (a deadlock, a disk that stands still) thus ends
// the petting of systemd's watchdog, while a loop that is patient on purpose does not. Pure: it is
// told the time. Thread rule: one thread's.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace dl {

struct WatchedThread {
  std::string who;                     // for people: "the thread that writes the database"
  std::function<void()> ask;           // asks for a sign of life, and returns at once
  std::function<bool()> has_answered;  // since the last ask()
};

class ThreadWatch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct Says {
    std::function<void()> all_alive;
    std::function<void(const std::string&)> silent;     // once a silence, after kSilence
    std::function<void(const std::string&)> all_again;  // after a silence that was said
  };
  static constexpr std::chrono::seconds kSilence{10};

  // Asks `every` so often; a thread that does not answer is not asked again until it has.
  ThreadWatch(std::vector<WatchedThread> threads, std::chrono::milliseconds every, Says says);

  // To be called a few times in each `every`.
  void look(TimePoint now);

 private:
  void hear(TimePoint now);
  std::string who_is_silent() const;

  std::vector<WatchedThread> threads_;
  std::chrono::milliseconds every_;
  Says says_;
  TimePoint ask_at_{};
  TimePoint asked_at_{};
  bool is_asking_ = false;
  bool silence_said_ = false;
};

}  // namespace dl
