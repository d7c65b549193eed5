// When the work will be done: the rate is known and so is the graph. Pure; callable from any
// thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "storage/model/moment.h"
#include "storage/model/work.h"

namespace dl {

struct Tally {
  std::int64_t total = 0;  // not cancelled
  std::int64_t succeeded = 0;
  std::int64_t confirming = 0;
  std::int64_t failed = 0;
  std::int64_t in_doubt = 0;
  std::int64_t to_post = 0;  // blocked, ready, waiting, submitting, in doubt
  int levels = 0;            // kinds that still have something to do: the longest chain ahead
};
Tally tally_of(const Totals& totals);

// What the time left is reckoned from, beside the tally.
struct Going {
  // until the last permit that is needed; nothing: no rate to reckon by
  std::optional<Millis> permits_ms;
  Millis processing_ms = 0;  // expected, of what is posted last
  Millis chain_ms = 0;       // expected, of the longest chain ahead
};

// A POST for what is not posted, polls for what is not done, less the `out` that have their permit.
std::int64_t permits_left(const Tally& tally, double polls_per_entity, std::int64_t out);

// Until the last permit, and the processing of what is posted last; not below the longest chain's.
// Nothing where nothing is left or the rate is unknown.
std::optional<Millis> eta_ms(const Tally& tally, const Going& going);

// The three honest states, and the two that need no honesty.
struct Outlook {
  enum class State {
    done,     // nothing is left, or nothing was there
    clears,   // in left_ms, as far as can be known
    growing,  // more comes in than goes out
    stalled,  // nothing is sent, for this reason, and nobody knows until when
    unknown,  // not long enough under way to say
  };
  State state = State::unknown;
  std::optional<Millis> left_ms;  // clears; growing: if nothing more came
  std::string reason;             // stalled; clears: why it has to wait first
};

// "clears in 1 min 12 s", "stalled: paused by maria: lunch": for v_eta and dl-ingest status.
std::string outlook_text(const Outlook& outlook);

// "13/23 done, 4 confirming, 1 failed, ETA 1 min 12 s": the progress line.
std::string progress_text(const Tally& tally, const Outlook& outlook);

// 72000 -> "1 min 12 s".
std::string span_text(Millis span);

// How the work left has changed of late: whether it grows, and how fast it goes where no limit says
// so.
class Trend {
 public:
  explicit Trend(Millis span_ms) : span_ms_(span_ms) {}
  // `work`: permits left. Kept now and then.
  void note(std::int64_t now_boot_ms, std::int64_t work);
  bool grows(std::int64_t now_boot_ms, std::int64_t work) const;
  // Between two permits; 0: unknown.
  double spacing_ms(std::int64_t now_boot_ms, std::int64_t work) const;

 private:
  struct Sample {
    std::int64_t boot_ms = 0;
    std::int64_t work = 0;
  };
  Millis span_ms_;
  std::deque<Sample> samples_;
};

}  // namespace dl
