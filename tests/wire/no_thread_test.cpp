// A machine that has no thread left (RLIMIT_NPROC, TasksMax= of the unit). This program has a
// pthread_create of its own, which hands on to the C library's.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <limits>
#include <system_error>

#include "tests/wire/driver.h"

namespace {

std::atomic<int> threads_left{std::numeric_limits<int>::max()};

}  // namespace

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*run)(void*), void* with) {
  if (threads_left.fetch_sub(1) <= 0) return EAGAIN;
  static const auto next =
      reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  return next(thread, attributes, run, with);
}

namespace dl::wire_test {
namespace {

TEST(NoThread, ForOneOfTheHandsIsAnErrorAndEndsTheOthers) {
  for (int enough_for = 0; enough_for < 3; ++enough_for) {
    threads_left = enough_for;
    EXPECT_THROW(WorkerPool(policy_for(80), 3, WireEvents{}), std::system_error)
        << "threads for " << enough_for;
    threads_left = std::numeric_limits<int>::max();
  }
}

}  // namespace
}  // namespace dl::wire_test
