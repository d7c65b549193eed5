// What the mock does wrong on purpose: the parsed form of --faults and the draws from it.
//
//   SPEC  = ITEM,ITEM,…        ITEM = [post.|get.]NAME:WHEN[:DURATION]
//   WHEN  = a probability from 0 to 1, or @N: exactly the N-th request that the item could hit
//
// See kFaultHelp for the names. At most one item hits a request, besides fail_status and refuse,
// which are drawn apart. The draws follow from the seed and the order of arrival; refuse follows
// from the seed and the entity's id alone. Durations are on the mock's clock. Pure. Thread rule:
// one owner.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/model/moment.h"
#include "storage/model/result.h"
#include "tests/mock_dsp/random.h"

namespace dl::mock {

inline constexpr std::string_view kFaultHelp =
    R"(  NNN:P[:D]           status NNN (300 to 599), not applied; D: Retry-After (429: 1s)
  NNN_applied:P[:D]   the same, but the request was applied first
  lost_answer:P       applied, connection closed without an answer
  lost_request:P      not applied, connection closed without an answer
  late_apply:P:D      POST: connection closed at once, applied after D; till then its key meets 409
  slow:P:D            applied at once, answered after D
  hang:P:D            not applied, closed without an answer after D; hang_applied: applied at once
  reset:P             not applied, connection reset (RST); reset_applied: applied first
  garbage:P           applied, answered with bytes that are not HTTP
  cut_body:P          applied, answer cut in the middle of its body
  bad_json:P          applied, answered with a body that is not JSON
  no_id:P             POST: 201 without an id, nothing created; no_id_applied: created
  fail_status:P       POST: the entity's status will be failed
  refuse[_NNN]:P      POST: this entity is refused each time it is tried, with NNN (400))";

enum class FaultKind {
  status,
  lost_answer,
  lost_request,
  late_apply,
  slow,
  hang,
  reset,
  garbage,
  cut_body,
  bad_json,
  no_id,
  fail_status,
  refuse,
};
enum class Method { post, get };

struct Fault {
  FaultKind kind = FaultKind::status;
  std::string name;      // as written, without post. or get.; goes into the ledger's note
  bool applied = false;  // the request takes effect before things go wrong
  int status = 0;        // of status and refuse
  bool hits_post = true;
  bool hits_get = true;
  double probability = 0;
  std::int64_t nth = 0;  // 0: by probability
  Millis delay_ms = 0;   // late_apply, slow, hang; Retry-After of a status, 0: none
};

// Errors: usage, naming the item and what is wrong with it.
Result<std::vector<Fault>> parse_faults(std::string_view spec);

class Faults {
 public:
  Faults(std::vector<Fault> faults, std::uint64_t seed);

  // To be called once for each request; null: none. The pointer lives as long as this object.
  const Fault* draw(Method method);
  // To be called once for each creation.
  bool draw_fail_status();
  // Whether this entity is refused for good; the same answer each time. `entity`: the caller's id.
  const Fault* refusal_of(std::string_view kind, std::string_view entity) const;

 private:
  struct Counted {
    Fault fault;
    std::int64_t seen = 0;  // requests that it could have hit
  };
  std::vector<Counted> faults_;
  std::uint64_t seed_;
  Random random_;
};

}  // namespace dl::mock
