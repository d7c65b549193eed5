// How long the DSP takes with one kind of entity, learned from polls that only ever say "done" or
// "not yet": interval-censored data. A life table over ages in bins of ratio 1.1: how many entities
// are known to have entered a bin undone, how many of them were done in it. A poll that finds
// "done" is shared out over the bins since the last look by what the table believes so far (one
// step of EM, Turnbull's self-consistency); older observations fade. Pure. Not thread-safe; the
// Schedule owns one for each kind.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "storage/model/moment.h"
#include "storage/model/work.h"

namespace dl {

// No look was taken yet.
inline constexpr Millis kNeverLooked = -1;

class LifeTable {
 public:
  static constexpr int kBins = 150;

  LifeTable();  // what is believed before anything was seen

  // A look at `age_ms`, the last undecided one having been at `looked_age_ms` (or kNeverLooked).
  void saw_done(Millis looked_age_ms, Millis age_ms);
  void saw_undone(Millis looked_age_ms, Millis age_ms);
  bool has_seen() const { return has_seen_; }

  // The least age, by whole bins, at which an entity is done with this likelihood, given that it
  // was not done at the last look; later than that look.
  Millis age_when(double likelihood, Millis looked_age_ms) const;
  // The share of entities that are not done at this age.
  double undone_at(Millis age_ms) const;
  // The average over all entities. Ages beyond the last bin (20 hours) count as that.
  Millis mean_ms() const;

  // A kind that was never seen begins with what its parent kind is like.
  void believe(const LifeTable& parent_kind);

  // What a restart needs: the bins that changed since the last call, and taking them back.
  std::vector<ProcessingBin> take_changes(JobKind kind);
  bool has_changes() const { return has_changes_; }
  void restore(std::span<const ProcessingBin> bins);  // of this kind

 private:
  struct Bin {
    double entered = 0;   // entities known to have been undone at its beginning, faded
    double done = 0;      // of them, done in it
    double believed = 0;  // hazard before anything was seen
    bool changed = false;
  };
  double hazard(int bin) const;
  double undone_at_s(double age_s) const;
  void add(int bin, double entered, double done);
  const std::array<double, kBins + 1>& undone() const;

  std::array<Bin, kBins> bins_;
  // at the beginning of each bin; made when it is asked for:
  mutable std::array<double, kBins + 1> undone_;
  mutable bool is_stale_ = true;  // the bins have changed since
  bool has_seen_ = false;
  bool has_changes_ = false;
};

}  // namespace dl
