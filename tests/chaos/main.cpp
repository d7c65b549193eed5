// dl-chaos: worlds of chaos, one after the other on several threads, until enough programs were
// killed.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/chaos/flags.h"
#include "tests/chaos/world.h"
#include "tests/wire/certificates.h"

namespace {

using dl::chaos::Account;
using SteadyClock = std::chrono::steady_clock;

int usage() {
  std::fputs(
      "usage: dl-chaos [--kills N] [--seed S] [--jobs N] [--trace]\n"
      "  --kills N    ends after N kills (200)\n"
      "  --seed S     of the first world; the next ones have S + 1, S + 2, … (by chance)\n"
      "  --jobs N     worlds at once (6)\n"
      "  --trace      how each daemon ended\n",
      stderr);
  return 64;
}

// What all worlds come to. The mutex guards the sums and the order of what is printed.
class Tally {
 public:
  void add(const dl::chaos::Plan& plan, const dl::chaos::Report& report, double seconds) {
    const std::scoped_lock lock(mutex_);
    sum_.kills += report.kills;
    for (const auto& [point, kills] : report.kills_at) sum_.kills_at[point] += kills;
    sum_.aborts += report.aborts;
    sum_.io_ends += report.io_ends;
    sum_.requests += report.requests;
    sum_.entities += report.entities;
    std::printf(
        "world %-10llu %-6s %-4s %4lld entities %5lld requests %4lld kills %3lld aborts %3lld "
        "exits 74  %5.1f s\n",
        static_cast<unsigned long long>(plan.seed), dl::chaos::name_of(plan.account),
        plan.behind_tls ? "TLS" : "", as_long(report.entities), as_long(report.requests),
        as_long(report.kills), as_long(report.aborts), as_long(report.io_ends), seconds);
    for (const std::string& violation : report.violations) {
      ++violations_;
      std::printf("VIOLATION %s\n", violation.c_str());
    }
    std::fflush(stdout);
  }
  int conclude(double seconds) const {
    std::printf("%lld entities, %lld requests, %lld aborts, %lld exits 74, in %.1f s\n",
                as_long(sum_.entities), as_long(sum_.requests), as_long(sum_.aborts),
                as_long(sum_.io_ends), seconds);
    const bool has_killed_everywhere = print_points();
    std::printf("%lld kills, %lld violations\n", as_long(sum_.kills), as_long(violations_));
    return violations_ == 0 && (has_killed_everywhere || sum_.kills < kKillsForAllPoints) ? 0 : 1;
  }

 private:
  // From so many kills on (the rarest have about ten), a point without any is a fault of the plan;
  // with fewer it may be chance.
  static constexpr std::int64_t kKillsForAllPoints = 2'000;
  static constexpr int kColumns = 4;

  // Kills at each point, the rarest first. False: some point of the plan had none.
  bool print_points() const {
    std::vector<std::pair<std::int64_t, std::string>> rows;
    for (const std::string& point : dl::chaos::points_of_plan()) {
      const auto kills = sum_.kills_at.find(point);
      rows.emplace_back(kills == sum_.kills_at.end() ? 0 : kills->second, point);
    }
    const auto outside = sum_.kills_at.find("");
    rows.emplace_back(outside == sum_.kills_at.end() ? 0 : outside->second, "(from outside)");
    std::sort(rows.begin(), rows.end());
    int column = 0;
    for (const auto& [kills, point] : rows) {
      std::printf("%5lld %-24s%s", as_long(kills), point.c_str(),
                  ++column % kColumns == 0 ? "\n" : "");
    }
    if (column % kColumns != 0) std::printf("\n");
    const bool has_none = rows.front().first == 0;
    if (has_none) {
      std::printf("points without a kill; from %lld kills on that is a failure\n",
                  as_long(kKillsForAllPoints));
    }
    return !has_none;
  }

  static long long as_long(std::int64_t n) { return static_cast<long long>(n); }
  std::mutex mutex_;
  dl::chaos::Report sum_;
  std::int64_t violations_ = 0;
};

double seconds_since(SteadyClock::time_point began) {
  return std::chrono::duration<double>(SteadyClock::now() - began).count();
}

void run_worlds(std::atomic<std::uint64_t>& next_seed, dl::chaos::Quota& quota,
                const dl::chaos::Credentials& credentials, bool trace, Tally& tally) {
  while (!quota.is_met()) {
    const std::uint64_t seed = next_seed++;
    const auto account = static_cast<Account>(seed % 3);
    const auto began = SteadyClock::now();
    const dl::chaos::Plan plan = dl::chaos::plan_for(seed, account);
    dl::chaos::World world(plan, quota, credentials, trace);
    const dl::chaos::Report report = world.run();
    tally.add(plan, report, seconds_since(began));
  }
}

}  // namespace

int main(int argc, char** argv) {
  dl::chaos::Flags flags;
  if (!dl::chaos::parse(argc, argv, "--kills", flags)) return usage();
  ::setenv("TMPDIR", "/dev/shm", 0);  // where the programs' output goes
  std::printf("--seed %llu\n", static_cast<unsigned long long>(flags.seed));
  const auto began = SteadyClock::now();
  dl::chaos::Quota quota{.wanted = flags.amount};
  std::atomic<std::uint64_t> next_seed{flags.seed};
  Tally tally;
  const dl::wire_test::Authority authority;
  const dl::chaos::Credentials credentials{.server = authority.server_for("IP:127.0.0.1"),
                                           .ca_file = authority.file()};
  std::vector<std::thread> threads;
  for (int i = 0; i < flags.jobs; ++i)
    threads.emplace_back([&] { run_worlds(next_seed, quota, credentials, flags.trace, tally); });
  for (std::thread& thread : threads) thread.join();
  return tally.conclude(seconds_since(began));
}
