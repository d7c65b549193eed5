// dl-measure-store: what the store's questions cost on a table, without a DSP and without fsync, which costs the
// same at any size: taking over, loading, a lease of 32 and its way back, a parent's success with its children.
// Changes the table (it takes leases), so give it a copy or one of dl-make-table's.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "storage/generation_file.h"
#include "storage/store.h"

namespace dl::bench {
namespace {

constexpr std::size_t kLeaseSize = 32;
constexpr int kRounds = 200;
constexpr std::size_t kParents = 15;
constexpr int kCheckpointPages = 1'000;

std::string target_of(JobKind) { return "/ads"; }
std::string target_of_id(JobKind, std::string_view id) { return "/ads/" + std::string(id) + "/status"; }
std::string body_of(std::string_view payload, const std::vector<std::pair<JobKind, std::string>>&, std::string_view) {
  return std::string(payload);
}

double microseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

template <class T>
T must(Result<T> result, const char* what) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "dl-measure-store: %s: %s\n", what, result.error().message.c_str());
  std::exit(static_cast<int>(result.error().code));
}

class Measurement {
 public:
  explicit Measurement(const std::string& path) {
    auto database = must(Database::open(path, OpenMode::existing), "open");
    database->leave_guards_to_others();
    database->handle().exec("PRAGMA synchronous = OFF");
    store_ = std::make_unique<Store>(std::move(database), RequestFormat{target_of, target_of_id, target_of_id, body_of},
                                     StorePolicy{});
    must(store_->trust_or_hold(must(GenerationFile::open(path), "generation file")), "trust");
  }

  void run() {
    InstanceFacts facts;
    facts.uuid = facts.boot_key = facts.host = facts.machine_id = "bench";
    facts.version = "0";
    std::printf("take_over_us %.0f\n", microseconds([&] { must(store_->take_over(facts, now_), "take over"); }));
    std::vector<double> loads;
    for (int i = 0; i < 5; ++i) loads.push_back(microseconds([&] { work_ = must(store_->load({}, now_), "load"); }));
    std::printf("load_us %.0f\n", median(loads));
    measure_leases();
    measure_promotion();
    must(store_->keep_generation(now_), "generation file");  // or a daemon would not trust the table
  }

 private:
  std::vector<Granted> commit(const WorkBatch& batch) {
    now_.wall_ms += 1;
    now_.boot_ms += 1;
    auto results = must(store_->commit({&batch, 1}, now_), "commit");
    return std::move(results.front().granted);
  }

  static Outcome end_of(const Granted& granted, JobState from, JobEvent event, SlotEnd slot) {
    Outcome outcome;
    outcome.request = granted.request;
    outcome.job = granted.job.id;
    outcome.purpose = granted.purpose;
    outcome.from = from;
    outcome.event = event;
    outcome.slot = slot;
    return outcome;
  }

  void measure_leases() {
    std::vector<double> leases;
    std::vector<double> returns;
    const std::size_t windows = work_.ready.size() / kLeaseSize;
    for (int round = 0; windows > 0 && round < kRounds; ++round) {
      WorkBatch lease;
      const std::size_t first = static_cast<std::size_t>(round) % windows * kLeaseSize;
      for (std::size_t i = 0; i < kLeaseSize; ++i) {
        Permit permit;
        permit.job = work_.ready[first + i].id;
        permit.purpose = Purpose::create;
        lease.permits.push_back(permit);
      }
      std::vector<Granted> granted;
      leases.push_back(microseconds([&] { granted = commit(lease); }));
      if (granted.size() != kLeaseSize) std::fprintf(stderr, "only %zu of 32 were granted\n", granted.size());
      WorkBatch back;
      for (const Granted& each : granted) {
        back.outcomes.push_back(end_of(each, JobState::submitting, JobEvent::given_back, SlotEnd::not_sent));
        back.outcomes.back().resolution = "not_sent";
      }
      returns.push_back(microseconds([&] { commit(back); }));
      must(checked(store_->database().checkpoint_if_longer_than(kCheckpointPages)), "checkpoint");
    }
    std::printf("lease32_us %.0f\nreturn32_us %.0f\n", median(leases), median(returns));
  }

  void measure_promotion() {
    std::vector<double> promotions;
    for (const TimedJob& timed : work_.timed) {
      if (timed.state != JobState::confirming || !timed.job.has_children || promotions.size() == kParents) continue;
      WorkBatch look;
      Permit permit;
      permit.job = timed.job.id;
      permit.purpose = Purpose::status;
      look.permits.push_back(permit);
      const std::vector<Granted> granted = commit(look);
      WorkBatch success;
      for (const Granted& each : granted) {
        success.outcomes.push_back(end_of(each, JobState::confirming, JobEvent::confirmed, SlotEnd::answered));
      }
      promotions.push_back(microseconds([&] { commit(success); }));
    }
    std::printf("promote10_us %.0f\n", median(promotions));
  }

  static Result<int> checked(const Status& status) { return status ? Result<int>(0) : Result<int>(status.error()); }

  std::unique_ptr<Store> store_;
  LoadedWork work_;
  Moment now_{1'000'000, 1'800'000'000'000};
};

}  // namespace
}  // namespace dl::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: dl-measure-store DATABASE (a copy: it takes leases)\n", stderr);
    return 64;
  }
  dl::bench::Measurement(argv[1]).run();
  return 0;
}
