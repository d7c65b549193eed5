// The limit as the DSP counts it, over what happens to processes: restarts, stops, refusals. The
// mock of these tests has no limit of its own, so that it takes down whatever is sent.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

using std::chrono::milliseconds;

TEST(Limiter, RemembersAcrossRestarts) {
  const char* const limit = "20/30s";
  const Site site;
  site.load_sheet(shape(4, 2, 4));
  for (std::size_t sent = 20; sent <= 60; sent += 20) {  // each time with the window used up
    Process daemon(site.daemon({"--rate-limit", limit}));
    eventually("the limit is used", [&] { return site.ledger().size() >= sent; });
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  }
  EXPECT_GT(site.unfinished(), 0);
  const Finish rest = site.drain({"--rate-limit", limit});
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  site.expect_promises_kept(limit, entities(4, 2, 4));
}

TEST(Limiter, HoldsEveryTier) {
  const char* const limit = "10/10s,40/60s";
  const Site site;
  site.load_sheet(shape(4, 2, 3));
  const Finish drain = site.drain({"--rate-limit", limit});
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  site.expect_promises_kept(limit, entities(4, 2, 3));
}

TEST(Limiter, HoldsWhenTheProcessIsStoppedForWindows) {
  const char* const limit = "20/10s";
  const Site site({"--faults", "slow:0.3:3s"});
  site.load_sheet(shape(4, 4, 4));
  Process daemon(site.daemon({"--rate-limit", limit, "--drain"}));
  for (std::size_t sent = 15; sent < 120; sent += 25) {
    eventually("it goes on", [&] { return site.ledger().size() >= sent; });
    daemon.signal(SIGSTOP);
    EXPECT_FALSE(daemon.ends_within(milliseconds{4 * 10'000 / kScale}));  // four windows
    daemon.signal(SIGCONT);
  }
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  site.expect_promises_kept(limit, entities(4, 4, 4));
}

// The daemon's wall clock alone is stepped, an hour of its own time forth and back and forth again;
// the boot clock, by which it counts, is left as it is.
TEST(Limiter, HoldsWhenTheWallClockIsStepped) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "libfaketime hangs a program that a sanitizer has instrumented";
#endif
  const char* const limit = "20/10s";
  const Finish found = run(Launch{.program = "find",
                                  .arguments = {"/usr/lib", "-name", "libfaketime.so.1"},
                                  .environment = {},
                                  .errors_to = ErrorsTo::file});
  if (found.out.empty()) GTEST_SKIP() << "libfaketime (Debian: faketime) is not installed";
  const Site site;
  site.load_sheet(shape(4, 4, 4));
  const auto step_to = [&site](int hours) {
    std::ofstream(site.file("step.new")) << std::showpos << hours * 3'600 / kScale << "\n";
    std::filesystem::rename(site.file("step.new"), site.file("step"));
  };
  step_to(0);
  Launch stepped = site.daemon({"--rate-limit", limit, "--drain"});
  stepped.environment.insert({{"LD_PRELOAD", found.out.substr(0, found.out.find('\n'))},
                              {"FAKETIME_TIMESTAMP_FILE", site.file("step")},
                              {"FAKETIME_NO_CACHE", "1"},
                              {"FAKETIME_DONT_FAKE_MONOTONIC", "1"},
                              {"DONT_FAKE_MONOTONIC", "1"}});
  Process daemon(stepped);
  std::size_t sent = 0;
  for (const int hours : {1, -1, 0, 1, -1}) {
    sent += 25;
    eventually("it goes on", [&] { return site.ledger().size() >= sent; });
    step_to(hours);
  }
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  EXPECT_GE(site.number("SELECT count(*) FROM (SELECT sent_at - lag(sent_at) OVER (ORDER BY id) "
                        "AS step FROM request) WHERE abs(step) > 3000000"),
            4)
      << "the clock was not stepped, so nothing was put to the test";
  site.expect_promises_kept(limit, entities(4, 4, 4));
}

double arrival_ms(const Row& line) { return std::stod(line.at("arrival_scaled_ms")); }

// The fifth request is refused and asks for two minutes of quiet.
TEST(Limiter, WaitsAsLongAsRetryAfterAsksAlsoAfterAKill) {
  const Site site({"--faults", "429:@5:120s"});
  site.load_sheet(shape(2, 2, 3));
  const Flags flags = {"--rate-limit",      "60/60s",  "--in-flight", "1",
                       "--unknown-outcome", "resubmit"};
  Process daemon(site.daemon(flags));
  eventually("the account waits", [&] {
    return site.number("SELECT count(*) FROM account WHERE gate_at IS NOT NULL") == 1;
  });
  EXPECT_EQ(site.ledger().size(), 5U);
  daemon.signal(SIGKILL);
  daemon.wait();
  const Finish rest = site.drain(flags);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  const std::vector<Row> requests = site.ledger();
  ASSERT_GT(requests.size(), 6U);
  EXPECT_EQ(requests[4].at("status"), "429");
  EXPECT_GE(arrival_ms(requests[5]) - arrival_ms(requests[4]), 120'000.0);
  EXPECT_EQ(site.number("SELECT sum(tries) FROM job"), 0) << "a refusal spends no attempt";
  site.expect_promises_kept("60/60s", entities(2, 2, 3));
}

// The server allows less than it was said to: it refuses, and nothing is lost or sent twice.
TEST(Limiter, GetsByWithAServerThatAllowsLess) {
  const Site site({"--limit", "15/10s"});
  site.load_sheet(shape(4, 2, 4));
  const Finish drain = site.drain({"--rate-limit", "20/10s"});
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  EXPECT_GT(site.number("SELECT count(*) FROM request WHERE http_status = 429"), 0);
  site.expect_promises_kept("20/10s", entities(4, 2, 4));
}

}  // namespace
}  // namespace dl::e2e
