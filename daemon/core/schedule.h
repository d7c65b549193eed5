// When to look again whether the DSP has processed an entity. Under a limit a look that comes too
// early costs a POST, so the schedule learns per kind how long processing takes (life_table.h);
// without one looks are free and come soon. Pure: ages are counted from the moment the creation was
// sent. Not thread-safe; the Dispatcher owns it.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "daemon/core/life_table.h"
#include "storage/model/job.h"
#include "storage/model/moment.h"

namespace dl {

enum class Pace {
  limited,    // a permit is scarce: an early look costs a POST
  unlimited,  // looks are free: at once, then soon
};

class Schedule {
 public:
  // `learned`: what an earlier run has learned (Recovery).
  explicit Schedule(Pace pace, std::span<const ProcessingBin> learned = {});

  Pace pace() const { return pace_; }

  // The age before which a look is a mere guess. `looked_age_ms`: age at the last undecided look,
  // or kNeverLooked.
  Millis next_look_age(JobKind kind, Millis looked_age_ms) const;

  // Under a limit, where looks abound all the same: when half of this kind are done or, as long as
  // nothing was seen of it, of the kind of its parents. By the prior its first looks would wait
  // until every POST is out.
  Millis expected_age(JobKind kind) const { return expected_[static_cast<std::size_t>(kind)]; }

  // Under a limit. `likely`: as likely done as not. `ripe`: almost certainly done, worth a permit
  // always.
  Millis likely_age(JobKind kind, Millis looked_age_ms) const;
  Millis ripe_age(JobKind kind, Millis looked_age_ms) const;
  // The longest plausible processing of a chain of entities, one of each kind that was ever seen.
  Millis longest_chain_ms() const { return longest_chain_ms_; }
  // What processing takes on the average, by what is known now.
  Millis mean_age(JobKind kind) const { return of(kind).mean_ms(); }

  void saw_done(JobKind kind, Millis looked_age_ms, Millis age_ms);
  void saw_undone(JobKind kind, Millis looked_age_ms, Millis age_ms);
  // What was seen is believed at the next call of this, at most every 50 ms: at 10,000 looks a
  // second not each of them moves everything that waits.
  void believe_what_was_seen(std::int64_t now_boot_ms);

  // For the tables: what changed since the last call.
  bool has_changes() const;
  std::vector<ProcessingBin> take_changes();

 private:
  struct Ages {  // of an entity that nobody has looked at
    Millis likely = 0;
    Millis ripe = 0;
  };
  LifeTable& of(JobKind kind) { return tables_[static_cast<std::size_t>(kind)]; }
  const LifeTable& of(JobKind kind) const { return tables_[static_cast<std::size_t>(kind)]; }
  void prepare(JobKind kind);
  void reread();

  Pace pace_;
  std::array<LifeTable, 3> tables_;
  std::array<Ages, 3> first_;
  std::array<Millis, 3> expected_{};
  Millis longest_chain_ms_ = 0;
  bool is_stale_ = false;
  std::int64_t reread_at_ = INT64_MIN / 2;
};

}  // namespace dl
