#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>

namespace dl::sim {
namespace {

constexpr std::int64_t kWallStart = 1'790'000'000'000;
constexpr std::int64_t kMillion = 1'000'000;

}  // namespace

World::World(std::uint64_t seed, const Scenario& given, Vfs& machine, Sheet& jobs, Trace trace)
    : dice(seed),
      scenario(given),
      limit(given.limit),
      vfs(machine),
      sheet(jobs),
      dsp(given.dsp, given.limit, jobs.parents(), seed * 31 + 7),
      trace_(trace) {}

// The boot clock drifts; what it shows is not what the DSP's clock shows.
std::int64_t World::boot_clock_at(std::int64_t time) const {
  const std::int64_t up = time - boot_started_;
  return boot_clock_at_start_ + up + up * scenario.drift_ppm / kMillion;
}

Moment World::now() const { return {boot_clock_at(time_), kWallStart + time_ + wall_offset_}; }

std::int64_t World::true_time_of(std::int64_t boot_ms) const {
  const std::int64_t shown = boot_ms - boot_clock_at_start_;
  std::int64_t time = boot_started_ + shown - shown * scenario.drift_ppm / kMillion;
  while (boot_clock_at(time) < boot_ms) ++time;
  return time;
}

void World::reboot() {
  ++boot_;
  boot_started_ = time_;
  boot_clock_at_start_ = -dice.between(0, 4'000);  // it is off for a moment
}

void World::at(std::int64_t time, Pid whose, std::function<void()> act) {
  events_.push({std::max(time, time_), ++order_, whose, std::move(act)});
}

void World::stop_until(Pid whose, std::int64_t time) {
  // no second stop wakes a process
  stopped_until_ = whose == stopped_ ? std::max(stopped_until_, time) : time;
  stopped_ = whose;
}

bool World::step() {
  if (events_.empty()) return false;
  Event event = std::move(const_cast<Event&>(events_.top()));  // its place in the order stays
  events_.pop();
  time_ = std::max(time_, event.at);
  if (event.whose == stopped_ && time_ < stopped_until_) {
    at(stopped_until_, event.whose, std::move(event.act));
    return true;
  }
  if (std::ranges::find(ended_, event.whose.value) != ended_.end()) return true;
  ++steps;
  event.act();
  return true;
}

int World::in_transit(const std::string& own_id) const {
  const auto at = transit_.find(own_id);
  return at == transit_.end() ? 0 : at->second;
}

void World::wrong(const std::string& what) {
  if (is_traced()) say("VIOLATION", what);
  wrongs_.push_back(what);
}

void World::say(const std::string& who, const std::string& what) const {
  if (!is_traced()) return;
  const std::int64_t s = time_ / 1'000;
  std::printf("%3lld:%02lld:%02lld.%03lld  %-10s %s\n", static_cast<long long>(s / 3'600),
              static_cast<long long>(s / 60 % 60), static_cast<long long>(s % 60),
              static_cast<long long>(time_ % 1'000), who.c_str(), what.c_str());
}

}  // namespace dl::sim
