#include "tests/mock_dsp/limit_log.h"

#include <algorithm>

namespace dl::mock {
namespace {
constexpr Micros kNever = -Micros{1} << 60;  // long before any window
}

LimitLog::LimitLog(const std::vector<Tier>& tiers, Refused refused) : refused_(refused) {
  for (const Tier& tier : tiers) {
    const auto slots = static_cast<std::size_t>(tier.count);
    logs_.push_back({tier.window_ms * 1'000, std::vector<Micros>(slots, kNever)});
  }
}

std::optional<Micros> LimitLog::admit(Micros now_us) {
  Micros wait_us = 0;
  for (const Log& log : logs_) {
    wait_us = std::max(wait_us, log.arrivals_us[log.oldest] + log.window_us - now_us);
  }
  if (wait_us <= 0 || refused_ == Refused::counted) count(now_us);
  if (wait_us <= 0) return std::nullopt;
  return wait_us;
}

void LimitLog::count(Micros now_us) {
  for (Log& log : logs_) {
    log.arrivals_us[log.oldest] = now_us;
    log.oldest = (log.oldest + 1) % log.arrivals_us.size();
  }
}

}  // namespace dl::mock
