#include "tests/chaos/plan.h"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <sstream>
#include <string_view>

#include "storage/fault/fault_point.h"
#include "storage/model/result.h"

namespace dl::chaos {
namespace {

using mock::Random;

struct Chance {
  std::string_view what;
  int weight;
  int n_max;  // the fault comes at the 1st to so-manieth time
};

// The weights lean towards the moments around a POST.
constexpr Chance kDaemonPoints[] = {
    {"migrate.step", 1, 3},
    {"start.locked", 2, 1},
    {"start.opened", 2, 1},
    {"takeover.before_commit", 3, 1},
    {"takeover.after_commit", 2, 1},
    {"orphan.in_tx", 1, 1},
    {"net.resolved", 2, 3},
    {"net.connected", 3, 4},
    {"limiter.taken", 4, 7},
    {"limiter.persist", 2, 3},
    {"intent.before_commit", 5, 6},
    {"intent.after_commit", 9, 6},
    {"generation.before_write", 3, 6},
    {"generation.after_write", 3, 6},
    {"send.header", 6, 6},
    {"send.half_body", 6, 6},
    {"send.complete", 8, 6},
    {"recv.first_byte", 5, 6},
    {"recv.headers", 3, 6},
    {"recv.half_body", 9, 1},
    {"recv.complete", 4, 6},
    {"parse.done", 3, 6},
    {"result.before_commit", 7, 5},
    {"result.after_commit", 5, 5},
    {"promote.in_tx", 5, 5},
    {"poll.sent", 3, 4},
    {"poll.answered", 3, 4},
    {"poll.before_commit", 4, 4},
    {"reconcile.sent", 6, 3},
    {"reconcile.answered", 6, 3},
    {"reconcile.before_commit", 6, 3},
    {kAsksToStop, 4, 1},
    {"shutdown.drained", 2, 1},
    {"shutdown.before_commit", 2, 1},
    {"vfs.write", 8, 90},
    {"vfs.sync", 6, 6},
    {"vfs.read", 2, 80},
    {"vfs.map", 1, 1},
};
constexpr Chance kIngestPoints[] = {
    {"ingest.row", 6, 8},
    {"ingest.before_commit", 5, 1},
    {"ingest.after_commit", 5, 1},
    {"publish.before_commit", 4, 1},
    {"publish.after_commit", 4, 1},
    {"orphan.in_tx", 3, 1},
    {"migrate.step", 1, 3},
    {"vfs.write", 6, 120},
    {"vfs.sync", 4, 4},
};
constexpr int kMigrationsMax = 5;  // of a new database, into which one of them the death comes
constexpr std::string_view kOfCheckpoint[] = {"checkpoint.before", "checkpoint.after"};
constexpr std::string_view kOfTls = "net.tls_done";
// No world of chaos comes there.
constexpr std::string_view kElsewhere[] = {
    // nothing here is old enough: tests/chaos/archive_kill_test.cpp
    "archive.copied",
    "archive.moved",
    // no moments but lacks, n by n: tests/chaos/out_of_memory_test.cpp
    "alloc.sqlite",
    "alloc.new",
};

constexpr bool stands_in(std::string_view name, const auto& table) {
  return std::ranges::any_of(table, [name](const auto& entry) {
    if constexpr (requires { entry.what; })
      return entry.what == name;
    else
      return entry == name;
  });
}
static_assert(std::ranges::all_of(fault::kNames,
                                  [](std::string_view name) {
                                    return name == kOfTls || stands_in(name, kDaemonPoints) ||
                                           stands_in(name, kIngestPoints) ||
                                           stands_in(name, kOfCheckpoint) ||
                                           stands_in(name, kElsewhere);
                                  }),
              "a fault point at which nothing here dies belongs into kElsewhere, with the test "
              "that comes there");

constexpr Chance kActions[] = {
    {"kill", 80, 0},  {"abort", 6, 0},  {"eio", 4, 0},
    {"enospc", 4, 0}, {"nosync", 3, 0}, {"delay=20ms", 3, 0},
};

template <std::size_t n>
const Chance& draw(const Chance (&table)[n], Random& random) {
  int sum = 0;
  for (const Chance& chance : table) sum += chance.weight;
  int at = static_cast<int>(random.below(static_cast<std::uint64_t>(sum)));
  for (const Chance& chance : table) {
    if (at < chance.weight) return chance;
    at -= chance.weight;
  }
  return table[n - 1];
}

int between(Random& random, int least, int most) {
  return least + static_cast<int>(random.below(static_cast<std::uint64_t>(most - least + 1)));
}

bool one_in(Random& random, int n) { return random.below(static_cast<std::uint64_t>(n)) == 0; }

template <std::size_t n>
std::string draw_fault(const Chance (&points)[n], Random& random) {
  const Chance& point = draw(points, random);
  const std::string nth = std::to_string(between(random, 1, point.n_max));
  return std::string(point.what) + ":" + nth + ":" + std::string(draw(kActions, random).what);
}

// What goes wrong at the DSP: every way of not knowing, in turns more and less often.
std::string faults_of_the_dsp(Random& random) {
  std::string faults =
      "post.no_id:0.01,post.no_id_applied:0.01,post.late_apply:0.03:5s,fail_status:0.02";
  for (const std::string_view fault :
       {"lost_answer", "lost_request", "reset", "reset_applied", "garbage", "cut_body", "bad_json",
        "500", "500_applied", "502_applied", "503"}) {
    const int per_mille = one_in(random, 3) ? 30 : 8;
    faults +=
        "," + std::string(fault) + ":0.0" + (per_mille < 10 ? "0" : "") + std::to_string(per_mille);
  }
  faults += ",429:0.01:1s,503:0.005:2s,slow:0.15:2s,hang:0.01:8s,hang_applied:0.01:8s";
  return faults;
}

}  // namespace

const char* name_of(Account account) {
  switch (account) {
    case Account::keys: return "keys";
    case Account::lookup: return "lookup";
    case Account::hold: return "hold";
  }
  return "";
}

Plan plan_for(std::uint64_t seed, Account account) {
  Random random(seed);
  Plan plan;
  plan.seed = seed;
  plan.account = account;
  plan.behind_tls = seed % 8 == 0;
  plan.on_disk = one_in(random, 4);
  plan.has_standby = one_in(random, 4);
  plan.has_meddler = one_in(random, 4);
  plan.deaths_max = between(random, 60, 140);
  constexpr std::string_view kLimits[] = {"60/10s", "100/10s", "30/2s,200/20s", "none"};
  plan.limit = kLimits[random.below(std::size(kLimits))];
  const int sheets = between(random, 2, 3);
  for (int i = 0; i < sheets; ++i) {
    const bool is_flat = account == Account::hold || one_in(random, 3);
    plan.sheets.push_back(
        is_flat ? Sheet{between(random, 5, 12), 1, 2}
                : Sheet{between(random, 1, 3), between(random, 1, 3), between(random, 2, 6)});
  }
  plan.mock_flags = {"--faults",      faults_of_the_dsp(random),
                     "--seed",        std::to_string(seed),
                     "--processing",  one_in(random, 2) ? "zero" : "uniform:500ms:3s",
                     "--idempotency", account == Account::keys ? "on" : "off",
                     "--lookup",      account == Account::lookup ? "on" : "off",
                     "--limit",       one_in(random, 2) ? plan.limit : "none"};
  const std::string_view outcome = account == Account::keys ? "resubmit" : name_of(account);
  plan.daemon_flags = {"--drain",
                       "--rate-limit",
                       plan.limit,
                       "--in-flight",
                       std::to_string(between(random, 1, 6)),
                       "--workers",
                       std::to_string(between(random, 1, 3)),
                       "--connections-per-worker",
                       std::to_string(between(random, 1, 2)),
                       "--unknown-outcome",
                       std::string(outcome),
                       "--settle",
                       "60s",
                       "--late-arrival",
                       "50s",
                       "--max-retries",
                       "60",
                       "--log-level",
                       "warning"};
  return plan;
}

std::string draw_daemon_fault(const Plan& plan, Random& random) {
  std::string fault = draw_fault(kDaemonPoints, random);
  if (plan.behind_tls && one_in(random, 4))
    fault = std::string(kOfTls) + ":" + std::to_string(between(random, 1, 4)) + ":kill";
  if (one_in(random, 10)) {
    const std::string nth = std::to_string(between(random, 1, 6));
    fault += ",intent.after_commit:" + nth + (one_in(random, 2) ? ":step=1h" : ":step=-1h");
  }
  // These are seldom reached: the log has to be long, a loader dead, the database new. So most who
  // come there die.
  fault += ",orphan.in_tx:1:kill";
  if (one_in(random, 2))
    fault += ",migrate.step:" + std::to_string(between(random, 1, kMigrationsMax)) + ":kill";
  if (one_in(random, 2))
    fault += std::string(",") + std::string(kOfCheckpoint[random.below(std::size(kOfCheckpoint))]) +
             ":1:kill";
  return fault + ",intent.after_commit:" + std::to_string(between(random, 7, 14)) + ":kill";
}

std::string draw_ingest_fault(Random& random, bool is_first) {
  if (is_first && one_in(random, 4))
    return "migrate.step:" + std::to_string(between(random, 1, kMigrationsMax)) + ":kill";
  return draw_fault(kIngestPoints, random);
}

std::string draw_daemon_delay(Random& random) {
  return one_in(random, 2) ? "shutdown.drained:1:delay=300ms" : "";
}

std::string draw_ingest_delay(Random& random) {
  if (one_in(random, 2)) return "";
  return "ingest.after_commit:1:delay=" + std::to_string(between(random, 1, 2'000)) + "ms";
}

std::set<std::string> points_of_plan() {
  std::set<std::string> points(std::begin(fault::kNames), std::end(fault::kNames));
  for (const std::string_view elsewhere : kElsewhere) points.erase(std::string(elsewhere));
  return points;
}

std::string killer_of(const std::string& trace, const std::string& fault) {
  constexpr std::string_view kFaultAt = "fault at ";
  const std::size_t at = trace.rfind(kFaultAt);
  if (at == std::string::npos) return "";
  const std::string point =
      trace.substr(at + kFaultAt.size(), trace.find('\n', at) - at - kFaultAt.size());
  std::istringstream items(fault);
  for (std::string item; std::getline(items, item, ',');) {
    if (item.starts_with(point + ":") && item.ends_with(":kill")) return point;
  }
  return "";
}

bool explains(const std::string& fault, int exit_code) {
  const auto orders = [&](std::string_view action) {
    return fault.find(action) != std::string::npos;
  };
  if (exit_code == 128 + SIGKILL) return orders(":kill");
  if (exit_code == 128 + SIGABRT) return orders(":abort");
  if (exit_code == static_cast<int>(Errc::io))
    return orders(":eio") || orders(":enospc") || orders(":nosync");
  return false;
}

}  // namespace dl::chaos
