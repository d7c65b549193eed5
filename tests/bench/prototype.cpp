#include "tests/bench/prototype.h"

#include <algorithm>
#include <deque>
#include <queue>
#include <tuple>
#include <utility>

namespace dl::bench {
namespace {

constexpr int kWorkers = 3;
constexpr int kPollsMax = 21;
constexpr int kRetriesMax = 3;
constexpr Millis kPollEvery = 2'000;

std::size_t index(auto value) { return static_cast<std::size_t>(value); }

class Prototype {
 public:
  Prototype(const Workload& workload, const SimSettings& settings, Patience patience)
      : workload_(workload),
        patience_(patience),
        round_trip_(settings.round_trip_ms),
        limiter_(settings.limiter, {}, Moment{}),
        creations_(workload.entities.size()),
        done_at_(workload.entities.size()) {
    int first = 0;
    for (const int size : workload.campaign_size) {
      first_of_.push_back(first);
      first += size;
    }
    first_of_.push_back(first);
    const int n = static_cast<int>(workload.campaign_size.size());
    for (int w = 0; w < kWorkers; ++w) {  // thirds, the rest to the last
      const int end = w == kWorkers - 1 ? n : (w + 1) * (n / kWorkers);
      for (int i = w * (n / kWorkers); i < end; ++i) workers_[w].campaigns.push_back(i);
      next_campaign(w);
    }
  }

  PrototypeRun run() {
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      time_ = event.at;
      limiter_.age(now());
      switch (event.what) {
        case What::wants: waiting_.push_back(event.worker); break;
        case What::answer: take_answer(event.worker); break;
        case What::wake: break;
      }
      grant();
    }
    for (const int n : creations_) run_.created_twice += n > 1 ? 1 : 0;
    return std::move(run_);
  }

 private:
  enum class What { answer, wants, wake };
  struct Event {
    Millis at;
    std::int64_t order;
    What what;
    int worker;
    bool operator<(const Event& other) const {
      return std::tie(at, order) > std::tie(other.at, other.order);
    }
  };
  struct Worker {
    std::deque<int> campaigns;  // the front one is in hand
    int entity = 0;
    int polls = -1;  // -1: to be posted
    int retries = 0;
    bool success = false;  // the answer that is on its way
  };

  Moment now() const { return {time_, time_}; }
  void push(Millis at, What what, int worker) { events_.push({at, ++order_, what, worker}); }

  void next_campaign(int w) {
    Worker& worker = workers_[w];
    if (worker.campaigns.empty()) return;
    worker.entity = first_of_[index(worker.campaigns.front())];
    worker.polls = -1;
    push(time_, What::wants, w);
  }

  void grant() {
    while (!waiting_.empty()) {
      const std::optional<std::int64_t> at = limiter_.next_permit_at(now());
      if (!at) return;  // an answer comes first
      if (*at > time_) return push(*at, What::wake, -1);
      limiter_.take(now());
      send(waiting_.front());
      waiting_.pop_front();
    }
  }

  void send(int w) {
    Worker& worker = workers_[w];
    const std::size_t entity = index(worker.entity);
    const Millis arrives = time_ + round_trip_ / 2;
    if (worker.polls < 0) {
      ++creations_[entity];
      done_at_[entity] = arrives + workload_.entities[entity].processing_ms;
      worker.success = false;
    } else {
      worker.success = arrives >= done_at_[entity];
    }
    run_.exchanges.push_back({static_cast<double>(arrives),
                              static_cast<double>(time_ + round_trip_),
                              workload_.entities[entity].campaign, false, worker.success});
    push(time_ + round_trip_, What::answer, w);
  }

  void take_answer(int w) {
    limiter_.answered(now());
    limiter_.accepted(now());
    Worker& worker = workers_[w];
    if (worker.success) return finish_entity(w);
    ++worker.polls;
    if (worker.polls == 0) return push(time_, What::wants, w);
    if (worker.polls < kPollsMax || patience_ == Patience::endless) {
      return push(time_ + kPollEvery, What::wants, w);
    }
    if (worker.retries == kRetriesMax) {
      ++run_.campaigns_lost;
      return leave_campaign(w);
    }
    ++worker.retries;
    worker.entity = first_of_[index(worker.campaigns.front())];
    worker.polls = -1;
    push(time_ + (Millis{1'000} << worker.retries), What::wants, w);
  }

  void finish_entity(int w) {
    Worker& worker = workers_[w];
    worker.polls = -1;
    if (++worker.entity == first_of_[index(worker.campaigns.front() + 1)]) return leave_campaign(w);
    push(time_, What::wants, w);
  }

  void leave_campaign(int w) {
    workers_[w].campaigns.pop_front();
    workers_[w].retries = 0;
    next_campaign(w);
  }

  const Workload& workload_;
  Patience patience_;
  Millis round_trip_;
  Limiter limiter_;
  std::vector<int> creations_;   // by entity
  std::vector<Millis> done_at_;  // of the latest one
  std::vector<int> first_of_;    // by campaign; a campaign's entities stand together, in its order
  Worker workers_[kWorkers];
  std::deque<int> waiting_;  // for a permit, in order of asking
  std::priority_queue<Event> events_;
  Millis time_ = 0;
  std::int64_t order_ = 0;
  PrototypeRun run_;
};

}  // namespace

PrototypeRun simulate_prototype(const Workload& workload, const SimSettings& settings,
                                Patience patience) {
  return Prototype(workload, settings, patience).run();
}

}  // namespace dl::bench
