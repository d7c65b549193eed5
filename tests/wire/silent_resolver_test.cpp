// A DNS server that never answers. This program has a getaddrinfo of its own, which hands on to the
// C library's.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <future>
#include <semaphore>
#include <string_view>

#include "tests/wire/driver.h"

namespace {

constexpr std::string_view kSilent = "silent.invalid";
std::binary_semaphore is_asked{0};
std::binary_semaphore may_answer{0};

}  // namespace

extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  if (name != nullptr && name == kSilent) {
    is_asked.release();
    may_answer.acquire();
    return EAI_AGAIN;
  }
  static const auto next =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(name, service, hints, found);
}

namespace dl::wire_test {
namespace {

TEST(SilentResolver, KeepsNobodyFromStopping) {
  WirePolicy policy = policy_for(80);
  policy.endpoint.host = kSilent;
  Driver driver(policy);
  driver.pool().connect(Driver::kFirst);
  is_asked.acquire();
  auto stopped = std::async(std::launch::async, [&] { driver.pool().stop(); });
  EXPECT_EQ(std::future_status::ready, stopped.wait_for(std::chrono::seconds(10)));
  EXPECT_TRUE(driver.pool().awaits_name());
  may_answer.release();
  stopped.wait();
  driver.destroy_pool();
  EXPECT_EQ(0U, driver.events_waiting());
}

TEST(SilentResolver, NobodyIsAwaitedWhereNamesAreAnswered) {
  WirePolicy policy = policy_for(1);
  policy.endpoint.host = "localhost";
  Driver driver(policy);
  driver.connect_failure();
  driver.pool().stop();
  EXPECT_FALSE(driver.pool().awaits_name());
}

}  // namespace
}  // namespace dl::wire_test
