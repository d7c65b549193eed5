#include "daemon/store_thread.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <thread>
#include <utility>

#include "daemon/daemon.h"
#include "storage/database.h"
#include "tests/shell/scratch.h"

namespace dl {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Store> new_store(const Scratch& scratch) {
  auto database = Database::open(scratch.path("jobs.db"), OpenMode::create);
  EXPECT_TRUE(database) << database.error().message;
  auto store = std::make_unique<Store>(std::move(*database), request_format(), StorePolicy{});
  InstanceFacts facts;
  facts.uuid = "test";
  facts.boot_key = "boot";
  EXPECT_TRUE(store->take_over(facts, Clock(1).now()));
  return store;
}

// Its look for other people's commits runs by a timer that cannot be cancelled once it has expired.
TEST(StoreThread, StopsWhileItsLookIsDue) {
  const Scratch scratch;
  std::promise<void> loading, stopping;
  StoreEvents events;
  events.loaded = [&](LoadedWork) {
    loading.set_value();
    stopping.get_future().wait();
    // waits: for several looks' time, so that one is due when this ends, after the stop
    std::this_thread::sleep_for(100ms);
  };
  events.failed = [](Error error, bool) { ADD_FAILURE() << error.message; };
  StoreThread store(new_store(scratch), Clock(1), std::move(events));
  store.load(LoadLimits{});
  loading.get_future().wait();
  std::packaged_task<void()> stop([&] { store.stop(); });
  std::future<void> stopped = stop.get_future();
  stopping.set_value();
  std::thread stopper(std::move(stop));
  if (stopped.wait_for(60s) != std::future_status::ready) {
    std::fprintf(stderr, "the store's thread does not stop\n");
    std::abort();  // nothing could be cleaned up
  }
  stopper.join();
}

}  // namespace
}  // namespace dl
