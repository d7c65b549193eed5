// A DSP as a pure model: entities, keys, processing times, and every way of not answering. It is
// also the judge: what it saw is what happened. It keeps no limit, it counts. Thread rule: one
// thread. Time is an argument (milliseconds of the simulation).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/core/dsp.h"
#include "storage/model/rate_spec.h"
#include "tests/sim/dice.h"

namespace dl::sim {

enum class Honours { keys, lookups, nothing };

// Chances are of each request.
struct DspTraits {
  Honours honours = Honours::keys;
  double lost_answer = 0;  // applied, not answered
  double late_apply = 0;   // not answered, applied up to late_ms later
  double refused_429 = 0;
  double error_500 = 0;       // 5xx, applied or not
  double bare_503 = 0;        // applied or not
  double refused_400 = 0;     // not applied
  double refused_408 = 0;     // not applied
  double garbage = 0;         // applied, unreadable answer
  double missing_id = 0;      // applied, readable, without the id
  double creation_fails = 0;  // accepted, and later "failed"
  double never_decides = 0;   // accepted, and "pending" for ever
  // accepted, and looks at it are answered 503 for ever, 401 and 403 until faults end
  double never_looks = 0;
  double no_credentials = 0;     // from now on 401, for some minutes
  std::int64_t late_min_ms = 1;  // of a late one
  std::int64_t late_ms = 110'000;
  std::int64_t lookup_lag_ms = 0;  // a lookup does not see what is younger
  std::int64_t processing_max_ms = 8'000;
  std::int64_t key_lifetime_ms = 9'000'000;  // how long it remembers a key
};

// What comes back over the wire. No reply: no answer ever comes.
struct ModelAnswer {
  std::optional<DspReply> reply;
  std::optional<std::int64_t> applies_at;  // late: the caller calls apply_late() then
};

// Own ids of the parents that a job's body must name.
using Parents = std::map<std::string, std::vector<std::string>, std::less<>>;

class ModelDsp {
 public:
  ModelDsp(DspTraits traits, std::vector<Tier> limit, const Parents& parents, std::uint64_t seed)
      : traits_(traits), limit_(std::move(limit)), parents_(parents), dice_(seed) {}

  // A request arrives and is counted. `calm`: no more faults (the end of a run must be reachable).
  ModelAnswer arrive(const DspRequest& request, std::int64_t now, bool calm);
  void apply_late(const DspRequest& request, std::int64_t now);
  // The daemon has another limit: windows in which nothing was sent under it are not judged by it.
  void judge_by(std::vector<Tier> limit, RequestId after);

  // What an honest person finds there: the id of the entity that exists or may yet.
  std::optional<std::string> find_alive(const std::string& own_id, std::int64_t now) const;
  bool has_succeeded(const std::string& own_id, const std::string& dsp_id, std::int64_t now) const;

  struct Alive {
    std::string own_id;
    std::string dsp_id;
  };
  std::vector<Alive> alive(std::int64_t now) const;
  std::int64_t arrivals() const { return arrivals_; }

  // The judge: broken promises since the last call.
  std::vector<std::string> take_wrongs() { return std::exchange(wrongs_, {}); }

 private:
  struct Entity {
    std::string own_id;  // the caller's: unique in the simulator's sheets
    std::string dsp_id;
    std::int64_t born_at = 0;
    std::int64_t decided_at = 0;
    bool will_fail = false;
    int refuses_looks_with = 0;  // HTTP status; 0: it does not
  };
  struct KeyUse {
    std::int64_t first_at = 0;
    std::string body;
    std::optional<std::size_t> entity;  // nothing: in progress
  };

  void count(RequestId request, std::int64_t now);
  void check_parents(const DspRequest& request, std::int64_t now);
  ModelAnswer post(const DspRequest& request, std::int64_t now, bool faulty);
  ModelAnswer get(const DspRequest& request, std::int64_t now, bool faulty);
  DspReply apply(const DspRequest& request, std::int64_t now, bool faulty);
  std::optional<DspReply> by_key(const DspRequest& request, std::int64_t now);
  DspReply status(const DspRequest& request, std::int64_t now, bool faulty);
  DspReply lookup(const DspRequest& request, std::int64_t now) const;
  bool is_alive(const Entity& entity, std::int64_t now) const {
    return !(entity.will_fail && entity.decided_at <= now);
  }

  DspTraits traits_;
  std::vector<Tier> limit_;
  RequestId limited_after_;                  // the last request under another limit
  std::int64_t limited_at_ = INT64_MIN / 2;  // the last arrival under this one
  const Parents& parents_;
  Dice dice_;
  std::int64_t arrivals_ = 0;
  std::deque<std::int64_t> recent_;  // arrivals, as many as the largest tier allows
  std::int64_t locked_out_until_ = 0;
  std::vector<Entity> entities_;
  std::map<std::string, std::size_t> by_dsp_id_;
  std::multimap<std::string, std::size_t> by_own_id_;
  std::map<std::string, KeyUse> by_key_;  // Idempotency-Key
  std::multimap<std::string, std::size_t> by_external_id_;
  std::vector<std::string> wrongs_;
};

// The value of a string field in a flat JSON body; empty where there is none.
std::string field_of(const std::string& body, const std::string& name);

}  // namespace dl::sim
