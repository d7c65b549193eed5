// A box between threads: any thread puts values in, its owner takes all of them at once. One
// wake-up for a whole heap, where a post for each value costs an allocation and, often, a system
// call.
//
// Why a mutex: it is held for a move of a value or a swap, never across a call out, and a queue
// without it would need more words than it saves time. Thread rule: put() from any thread, take()
// from the owner's.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

namespace dl {

template <class T>
class Inbox {
 public:
  // True: it was empty, so the owner must be told.
  [[nodiscard]] bool put(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    return values_.size() == 1;
  }

  // All that was put in since the last take, in order. The caller's vector is used again, so that
  // nothing is allocated once both have grown.
  void take(std::vector<T>& into) {
    into.clear();
    const std::lock_guard lock(mutex_);
    into.swap(values_);
  }

 private:
  std::mutex mutex_;
  std::vector<T> values_;
};

}  // namespace dl
