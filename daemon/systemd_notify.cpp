#include "daemon/systemd_notify.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "daemon/escape.h"

namespace dl {
namespace {

// A datagram per call. A manager that does not hear us is its own trouble: no error can be acted
// on.
void notify(const std::string& state) { static_cast<void>(sd_notify(0, state.c_str())); }

// WatchdogSec=; 0: no watchdog.
std::uint64_t watchdog_timeout_us() {
  std::uint64_t timeout_us = 0;
  return sd_watchdog_enabled(0, &timeout_us) > 0 ? timeout_us : 0;
}

}  // namespace

bool has_service_manager() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

void notify_ready(const std::string& status) { notify("READY=1\nSTATUS=" + escaped(status)); }

void notify_status(const std::string& status) { notify("STATUS=" + escaped(status)); }

void notify_stopping(std::chrono::milliseconds longest) {
  const auto longest_us = std::chrono::microseconds(longest).count();
  notify("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(longest_us));
}

void notify_watchdog() { notify("WATCHDOG=1"); }

void notify_taking_over(std::chrono::milliseconds longest) {
  if (watchdog_timeout_us() > 0)
    notify("WATCHDOG_USEC=" + std::to_string(std::chrono::microseconds(longest).count()));
}

void notify_taken_over() {
  if (const std::uint64_t timeout_us = watchdog_timeout_us(); timeout_us > 0)
    notify("WATCHDOG_USEC=" + std::to_string(timeout_us));
}

void WatchdogPetter::operator()() {
  if (!interval_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + *interval_;
  notify_watchdog();
}

std::optional<std::chrono::milliseconds> watchdog_interval() {
  const std::uint64_t timeout_us = watchdog_timeout_us();
  if (timeout_us == 0) return std::nullopt;
  const auto half = std::chrono::milliseconds(static_cast<std::int64_t>(timeout_us / 2'000));
  return std::max(half, std::chrono::milliseconds(1));
}

}  // namespace dl
