#include "daemon/thread_watch.h"

#include <utility>

namespace dl {
namespace {

std::string seconds_of(std::chrono::steady_clock::duration span) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(span).count()) + " s";
}

}  // namespace

ThreadWatch::ThreadWatch(std::vector<WatchedThread> threads, std::chrono::milliseconds every,
                         Says says)
    : threads_(std::move(threads)), every_(every), says_(std::move(says)) {}

void ThreadWatch::look(TimePoint now) {
  if (is_asking_) hear(now);
  if (is_asking_ || now < ask_at_) return;
  for (const WatchedThread& thread : threads_) thread.ask();
  is_asking_ = true;
  asked_at_ = now;
  ask_at_ = now + every_;
}

void ThreadWatch::hear(TimePoint now) {
  const std::string silent = who_is_silent();
  if (silent.empty()) {
    is_asking_ = false;
    if (std::exchange(silence_said_, false))
      says_.all_again("all threads are at work again, after " + seconds_of(now - asked_at_));
    says_.all_alive();
  } else if (now - asked_at_ >= kSilence && !std::exchange(silence_said_, true)) {
    says_.silent(silent + " has not come back for " + seconds_of(now - asked_at_));
  }
}

std::string ThreadWatch::who_is_silent() const {
  for (const WatchedThread& thread : threads_) {
    if (!thread.has_answered()) return thread.who;
  }
  return "";
}

}  // namespace dl
