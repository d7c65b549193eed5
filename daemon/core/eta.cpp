#include "daemon/core/eta.h"

#include <algorithm>
#include <cmath>

namespace dl {
namespace {

constexpr int kSamples = 30;  // of a trend

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

std::int64_t permits_left(const Tally& tally, double polls_per_entity, std::int64_t out) {
  const std::int64_t undone = tally.to_post + tally.confirming;
  const auto polls =
      static_cast<std::int64_t>(std::ceil(static_cast<double>(undone) * polls_per_entity));
  return std::max(std::int64_t{0}, tally.to_post + polls - out);
}

std::optional<Millis> eta_ms(const Tally& tally, const Going& going) {
  if (tally.to_post + tally.confirming == 0 || !going.permits_ms) return std::nullopt;
  // What is posted last is polled that much later; polls of others fill about half of the time
  // until then.
  const Millis after = tally.to_post > 0 ? going.processing_ms / 2 : 0;
  return std::max(*going.permits_ms + after, going.chain_ms);
}

std::string span_text(Millis span) {
  const std::int64_t s = (span + 999) / 1'000;
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3'600) return std::to_string(s / 60) + " min " + std::to_string(s % 60) + " s";
  return std::to_string(s / 3'600) + " h " + std::to_string(s % 3'600 / 60) + " min";
}

std::string outlook_text(const Outlook& outlook) {
  const std::string left = outlook.left_ms ? span_text(*outlook.left_ms) : "";
  const std::string reason = outlook.reason.empty() ? "" : " (" + outlook.reason + ")";
  switch (outlook.state) {
    case Outlook::State::done: return "done";
    case Outlook::State::clears: return "clears in " + left + reason;
    case Outlook::State::growing:
      return "growing: more comes in than goes out" +
             (left.empty() ? "" : "; what is there takes " + left);
    case Outlook::State::stalled: return "stalled: " + outlook.reason;
    case Outlook::State::unknown: return "unknown yet";
  }
  return "";
}

std::string progress_text(const Tally& tally, const Outlook& outlook) {
  std::string text = std::to_string(tally.succeeded) + "/" + std::to_string(tally.total) + " done";
  const auto add = [&text](std::int64_t n, const char* what) {
    if (n > 0) text += ", " + std::to_string(n) + " " + what;
  };
  add(tally.confirming, "confirming");
  // Where all is done that can be, the rest waits behind what failed or is in doubt.
  add(tally.to_post - tally.in_doubt,
      outlook.state == Outlook::State::done ? "blocked" : "to send");
  add(tally.in_doubt, "in doubt");
  add(tally.failed, "failed");
  switch (outlook.state) {
    case Outlook::State::done:
    case Outlook::State::unknown: return text;
    case Outlook::State::clears: break;
    case Outlook::State::growing:
    case Outlook::State::stalled: return text + ", " + outlook_text(outlook);
  }
  text += ", ETA " + span_text(outlook.left_ms.value_or(0));
  return outlook.reason.empty() ? text : text + " (" + outlook.reason + ")";
}

void Trend::note(std::int64_t now_boot_ms, std::int64_t work) {
  while (!samples_.empty() && samples_.front().boot_ms < now_boot_ms - span_ms_)
    samples_.pop_front();
  if (!samples_.empty() && now_boot_ms - samples_.back().boot_ms < span_ms_ / kSamples) return;
  samples_.push_back({now_boot_ms, work});
}

// Judged over most of a span, so that one new batch is growth only until the span is over.
bool Trend::grows(std::int64_t now_boot_ms, std::int64_t work) const {
  if (samples_.empty() || now_boot_ms - samples_.front().boot_ms < span_ms_ * 9 / 10) return false;
  return work > samples_.front().work;
}

double Trend::spacing_ms(std::int64_t now_boot_ms, std::int64_t work) const {
  if (samples_.empty()) return 0;
  const Sample& first = samples_.front();
  if (first.work <= work || now_boot_ms - first.boot_ms < span_ms_ / kSamples) return 0;
  return static_cast<double>(now_boot_ms - first.boot_ms) / static_cast<double>(first.work - work);
}

}  // namespace dl
