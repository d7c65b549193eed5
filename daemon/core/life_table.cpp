#include "daemon/core/life_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace dl {
namespace {

// No constant here matters by more than a few percent of the requests or of the time (simulated
// over ten distributions, research note 2.5), so none is a setting.
constexpr double kFirstEdge = 0.05;  // s; below it lies bin 0
// of a bin's end to its beginning: 150 bins reach to 20 hours
constexpr double kRatio = 1.1;
constexpr double kPriorMedian = 3.0;  // s: DSPs take seconds
// broad: a tenth as long and ten times as long are no surprise
constexpr double kPriorSigma = 1.5;
constexpr double kPriorWeight = 0.5;  // of an entity: the first ones seen outweigh it
// entities; a DSP that becomes slower is believed within about as many
constexpr double kMemory = 300;
constexpr double kHazardMax = 0.999999;  // nothing is certain
constexpr double kDeepTailHazard = 0.3;  // where the prior has nothing left to say
constexpr double kLeastStep = 1.02;      // the next look is at least this much later than the last

struct Edges {
  std::array<double, LifeTable::kBins + 1> at{};
  std::array<double, LifeTable::kBins> prior{};  // hazards of the log-normal

  Edges() {
    for (int i = 1; i <= LifeTable::kBins; ++i)
      at[static_cast<std::size_t>(i)] = kFirstEdge * std::pow(kRatio, i - 1);
    const auto done_by = [](double age) {
      if (age <= 0) return 0.0;
      return 0.5 * std::erfc(-std::log(age / kPriorMedian) / kPriorSigma / std::sqrt(2.0));
    };
    for (std::size_t i = 0; i < prior.size(); ++i) {
      const double undone = 1 - done_by(at[i]);
      prior[i] = undone > 1e-4 ? (done_by(at[i + 1]) - done_by(at[i])) / undone : kDeepTailHazard;
    }
  }
};

const Edges& edges() {
  static const Edges all;
  return all;
}
double edge(int i) { return edges().at[static_cast<std::size_t>(i)]; }

int bin_of(double age) {
  if (age < kFirstEdge) return 0;
  return std::min(LifeTable::kBins - 1,
                  1 + static_cast<int>(std::log(age / kFirstEdge) / std::log(kRatio)));
}

// How much of the bin lies below `age`.
double share_below(int bin, double age) {
  return std::clamp((age - edge(bin)) / (edge(bin + 1) - edge(bin)), 0.0, 1.0);
}

// The bins of (from, to], and how much of each lies in it.
struct Span {
  int first, last;
  double from, to;
  Span(double from_s, double to_s)
      : first(bin_of(from_s)), last(bin_of(to_s)), from(from_s), to(to_s) {}
  double share(int bin) const {
    const double below_to = bin == last ? share_below(bin, to) : 1.0;
    const double below_from = bin == first ? share_below(bin, from) : 0.0;
    return std::max(0.0, below_to - below_from);
  }
};

double seconds(Millis ms) { return static_cast<double>(std::max(Millis{0}, ms)) / 1'000.0; }
Millis millis(double s) { return static_cast<Millis>(std::ceil(s * 1'000.0)); }

}  // namespace

LifeTable::LifeTable() {
  for (std::size_t i = 0; i < bins_.size(); ++i) bins_[i].believed = edges().prior[i];
}

void LifeTable::believe(const LifeTable& parent_kind) {
  for (int i = 0; i < kBins; ++i) {
    bins_[static_cast<std::size_t>(i)].believed = parent_kind.hazard(i);
    bins_[static_cast<std::size_t>(i)].changed = true;
  }
  has_changes_ = is_stale_ = true;
}

double LifeTable::hazard(int bin) const {
  const Bin& b = bins_[static_cast<std::size_t>(bin)];
  return std::min(kHazardMax, (kPriorWeight * b.believed + b.done) / (kPriorWeight + b.entered));
}

const std::array<double, LifeTable::kBins + 1>& LifeTable::undone() const {
  if (!std::exchange(is_stale_, false)) return undone_;
  undone_[0] = 1;
  for (int i = 0; i < kBins; ++i) {
    undone_[static_cast<std::size_t>(i) + 1] =
        undone_[static_cast<std::size_t>(i)] * (1 - hazard(i));
  }
  return undone_;
}

void LifeTable::add(int bin, double entered, double done) {
  Bin& b = bins_[static_cast<std::size_t>(bin)];
  const double keep = 1 - entered / kMemory;
  b.entered = b.entered * keep + entered;
  b.done = b.done * keep + done;
  b.changed = true;
  has_changes_ = is_stale_ = true;
}

void LifeTable::saw_undone(Millis looked_age_ms, Millis age_ms) {
  const Span span(seconds(looked_age_ms), seconds(age_ms));
  for (int i = span.first; i <= span.last; ++i) add(i, span.share(i), 0);
  has_seen_ = true;
}

void LifeTable::saw_done(Millis looked_age_ms, Millis age_ms) {
  const Span span(seconds(looked_age_ms), std::max(seconds(age_ms), seconds(looked_age_ms)));
  // likelihood of having been done in this bin, before normalising
  std::array<double, kBins> done_in{};
  double undone = 1;
  double sum = 0;
  for (int i = span.first; i <= span.last; ++i) {
    const double here = 1 - std::pow(1 - hazard(i), span.share(i));
    done_in[static_cast<std::size_t>(i)] = undone * here;
    sum += undone * here;
    undone *= 1 - here;
  }
  has_seen_ = true;
  if (sum < 1e-12) {  // thought impossible: then it was in the last one
    return add(span.last, 1, 1);
  }
  double entered = 1;
  for (int i = span.first; i <= span.last; ++i) {
    const double done = done_in[static_cast<std::size_t>(i)] / sum;
    add(i, entered * std::max(span.share(i), 1e-6), done);
    entered -= done;
  }
}

double LifeTable::undone_at_s(double age_s) const {
  if (age_s <= 0) return 1;
  const int bin = bin_of(age_s);
  return undone()[static_cast<std::size_t>(bin)] *
         std::pow(1 - hazard(bin), share_below(bin, age_s));
}

double LifeTable::undone_at(Millis age_ms) const { return undone_at_s(seconds(age_ms)); }

Millis LifeTable::age_when(double likelihood, Millis looked_age_ms) const {
  const double looked = seconds(looked_age_ms);
  const double target = (1 - likelihood) * undone_at_s(looked);
  const auto& undone_by = undone();
  int i = bin_of(looked);
  while (i < kBins &&
         (undone_by[static_cast<std::size_t>(i) + 1] > target || edge(i + 1) < looked * kLeastStep))
    ++i;
  return millis(i < kBins ? edge(i + 1) : std::max(edge(kBins), looked * 1.5));
}

Millis LifeTable::mean_ms() const {
  const auto& undone_by = undone();
  double mean = 0;
  for (int i = 0; i < kBins; ++i) {
    const double in_it =
        undone_by[static_cast<std::size_t>(i)] - undone_by[static_cast<std::size_t>(i) + 1];
    mean += in_it * (edge(i) + edge(i + 1)) / 2;
  }
  return millis(mean + undone_by[kBins] * edge(kBins));
}

std::vector<ProcessingBin> LifeTable::take_changes(JobKind kind) {
  std::vector<ProcessingBin> changes;
  for (int i = 0; i < kBins; ++i) {
    Bin& b = bins_[static_cast<std::size_t>(i)];
    if (!b.changed) continue;
    b.changed = false;
    changes.push_back({kind, i, millis(edge(i + 1)), b.entered, b.done, b.believed});
  }
  has_changes_ = false;
  return changes;
}

void LifeTable::restore(std::span<const ProcessingBin> bins) {
  for (const ProcessingBin& bin : bins) {
    if (bin.bin < 0 || bin.bin >= kBins) continue;
    Bin& b = bins_[static_cast<std::size_t>(bin.bin)];
    b.entered = std::clamp(bin.entered, 0.0, kMemory);
    b.done = std::clamp(bin.done, 0.0, kMemory);  // may exceed entered: a span covers a bin in part
    b.believed = std::clamp(bin.believed, 0.0, kHazardMax);
    has_seen_ = is_stale_ = true;
  }
}

}  // namespace dl
