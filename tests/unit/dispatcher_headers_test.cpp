// RateLimit headers and long waits, from the answer to what is sent and what is said.
#include <gtest/gtest.h>

#include "tests/unit/brain.h"

namespace dl {
namespace {

using Level = command::Say::Level;

std::vector<JobRef> some_jobs(int n) {
  std::vector<JobRef> jobs;
  for (int i = 1; i <= n; ++i) jobs.push_back(a_job(i));
  return jobs;
}

TEST(DispatcherHeaders, SendsNoMoreThanTheDspSaysIsLeft) {
  DispatcherPolicy policy = brain_policy();
  policy.in_flight_max = 1;
  Brain brain(policy);
  brain.start_with(some_jobs(5));
  DspReply reply = answer(201, {"dsp-1"});
  reply.rate_limit_remaining = "0";
  reply.rate_limit_reset = "25";
  const std::int64_t told_at = brain.now().boot_ms;
  brain.reply(JobId{1}, reply);
  ASSERT_TRUE(brain.batch().account) << "a restart must not knock before";
  EXPECT_EQ(brain.batch().account->gate_boot_ms, told_at + 25'000);
  brain.commit_all();
  brain.connect();
  EXPECT_TRUE(brain.on_the_wire().empty());
  while (brain.on_the_wire().empty() && brain.now().boot_ms < told_at + 60'000) {
    brain.wake();
    brain.connect();
    brain.commit_all();
  }
  EXPECT_EQ(brain.now().boot_ms, told_at + 25'000);
}

TEST(DispatcherHeaders, SaysThatTheDspAsksForAnHourOrMore) {
  for (const char* wait : {"3600", "86400"}) {
    Brain brain(brain_policy());
    brain.start_with({a_job(1)});
    DspReply reply = answer(429);
    reply.retry_after = wait;
    brain.reply(JobId{1}, reply);
    const std::vector<std::string> said = brain.said(Level::warning);
    ASSERT_EQ(said.size(), 2U);
    EXPECT_NE(said.front().find("an hour or longer"), std::string::npos) << said.front();
    EXPECT_NE(said.front().find(wait), std::string::npos);
  }
  Brain brain(brain_policy());
  brain.start_with({a_job(1)});
  DspReply reply = answer(429);
  reply.retry_after = "3599";
  brain.reply(JobId{1}, reply);
  EXPECT_EQ(brain.said(Level::warning).size(), 1U);
}

// Were one slot lost or ended twice, the sixth of a limit of three would not go, or a check would
// fail.
TEST(DispatcherSlots, EveryWayOutEndsASlotOnce) {
  enum class Way {
    answered,
    refused_by_the_dsp,
    silent,
    unsent,
    never_reported,
    refused_by_the_tables
  };
  for (const Way way : {Way::answered, Way::refused_by_the_dsp, Way::silent, Way::unsent,
                        Way::never_reported, Way::refused_by_the_tables}) {
    DispatcherPolicy policy = brain_policy();
    policy.limiter.tiers = {{3, 60'000}};
    policy.limiter.burst = 3;
    policy.in_flight_max = 1;
    Brain brain(policy);
    brain.load(ready_work(some_jobs(12)));
    int sent = 0;
    for (int step = 0; step < 200 && sent < 6; ++step) {
      brain.connect();
      if (way == Way::refused_by_the_tables && !brain.permits_asked().empty() && sent < 5) {
        brain.commit_refusing("not now");
        ++sent;
        if (brain.loads_asked() > 0) brain.load(ready_work(some_jobs(12)));
        continue;
      }
      brain.commit_all();
      if (brain.on_the_wire().empty()) {
        brain.wake();
        continue;
      }
      ++sent;
      const JobId job = brain.on_the_wire().front();
      DspReply unsent;
      unsent.wire = Wire::not_sent;
      switch (way) {
        case Way::answered: brain.reply(job, answer(422)); break;
        case Way::refused_by_the_dsp: brain.reply(job, answer(429)); break;
        case Way::silent: brain.reply(job, silence()); break;
        case Way::unsent: brain.reply(job, unsent); break;
        case Way::never_reported:
          brain.advance(150'000);
          brain.feed(input::Woke{});
          brain.reply(job, answer(201, {"late"}));
          break;
        case Way::refused_by_the_tables: break;
      }
    }
    EXPECT_GE(sent, 6) << "way out " << static_cast<int>(way);
  }
}

}  // namespace
}  // namespace dl
