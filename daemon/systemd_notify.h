// What we tell systemd about ourselves (sd_notify): ready, what we do, stopping, alive. Every
// function does nothing where no service manager listens (NOTIFY_SOCKET is not set). Thread rule:
// any thread. Reads the process's environment, so nobody may change it at the same time.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace dl {

// Whether one listens.
bool has_service_manager();

// Recovery is done, work begins. `status`: as for notify_status.
void notify_ready(const std::string& status);
// One line for `systemctl status`; control characters are escaped.
void notify_status(const std::string& status);
// The stop has begun and may take `longest`, from now.
void notify_stopping(std::chrono::milliseconds longest);
// We are alive. To be called at least as often as watchdog_interval says, and only while work goes
// on: from the daemon's own loop, never from a thread that lives for this alone.
void notify_watchdog();
// We were ready already (a standby was) and begin what may take `longest`, without a sign of life
// from in between.
void notify_taking_over(std::chrono::milliseconds longest);
// That is done: as often as the unit says again.
void notify_taken_over();

// How often to call notify_watchdog: half of what systemd waits (WatchdogSec=); nothing: no
// watchdog.
std::optional<std::chrono::milliseconds> watchdog_interval();

// Pets the watchdog, as often as it must be, for a loop that waits: each round calls it.
class WatchdogPetter {
 public:
  void operator()();

 private:
  const std::optional<std::chrono::milliseconds> interval_ = watchdog_interval();
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace dl
