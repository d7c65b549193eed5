#include "daemon/core/eta.h"

#include <algorithm>

namespace dl {
namespace {

constexpr double kPollsPerEntity = 1.05;
constexpr Millis kUsualProcessing = 4'000;

}  // namespace

Tally tally_of(const Totals& totals) {
  Tally tally;
  for (const auto& of_kind : totals) {
    std::int64_t left = 0;
    for (int i = 0; i < kJobStateCount; ++i) {
      const std::int64_t n = of_kind[static_cast<std::size_t>(i)];
      switch (static_cast<JobState>(i)) {
        case JobState::cancelled: continue;
        case JobState::succeeded: tally.succeeded += n; break;
        case JobState::failed: tally.failed += n; break;
        case JobState::confirming:
          tally.confirming += n;
          left += n;
          break;
        case JobState::in_doubt: tally.in_doubt += n; [[fallthrough]];
        case JobState::blocked:
        case JobState::ready:
        case JobState::waiting:
        case JobState::submitting:
          tally.to_post += n;
          left += n;
          break;
      }
      tally.total += n;
    }
    if (left > 0) ++tally.levels;
  }
  return tally;
}

std::optional<Millis> eta_ms(const Tally& tally, const std::optional<Tier>& slowest, int burst) {
  const std::int64_t undone = tally.to_post + tally.confirming;
  if (undone == 0 || !slowest) return std::nullopt;
  const double permits = static_cast<double>(tally.to_post) + static_cast<double>(undone) * kPollsPerEntity;
  const double spacing = static_cast<double>(slowest->window_ms) / slowest->count;
  const Millis by_rate = static_cast<Millis>(std::max(0.0, permits - burst) * spacing);
  return std::max(by_rate, kUsualProcessing * tally.levels);
}

std::string span_text(Millis span) {
  const std::int64_t s = (span + 999) / 1'000;
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3'600) return std::to_string(s / 60) + " min " + std::to_string(s % 60) + " s";
  return std::to_string(s / 3'600) + " h " + std::to_string(s % 3'600 / 60) + " min";
}

std::string progress_text(const Tally& tally, std::optional<Millis> eta, const std::string& stalled) {
  std::string text = std::to_string(tally.succeeded) + "/" + std::to_string(tally.total) + " done";
  const auto add = [&text](std::int64_t n, const char* what) {
    if (n > 0) text += ", " + std::to_string(n) + " " + what;
  };
  add(tally.confirming, "confirming");
  add(tally.to_post - tally.in_doubt, "to send");
  add(tally.in_doubt, "in doubt");
  add(tally.failed, "failed");
  if (!stalled.empty()) return text + ", stalled: " + stalled;
  if (eta) text += ", ETA " + span_text(*eta);
  return text;
}

}  // namespace dl
