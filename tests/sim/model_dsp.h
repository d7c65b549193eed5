// A DSP as a pure model: entities, keys, processing times, a limiter that only counts, and every way of not
// answering. It is the judge: what it saw is what happened.
// Thread rule: one thread. Time is an argument (virtual milliseconds).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "daemon/core/dsp.h"

namespace dl::sim {

enum class Honours { keys, lookups, nothing };

struct DspTraits {
  Honours honours = Honours::keys;
  double lost_request = 0.02;   // never arrives
  double lost_answer = 0.03;    // applied, not answered
  double late_apply = 0.02;     // not answered, applied up to late_ms later
  double refused_429 = 0.02;
  double error_500 = 0.02;      // applied or not, answered 500
  double bare_503 = 0.01;
  double refused_400 = 0.005;
  double garbage = 0.01;        // applied, unreadable answer
  double creation_fails = 0.05;
  std::int64_t late_ms = 50'000;
  std::int64_t processing_min_ms = 500;
  std::int64_t processing_max_ms = 8'000;
};

struct Entity {
  std::string own_id;  // the caller's: unique in the simulator's graphs
  std::string dsp_id;
  std::int64_t decided_at = 0;
  bool will_fail = false;
};

// What comes back over the wire. Nothing: no answer ever comes.
struct ModelAnswer {
  std::optional<DspReply> reply;
  std::optional<std::int64_t> applies_at;  // late: the caller calls apply_late() then
};

class ModelDsp {
 public:
  ModelDsp(DspTraits traits, std::uint64_t seed) : traits_(traits), random_(seed) {}

  // A request arrives and is counted. `calm`: no more faults (the end of a run must be reachable).
  ModelAnswer arrive(const DspRequest& request, std::int64_t now, bool calm);
  void apply_late(const DspRequest& request, std::int64_t now);

  // The judge.
  std::vector<std::string> violations(int limit, std::int64_t window_ms) const;
  std::int64_t arrivals() const { return static_cast<std::int64_t>(arrivals_.size()); }
  std::int64_t alive_entities(std::int64_t now) const;
  bool has_alive(const std::string& own_id, std::int64_t now) const;

 private:
  DspReply create(const DspRequest& request, std::int64_t now, bool calm);
  DspReply status(const DspRequest& request, std::int64_t now) const;
  DspReply lookup(const DspRequest& request) const;
  bool happens(double probability);

  DspTraits traits_;
  std::mt19937_64 random_;
  std::vector<std::int64_t> arrivals_;
  std::vector<Entity> entities_;
  std::map<std::string, std::size_t> by_dsp_id_;
  std::map<std::string, std::string> by_key_;  // idempotency key or external id -> DSP id
  std::vector<std::string> wrongs_;
};

// The value of a string field in a flat JSON body; empty where there is none.
std::string field_of(const std::string& body, const std::string& name);

}  // namespace dl::sim
