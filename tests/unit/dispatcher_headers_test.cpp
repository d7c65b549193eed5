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

}  // namespace
}  // namespace dl
