#include "tests/bench/server_limit.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <string>

namespace dl::bench {
namespace {

enum class Refusals { free, counted };
constexpr double kPhase_ms = 17'000;  // a server's windows do not begin with our first request

Millis whole(double ms) { return static_cast<Millis>(std::ceil(ms)); }

ServerLimit sliding_log(const Tier& limit, Refusals refusals) {
  return [limit, refusals, log = std::deque<double>()](double now) mutable -> Admission {
    const auto window = static_cast<double>(limit.window_ms);
    while (!log.empty() && log.front() <= now - window) log.pop_front();
    const bool accepted = static_cast<int>(log.size()) < limit.count;
    if (accepted || refusals == Refusals::counted) log.push_back(now);
    if (accepted) return {};
    return {false, whole(log.front() + window - now)};
  };
}

ServerLimit fixed_window(const Tier& limit) {
  return [limit, window = -1.0, used = 0](double now) mutable -> Admission {
    const auto length = static_cast<double>(limit.window_ms);
    const double mine = std::floor((now + kPhase_ms) / length);
    if (mine != window) used = 0;
    window = mine;
    if (++used <= limit.count) return {};
    return {false, whole((mine + 1) * length - kPhase_ms - now)};
  };
}

// The window before weighs in by the share of it that is less than a window ago.
ServerLimit weighted_counter(const Tier& limit, Refusals refusals) {
  return [limit, refusals, window = -1.0, used = 0, before = 0](double now) mutable -> Admission {
    const auto length = static_cast<double>(limit.window_ms);
    const double mine = std::floor((now + kPhase_ms) / length);
    const double into = (now + kPhase_ms) / length - mine;
    if (mine != window) {
      before = mine == window + 1 ? used : 0;
      used = 0;
      window = mine;
    }
    const bool accepted = before * (1 - into) + used + 1 <= limit.count + 1e-9;
    if (accepted || refusals == Refusals::counted) ++used;
    if (accepted) return {};
    return {false, whole(length * (1 - into))};
  };
}

ServerLimit token_bucket(const Tier& limit, double capacity) {
  return [limit, capacity, tokens = capacity, at = 0.0](double now) mutable -> Admission {
    const double rate = limit.count / static_cast<double>(limit.window_ms);
    tokens = std::min(capacity, tokens + (now - at) * rate);
    at = now;
    if (tokens >= 1 - 1e-9) {
      tokens -= 1;
      return {};
    }
    return {false, whole((1 - tokens) / rate)};
  };
}

}  // namespace

Result<ServerLimit> make_server_limit(std::string_view name, const Tier& limit) {
  if (name == "none") return ServerLimit([](double) { return Admission{}; });
  if (name == "log") return sliding_log(limit, Refusals::free);
  if (name == "log-counting") return sliding_log(limit, Refusals::counted);
  if (name == "fixed") return fixed_window(limit);
  if (name == "weighted") return weighted_counter(limit, Refusals::free);
  if (name == "weighted-counting") return weighted_counter(limit, Refusals::counted);
  if (name == "bucket40") return token_bucket(limit, 40);
  if (name == "bucket10") return token_bucket(limit, 10);
  return Error{Errc::usage, "no such limit: \"" + std::string(name) + "\"; there are " +
                                std::string(kServerLimitNames)};
}

}  // namespace dl::bench
