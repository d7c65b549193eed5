// dl-daemon: parse, lock, open, take over, run, exit code.
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "daemon/clock.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "daemon/dsp/secret.h"
#include "daemon/dsp/tls.h"
#include "daemon/host.h"
#include "daemon/instance_lock.h"
#include "daemon/log.h"
#include "daemon/systemd_notify.h"
#include "daemon/take_over.h"
#include "daemon/verify_command.h"
#include "daemon/version.h"
#include "storage/archive_file.h"
#include "storage/batch_writer.h"
#include "storage/fault/fault_point.h"
#include "storage/file_mode.h"
#include "storage/ingest_lock.h"
#include "storage/migrator.h"
#include "storage/out_of_memory.h"
#include "storage/version.h"

namespace {

// set by a signal while a standby waits; nothing else is safe there
std::atomic<bool> g_stop_waiting{false};

// Besides a socket for each request on the wire: the database's files, the lock, event loops, the
// log.
constexpr std::int64_t kFilesBeside = 32;
constexpr std::int64_t kFilesOfAWorker = 4;

// As TimeoutStartSec= of the unit: a big migration.
constexpr std::chrono::minutes kTakesOver{10};

// A longer file is not read through at the start: after a crash it must serve again within seconds.
constexpr std::int64_t kCheckedWhole = 64 * 1024 * 1024;

int report(const dl::Error& error) {
  std::fprintf(stderr, "dl-daemon: %s\n", error.message.c_str());
  return static_cast<int>(error.code);
}

int say(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  return report({dl::Errc::io, std::string("stdout: ") + std::strerror(errno)});
}

// Also the files that settings name: a daemon without them starts, says so and waits.
int check_config(const dl::Config& config) {
  for (const std::string& warning : config.warnings)
    std::fprintf(stderr, "dl-daemon: warning: %s\n", warning.c_str());
  if (!config.token_file.empty()) {
    if (const auto token = dl::read_secret(config.token_file); !token) return report(token.error());
  }
  if (!config.ca_file.empty()) {
    if (const auto context = dl::make_tls_context(config.ca_file); !context)
      return report(context.error());
  }
  return say("the configuration is good\n");
}

// For the log of every start: what --version says, in a line. Its warning has one of its own.
std::string versions() {
  std::string text = dl::daemon_version_text();
  text.erase(std::min(text.find("warning: "), text.size()));
  std::string line;
  for (const char c : text) {
    if (c == '\n') line += ',';
    if (c != '\n' && !(c == ' ' && line.ends_with(' '))) line += c;
  }
  line.pop_back();
  return line;
}

// DL_TIME_SCALE is for tests and benchmarks against a mock on this machine.
dl::Result<double> time_scale(const dl::Config& config, const dl::Environment& environment) {
  const auto given = environment.find("DL_TIME_SCALE");
  if (given == environment.end() || given->second.empty()) return 1.0;
  char* end = nullptr;
  const double scale = std::strtod(given->second.c_str(), &end);
  if (*end != '\0' || !(scale >= 1.0 && scale <= 100'000.0)) {
    return dl::Error{dl::Errc::config,
                     "DL_TIME_SCALE=" + given->second + ": must be a number from 1 to 100000"};
  }
  if (config.endpoint && !config.endpoint->is_loopback()) {
    return dl::Error{dl::Errc::config,
                     "DL_TIME_SCALE is only accepted for an endpoint on this machine; " +
                         config.endpoint->text() + " would be sent too much"};
  }
  return scale;
}

// `has_waited`: somebody had it.
dl::Result<dl::InstanceLock> take_lock(const dl::Config& config, dl::Log& log, bool& has_waited) {
  dl::Result<dl::InstanceLock> at_once = dl::InstanceLock::take(config.db);
  if (!config.standby || at_once || at_once.error().code != dl::Errc::busy) return at_once;
  has_waited = true;
  std::signal(SIGTERM, [](int) { g_stop_waiting = true; });
  std::signal(SIGINT, [](int) { g_stop_waiting = true; });
  log.info("standby: waiting for the lock of " + config.db);
  dl::notify_ready("standby: waiting for the lock");
  dl::Result<dl::InstanceLock> lock =
      dl::InstanceLock::wait(config.db, g_stop_waiting, dl::WatchdogPetter());
  if (lock) dl::notify_taking_over(kTakesOver);
  if (!g_stop_waiting) {  // else a second one, of timeout(1), would end it with another code
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
  }
  // Told to stop while the lock came free: where all are told at once, the sender's end must not
  // begin another's work.
  if (g_stop_waiting) return dl::Error{dl::Errc::busy, "told to stop"};
  return lock;
}

// A loader that died left a batch that nobody will publish. A busy lock means that one is loading
// now.
dl::Status remove_orphans(dl::Database& database, dl::Log& log) {
  const dl::Result<dl::IngestLock> nobody_loads = dl::IngestLock::take(database.path());
  if (!nobody_loads) {
    if (nobody_loads.error().code != dl::Errc::busy)
      log.warning(nobody_loads.error().message + "; whether a load died is not looked at");
    return dl::Done{};
  }
  const dl::Result<int> removed = dl::remove_orphaned_batches(database, dl::Writer::daemon);
  if (!removed) return removed.error();
  if (*removed > 0)
    log.warning("removed what a dl-ingest that died had loaded in part; load the sheet again");
  return dl::Done{};
}

// Somebody else's transaction delays the start and does not end it.
template <class Step>
auto patiently(dl::Log& log, const Step& step) -> decltype(step()) {
  constexpr std::chrono::milliseconds kTryAgain{100};
  for (bool said = false;; std::this_thread::sleep_for(kTryAgain)) {
    auto result = step();
    if (result || result.error().code != dl::Errc::busy) return result;
    if (!std::exchange(said, true)) log.warning(result.error().message + "; waiting");
  }
}

// Why a daemon that starts will send nothing. One that paused itself tries again.
void tell_of_pause(const dl::TakenOver& taken, dl::Log& log) {
  const std::string until = "; nothing is sent until an operator resumes (docs/OPERATIONS.md)";
  const std::string& forgotten = taken.store->forgotten();
  const std::string& another_endpoint = taken.store->another_endpoint();
  if (!forgotten.empty()) log.error(forgotten + until);
  if (!another_endpoint.empty()) log.error(another_endpoint + until);
  const dl::AccountState& account = taken.recovery.account;
  const bool is_said = !forgotten.empty() || !another_endpoint.empty();
  if (is_said || !account.paused_by || account.is_paused_by_daemon()) return;
  log.warning("paused by " + *account.paused_by + ": " + account.paused_reason + until);
}

int run(const dl::Config& config, dl::Log& log, dl::Clock clock) {
  const std::int64_t files_wanted =
      config.in_flight + kFilesOfAWorker * config.workers + kFilesBeside;
  if (const std::int64_t files = dl::allow_open_files(files_wanted); files < files_wanted) {
    log.warning("only " + std::to_string(files) + " files may be open, and --in-flight " +
                std::to_string(config.in_flight) + " may need " + std::to_string(files_wanted) +
                ": fewer requests go at once; raise the limit (ulimit -n, or LimitNOFILE= of the "
                "unit) or lower --in-flight");
  }
  // By the log: a journal knows its priority, and a reader of JSON finds JSON.
  const auto end_with = [&](const dl::Error& error) {
    log.error(error.message);
    return static_cast<int>(error.code);
  };
  bool has_waited = false;
  dl::Result<dl::InstanceLock> lock = take_lock(config, log, has_waited);
  if (!lock && config.standby && g_stop_waiting)
    return config.drain ? static_cast<int>(dl::Errc::incomplete) : 0;
  if (!lock) return end_with(lock.error());
  DL_FAULT_POINT("start.locked");
  // Who has waited for a sender takes over what that had. Were it moved away, a new database would
  // know nothing of what was sent.
  const dl::OpenMode mode = has_waited ? dl::OpenMode::existing : dl::OpenMode::create;
  dl::Result<std::unique_ptr<dl::Database>> database =
      patiently(log, [&] { return dl::Database::open(lock->database(), mode); });
  if (!database && has_waited && database.error().code == dl::Errc::no_input) {
    return end_with(
        {dl::Errc::no_input,
         config.db +
             " is not there any more, and the daemon that this one stood by for had it: put it "
             "back "
             "with all that lay beside it; to begin anew without it, start this daemon again"});
  }
  if (!database) return end_with(database.error());
  if (const auto warning = dl::warning_of_mode(lock->database())) log.warning(*warning);
  if (dl::Status sound = (*database)->check_integrity(kCheckedWhole); !sound)
    return end_with(sound.error());
  if (dl::Status ours = dl::check_schema_is_ours(**database); !ours) return end_with(ours.error());
  if (dl::Status ours = dl::refuse_archive(**database); !ours) return end_with(ours.error());
  if (dl::Status clean = patiently(log, [&] { return remove_orphans(**database, log); }); !clean)
    return end_with(clean.error());
  DL_FAULT_POINT("start.opened");
  log.info("database " + config.db + ", endpoint " + config.endpoint->text() + ", limit " +
           dl::format_rate_spec(config.rate_limit));
  dl::Result<dl::TakenOver> taken =
      dl::take_over(std::move(*database), *lock, dl::store_policy(config), clock,
                    [&log](const auto& step) { return patiently(log, step); });
  if (!taken) return end_with(taken.error());
  tell_of_pause(*taken, log);
  if (taken->recovery.reclaimed > 0) {
    log.warning("the last owner died with " + std::to_string(taken->recovery.reclaimed) +
                " requests on the wire; they are taken over");
  }
  return dl::run_daemon(
      {config, log, clock, *lock, std::move(taken->store), std::move(taken->recovery)});
}

}  // namespace

int main(int argc, char** argv) {
  // a core would hold the token; nor may another process of this user look for it
  prctl(PR_SET_DUMPABLE, 0);
  dl::end_where_memory_ends("dl-daemon");
  umask(0007);  // the database is the group's, and nobody else's
  std::signal(SIGPIPE, SIG_IGN);
  // Nobody reads SQLite's count of its memory, and counting takes a mutex at every allocation.
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of the write, not a death
  DL_FAULT_START();
  const dl::Environment environment = dl::read_environment(environ);
  dl::Result<dl::Config> config = dl::parse_config(argc, argv, environment);
  if (!config) return report(config.error());
  switch (config->command) {
    case dl::Command::help: return say(dl::help_text());
    case dl::Command::version: return say(dl::daemon_version_text());
    case dl::Command::print_config: return say(dl::print_config(*config));
    case dl::Command::check_config: return check_config(*config);
    case dl::Command::verify:
    case dl::Command::run: break;
  }
  dl::Log log(STDERR_FILENO, dl::resolve_log_format(config->log_format, environment, STDERR_FILENO),
              config->log_level, dl::resolve_progress(config->progress, STDERR_FILENO));
  log.info(versions());
  for (const std::string& warning : config->warnings) log.warning(warning);
  if (const auto warning = dl::sqlite_warning()) log.warning(*warning);
  const dl::Result<double> scale = time_scale(*config, environment);
  if (!scale) return report(scale.error());
  if (*scale != 1.0)
    log.warning("DL_TIME_SCALE: every clock runs " + std::to_string(*scale) + " times as fast");
  try {
    if (config->command == dl::Command::verify)
      return dl::run_verify(*config, log, dl::Clock(*scale));
    return run(*config, log, dl::Clock(*scale));
  } catch (const std::runtime_error& lack) {  // of descriptors or threads, at the start
    return report({dl::Errc::io, std::string("cannot go on: ") + lack.what()});
  }
}
