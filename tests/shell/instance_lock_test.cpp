#include "daemon/instance_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <future>

#include "tests/shell/scratch.h"

namespace dl {
namespace {

TEST(InstanceLock, IsOnesAlone) {
  const Scratch scratch;
  const Result<InstanceLock> first = InstanceLock::take(scratch.path("jobs.db"));
  ASSERT_TRUE(first) << first.error().message;
  const Result<InstanceLock> second = InstanceLock::take(scratch.path("jobs.db"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::busy);
}

// dl-ingest, between two transactions: a daemon that starts at that moment is not turned away.
TEST(InstanceLock, WaitsForWhoOnlyLooks) {
  const Scratch scratch;
  const int looker =
      ::open(scratch.path("jobs.db.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0660);
  ASSERT_EQ(::flock(looker, LOCK_SH | LOCK_NB), 0);
  auto taken =
      std::async(std::launch::async, [&] { return InstanceLock::take(scratch.path("jobs.db")); });
  EXPECT_EQ(taken.wait_for(std::chrono::milliseconds{50}), std::future_status::timeout);
  ::close(looker);
  const Result<InstanceLock> lock = taken.get();
  EXPECT_TRUE(lock) << lock.error().message;
}

}  // namespace
}  // namespace dl
