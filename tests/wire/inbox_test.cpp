#include "daemon/dsp/inbox.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <semaphore>
#include <thread>

namespace dl {
namespace {

TEST(Inbox, TellsItsOwnerOnceForAWholeHeap) {
  Inbox<std::unique_ptr<int>> inbox;
  EXPECT_TRUE(inbox.put(std::make_unique<int>(1)));
  EXPECT_FALSE(inbox.put(std::make_unique<int>(2)));
  std::vector<std::unique_ptr<int>> taken;
  inbox.take(taken);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(*taken[0], 1);
  EXPECT_EQ(*taken[1], 2);
  EXPECT_TRUE(inbox.put(std::make_unique<int>(3))) << "it was emptied";
  inbox.take(taken);
  ASSERT_EQ(taken.size(), 1U) << "what was taken before is gone";
  EXPECT_EQ(*taken[0], 3);
}

TEST(Inbox, LosesNothingOfManyThreadsAndKeepsTheOrderOfEach) {
  struct Value {
    std::size_t thread = 0;
    int n = 0;
  };
  Inbox<Value> inbox;
  std::counting_semaphore<> told(0);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (int n = 0; n < 1'000; ++n) {
        if (inbox.put({thread, n})) told.release();
      }
    });
  }
  std::array<int, 4> next = {};
  std::vector<Value> taken;
  for (std::size_t seen = 0; seen < 4'000; seen += taken.size()) {
    told.acquire();  // would wait for ever if a heap went untold
    inbox.take(taken);
    for (const Value& value : taken) EXPECT_EQ(value.n, next.at(value.thread)++);
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace dl
