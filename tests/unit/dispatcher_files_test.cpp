// More requests wanted at once than files may be open: as many connections as there can be do the
// work.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

using Level = command::Say::Level;

DispatcherPolicy unlimited(int in_flight) {
  DispatcherPolicy policy = brain_policy();
  policy.limiter.tiers.clear();
  policy.in_flight_max = in_flight;
  return policy;
}

LoadedWork jobs(int n) {
  std::vector<JobRef> ready;
  for (int id = 1; id <= n; ++id) ready.push_back(a_job(id));
  return ready_work(std::move(ready));
}

TEST(DispatcherOpenFiles, LimitTheConnectionsAndDelayNothing) {
  Brain brain(unlimited(64));
  brain.load(jobs(100));
  EXPECT_EQ(brain.connects_asked(), 64);
  brain.connect_only(10);
  brain.commit_all();
  EXPECT_EQ(brain.on_the_wire().size(), 10U);
  EXPECT_EQ(brain.connects_asked(), 0) << "there is no room for more";
  const std::int64_t began = brain.now().boot_ms;
  int answered = 0;
  for (; answered < 50; ++answered) {  // at the same moment: nothing waits for a timer
    brain.reply(brain.on_the_wire().front(), answer(422));
    brain.connect();
    brain.commit_all();
    ASSERT_FALSE(brain.on_the_wire().empty()) << "after " << answered << " answers";
    EXPECT_LE(brain.on_the_wire().size(), 10U);
  }
  EXPECT_GE(brain.on_the_wire().size(), 8U) << "all but what is left alone";
  EXPECT_EQ(brain.now().boot_ms, began);
  EXPECT_EQ(brain.said(Level::warning).size(), 1U) << "said once";
}

TEST(DispatcherOpenFiles, AreAskedForAgainWithinSeconds) {
  Brain brain(unlimited(64));
  brain.load(jobs(100));
  brain.connect_only(10);
  brain.commit_all();
  const std::int64_t began = brain.now().boot_ms;
  while (brain.connects_asked() == 0) brain.wake();
  EXPECT_LE(brain.now().boot_ms - began, 5'000);
  brain.connect();  // there are enough now
  brain.commit_all();
  EXPECT_EQ(brain.on_the_wire().size(), 64U);
}

// Nor do memory and ports of this machine.
TEST(DispatcherOpenFiles, SpendNoAttemptAndAreSaidNowAndThen) {
  for (const ConnectTrouble lack :
       {ConnectTrouble::open_files, ConnectTrouble::memory, ConnectTrouble::ports}) {
    Brain brain(unlimited(4));
    brain.load(jobs(4));
    const std::int64_t began = brain.now().boot_ms;
    int asked = 0;
    while (brain.now().boot_ms - began < 10 * 60'000) {
      if (brain.connects_asked() > 0) ++asked;
      brain.connect_only(0, lack);
      EXPECT_EQ(brain.batches(), 0U) << "nothing was begun, so nothing has an outcome";
      brain.wake();
    }
    EXPECT_GE(asked, 100) << "nothing backs off: the DSP is not to blame";
    EXPECT_GE(brain.said(Level::warning).size(), 9U);
    EXPECT_LE(brain.said(Level::warning).size(), 11U);
    EXPECT_EQ(brain.dispatcher().last_connect_trouble(), "too many open files");
  }
}

TEST(DispatcherOpenFiles, ThatSufficeForNoConnectionEndADrain) {
  DispatcherPolicy policy = unlimited(4);
  policy.lifetime = Lifetime::drain;
  Brain brain(policy);
  const std::int64_t began = brain.now().boot_ms;
  brain.load(jobs(4));
  for (int i = 0; i < 100 && !brain.ending(); ++i) {
    brain.connect_only(0);
    if (!brain.ending()) brain.wake();
  }
  EXPECT_EQ(brain.ending(), Ending::unreachable);
  EXPECT_GE(brain.now().boot_ms - began, policy.unreachable_timeout_ms);
}

// However many connections were begun at once.
TEST(DispatcherUnreachable, BacksOffOnceForAllThatFailTogether) {
  Brain brain(unlimited(64));
  brain.load(jobs(100));
  EXPECT_EQ(brain.connects_asked(), 64);
  const std::int64_t began = brain.now().boot_ms;
  brain.refuse_connections("connection refused");
  while (brain.connects_asked() == 0) brain.wake();
  EXPECT_LE(brain.now().boot_ms - began, 1'000);
}

}  // namespace
}  // namespace dl
