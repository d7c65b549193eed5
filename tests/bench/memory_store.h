// A stand-in for the tables: the same permits, moves and promotions as storage/store, kept in
// memory, so that the real dispatcher can be driven through a day in a second. It trusts its caller
// (nobody else writes) and knows no lookups and no operators.
// Thread rule: one thread. Time is an argument.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "storage/model/rate_spec.h"
#include "storage/model/work.h"
#include "tests/bench/workload.h"

namespace dl::bench {

class MemoryStore {
 public:
  explicit MemoryStore(const Workload& workload);

  LoadedWork load(const LoadLimits& limits, Moment now) const;
  WorkResult commit(const WorkBatch& batch, Moment now);
  // A new owner after a kill: what was open is unsure and in doubt; the slots are remembered, and
  // what was learned. `late_arrival_ms`: D of the limiter; `slowest`: its tier of the lowest rate.
  Recovery take_over(Moment now, Millis late_arrival_ms, const Tier& slowest);

  // The entity that a request is about.
  int entity_of(RequestId request) const {
    return entity_of_[static_cast<std::size_t>(request.value - 1)];
  }
  std::int64_t succeeded() const { return succeeded_; }
  std::int64_t failed() const { return failed_; }
  std::int64_t jobs() const { return static_cast<std::int64_t>(jobs_.size()); }

 private:
  struct Job {
    JobRef ref;
    JobState state = JobState::blocked;
    bool parent_is_open = false;
    std::vector<int> children;
    int attempt = 1;
    int tries = 0;
    int setbacks = 0;
    int looks = 0;
    bool overdue = false;
    RequestId lease;  // of the request that is out; 0: none
    std::int64_t due_at = 0;
    std::int64_t posted_at = 0;
    std::int64_t looked_at = 0;
  };
  struct Ended {
    SlotEnd slot;
    std::int64_t at;
    bool accepted;
  };

  Job& job(JobId id) { return jobs_[static_cast<std::size_t>(id.value - 1)]; }
  void change(Job& what, JobState to);
  void apply(const Outcome& outcome, WorkResult& result, Moment now);
  void permit(const Permit& permit, WorkResult& result, Moment now);

  std::vector<Job> jobs_;
  std::vector<int> in_order_;  // of work
  std::vector<int> entity_of_;
  std::vector<Ended> ended_;  // by request, once it has ended
  AccountState account_;
  std::map<std::pair<JobKind, int>, ProcessingBin> learned_;
  Totals totals_{};
  std::int64_t succeeded_ = 0;
  std::int64_t failed_ = 0;
};

}  // namespace dl::bench
