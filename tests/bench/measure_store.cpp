// dl-measure-store: what the store's questions cost on a table, without a DSP and without fsync,
// which costs the same at any size: taking over, loading, a lease of 32 and its way back, a
// parent's success with its children. Changes the tables (it takes leases), so give it copies or
// dl-make-table's. Each job is leased once, because an earlier lease makes the next one read more.
// So of a small table, which has few, it takes several fresh copies; the medians are of all tables
// together. Each table's first lease is not counted: it finds no page in memory.
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
constexpr std::size_t kWindows = 200;  // of a table, at most
constexpr std::size_t kParents = 15;
constexpr int kCheckpointPages = 1'000;

std::string target_of(JobKind) { return "/ads"; }
std::string target_of_id(JobKind, std::string_view id) {
  return "/ads/" + std::string(id) + "/status";
}
std::string body_of(std::string_view payload, const std::vector<std::pair<JobKind, std::string>>&,
                    std::string_view) {
  return std::string(payload);
}

double microseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin)
      .count();
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

// Microseconds.
struct Samples {
  std::vector<double> take_over;
  std::vector<double> load;
  std::vector<double> lease;
  std::vector<double> give_back;
  std::vector<double> promote;
};

class Measurement {
 public:
  Measurement(const std::string& path, Samples& samples) : samples_(samples) {
    auto database = must(Database::open(path, OpenMode::existing), "open");
    database->leave_guards_to_others();
    database->handle().exec("PRAGMA synchronous = OFF");
    store_ = std::make_unique<Store>(std::move(database),
                                     RequestFormat{target_of, target_of_id, target_of_id, body_of},
                                     StorePolicy{});
    must(store_->trust_or_hold(must(GenerationFile::open(path), "generation file")), "trust");
  }

  void run() {
    InstanceFacts facts;
    facts.uuid = facts.boot_key = facts.host = facts.machine_id = "bench";
    facts.version = "0";
    samples_.take_over.push_back(
        microseconds([&] { must(store_->take_over(facts, now_), "take over"); }));
    for (int i = 0; i < 5; ++i) {
      samples_.load.push_back(microseconds([&] { work_ = must(store_->load({}, now_), "load"); }));
    }
    measure_leases();
    measure_promotion();
    // or a daemon would not trust the table
    must(store_->keep_generation(now_), "generation file");
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
    const std::size_t windows = std::min(work_.ready.size() / kLeaseSize, kWindows);
    if (windows < 2) std::fputs("too few ready jobs for a lease that counts\n", stderr);
    for (std::size_t window = 0; window < windows; ++window) {
      WorkBatch lease;
      for (std::size_t i = 0; i < kLeaseSize; ++i) {
        Permit permit;
        permit.job = work_.ready[window * kLeaseSize + i].id;
        permit.purpose = Purpose::create;
        lease.permits.push_back(permit);
      }
      std::vector<Granted> granted;
      const double lease_us = microseconds([&] { granted = commit(lease); });
      if (granted.size() != kLeaseSize)
        std::fprintf(stderr, "only %zu of 32 were granted\n", granted.size());
      WorkBatch back;
      for (const Granted& each : granted) {
        back.outcomes.push_back(
            end_of(each, JobState::submitting, JobEvent::given_back, SlotEnd::not_sent));
        back.outcomes.back().resolution = "not_sent";
      }
      const double back_us = microseconds([&] { commit(back); });
      if (window > 0) {
        samples_.lease.push_back(lease_us);
        samples_.give_back.push_back(back_us);
      }
      must(checked(store_->database().checkpoint_if_longer_than(kCheckpointPages)), "checkpoint");
    }
  }

  void measure_promotion() {
    std::size_t parents = 0;
    for (const TimedJob& timed : work_.timed) {
      if (timed.state != JobState::confirming || !timed.job.has_children || parents == kParents)
        continue;
      ++parents;
      WorkBatch look;
      Permit permit;
      permit.job = timed.job.id;
      permit.purpose = Purpose::status;
      look.permits.push_back(permit);
      const std::vector<Granted> granted = commit(look);
      WorkBatch success;
      for (const Granted& each : granted) {
        success.outcomes.push_back(
            end_of(each, JobState::confirming, JobEvent::confirmed, SlotEnd::answered));
      }
      samples_.promote.push_back(microseconds([&] { commit(success); }));
    }
  }

  static Result<int> checked(const Status& status) {
    return status ? Result<int>(0) : Result<int>(status.error());
  }

  Samples& samples_;
  std::unique_ptr<Store> store_;
  LoadedWork work_;
  Moment now_{1'000'000, 1'800'000'000'000};
};

}  // namespace
}  // namespace dl::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: dl-measure-store DATABASE... (copies: it takes leases)\n", stderr);
    return 64;
  }
  dl::bench::Samples samples;
  for (int i = 1; i < argc; ++i) dl::bench::Measurement(argv[i], samples).run();
  const auto print = [](const char* what, const std::vector<double>& values) {
    std::printf("%s_us %.0f (n=%zu)\n", what, dl::bench::median(values), values.size());
  };
  print("take_over", samples.take_over);
  print("load", samples.load);
  print("lease32", samples.lease);
  print("return32", samples.give_back);
  print("promote10", samples.promote);
  return 0;
}
