// Reads a ledger (ledger.h) and says whether the mock's client kept its promises. Pure but for the
// input stream. Thread rule: one owner.
//
// Identity is (kind, parent's DSP id, entity). Creating one again is legal only after the client
// was told that every earlier one failed. Where ids are echoed, two ad groups of one id are one
// parent to their ads, and as many equal ads are legal as there are such ad groups.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "storage/model/rate_spec.h"
#include "storage/model/result.h"
#include "tests/mock_dsp/clock.h"

namespace dl::mock {

struct Judgement {
  std::int64_t requests = 0;
  std::int64_t posts = 0;
  std::int64_t polls = 0;
  std::int64_t lookups = 0;
  std::int64_t entities_created = 0;  // without those whose status is failed
  std::int64_t creations_failed = 0;
  std::int64_t duplicates = 0;
  std::int64_t child_before_parent = 0;  // POSTs whose parent was not done at the DSP
  std::int64_t child_before_confirmation =
      0;  // … whose parent's success the client was not yet told
  std::int64_t answered_429 = 0;
  std::int64_t unanswered = 0;
  Micros makespan_us = 0;  // first to last arrival, on the mock's clock
  struct TierUse {
    Tier tier;
    std::int64_t most = 0;  // arrivals in the fullest half-open window, refused ones too
  };
  std::vector<TierUse> tiers;
  std::vector<std::string> findings;  // the first few, with their line

  // `entities_expected`: how many entities must exist in the end; nothing: any number.
  bool passes(std::optional<std::int64_t> entities_expected) const;
};

// Errors: data, naming the line.
Result<Judgement> judge(std::istream& ledger, const std::vector<Tier>& tiers);

// One `name: value` a line.
void print(const Judgement& judgement, std::ostream& out);

}  // namespace dl::mock
