#include "tests/unit/limiter_world.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>

namespace dl {
namespace {

constexpr std::int64_t kStart = 1'000'000;

class World {
 public:
  explicit World(const WorldOptions& options) : options_(options), random_(options.seed) {}

  WorldReport run();

 private:
  enum class End { answered, refused, unsure, not_sent };
  struct Flight {
    std::int64_t ends_at = 0;
    End end = End::answered;
    std::optional<std::int64_t> counted_at;  // by the DSP; nothing: it never arrived
    Ticket ticket;
  };

  Moment now() const { return {time_, time_}; }
  Millis up_to(Millis longest) {
    return std::uniform_int_distribution<Millis>(0, longest)(random_);
  }
  bool happens(double chance) { return std::bernoulli_distribution(chance)(random_); }
  void start();
  void die();
  void send();
  void end(const Flight& flight);
  std::int64_t next_event() const;

  WorldOptions options_;
  std::mt19937_64 random_;
  std::int64_t time_ = kStart;
  std::int64_t dies_at_ = INT64_MAX;
  std::int64_t up_since_ = kStart;
  std::optional<Limiter> limiter_;
  std::vector<Flight> flights_;
  std::vector<std::int64_t> ledger_;  // anchors of ended requests, as the tables hold them
  AccountState account_;
  WorldReport report_;
};

// What recovery finds: every anchor, and what a dead owner left open is given up only now.
void World::start() {
  const std::int64_t given_up = time_ + options_.policy.late_arrival_ms;
  for (const Flight& flight : flights_) {
    ledger_.push_back(given_up);
    if (flight.counted_at) report_.counted_ms.push_back(std::min(*flight.counted_at, given_up));
  }
  flights_.clear();
  std::sort(ledger_.begin(), ledger_.end());
  Recovery recovery;
  recovery.slot_anchors_boot_ms = ledger_;
  recovery.account = account_;
  limiter_.emplace(options_.policy, recovery, now());
  up_since_ = time_;
  if (options_.restart_every_ms > 0) dies_at_ = time_ + 1 + up_to(2 * options_.restart_every_ms);
}

void World::die() {
  ++report_.restarts;
  report_.up_ms += time_ - up_since_;
  time_ += up_to(options_.down_max_ms);
  start();
}

void World::send() {
  const Ticket ticket = limiter_->take(now());
  const std::int64_t there = time_ + up_to(options_.delay_max_ms);
  Flight flight{there + up_to(options_.delay_max_ms), End::answered, there, ticket};
  if (happens(options_.not_sent_chance)) {
    flight.end = End::not_sent;
    flight.counted_at.reset();
  } else if (happens(options_.lost_chance)) {
    flight = {time_ + options_.timeout_ms, End::unsure, std::nullopt, ticket};
    const std::int64_t latest = flight.ends_at + options_.policy.late_arrival_ms;
    if (happens(0.8)) flight.counted_at = there + up_to(latest - there);
  } else if (happens(options_.refused_chance)) {
    flight.end = End::refused;
  }
  flights_.push_back(flight);
}

void World::end(const Flight& flight) {
  if (flight.counted_at) report_.counted_ms.push_back(*flight.counted_at);
  switch (flight.end) {
    case End::not_sent: return limiter_->not_sent();
    case End::unsure:
      limiter_->unsure(now());
      ledger_.push_back(time_ + options_.policy.late_arrival_ms);
      return;
    case End::answered:
    case End::refused: break;
  }
  limiter_->answered(now());
  if (happens(options_.told_chance))
    limiter_->told({{up_to(60), 1 + up_to(30'000)}}, flight.ticket, now());
  ledger_.push_back(time_);
  if (flight.end == End::answered) {
    limiter_->accepted(now());
  } else {
    limiter_->refused(now(), happens(0.5) ? std::optional(up_to(5'000)) : std::nullopt, 0.5);
  }
  account_ = limiter_->state(now());
}

std::int64_t World::next_event() const {
  std::int64_t next = dies_at_;
  for (const Flight& flight : flights_) next = std::min(next, flight.ends_at);
  if (static_cast<int>(flights_.size()) < options_.in_flight_max) {
    if (const auto permit = limiter_->next_permit_at(now())) next = std::min(next, *permit);
  }
  return next;
}

WorldReport World::run() {
  start();
  while (time_ < kStart + options_.lasts_ms) {
    time_ = std::max(time_, next_event());
    limiter_->age(now());
    if (time_ >= dies_at_) {
      die();
      continue;
    }
    for (std::size_t i = 0; i < flights_.size();) {
      if (flights_[i].ends_at > time_) {
        ++i;
        continue;
      }
      const Flight flight = flights_[i];
      flights_.erase(flights_.begin() + static_cast<std::ptrdiff_t>(i));
      end(flight);
    }
    while (static_cast<int>(flights_.size()) < options_.in_flight_max &&
           limiter_->next_permit_at(now()) == time_) {
      send();
    }
  }
  report_.up_ms += time_ - up_since_;
  std::sort(report_.counted_ms.begin(), report_.counted_ms.end());
  return report_;
}

}  // namespace

int WorldReport::fullest_window(Millis window_ms) const {
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t last = 0; last < counted_ms.size(); ++last) {
    while (counted_ms[first] + window_ms <= counted_ms[last]) ++first;
    most = std::max(most, last - first + 1);
  }
  return static_cast<int>(most);
}

WorldReport run_world(const WorldOptions& options) { return World(options).run(); }

}  // namespace dl
