// Everything dl-daemon can be told, as one value. A setting `rate_limit` has one name in three
// spellings: flag --rate-limit, environment DL_RATE_LIMIT, configuration key rate_limit; the first
// of flag, environment, file, default decides. The settings themselves are a table
// (daemon/setting.h), so that flags, file keys, --help and --print-config cannot drift apart.
// Thread rule: a plain value; parse once in main, then read from any thread.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/dsp/worker_pool.h"
#include "storage/config_file.h"
#include "storage/model/account.h"
#include "storage/model/moment.h"
#include "storage/model/named.h"
#include "storage/model/rate_spec.h"
#include "storage/model/result.h"

namespace dl {

// What the command line asks the program to do.
enum class Command { run, help, version, print_config, check_config, verify };

enum class LogLevel { debug, info, warning, error };
// As the setting and the log's lines have them.
inline constexpr auto kLogLevels = std::to_array<Named<LogLevel>>({
    {LogLevel::debug, "debug"},
    {LogLevel::info, "info"},
    {LogLevel::warning, "warning"},
    {LogLevel::error, "error"},
});
enum class LogFormat {
  automatic,  // journal where stderr is journald's, else text
  text,       // a line for people
  json,       // a JSON object a line
  journal,    // text without a time, with journald's <N> priority in front
};
enum class ProgressStyle {
  automatic,  // plain where stderr is a terminal, else none
  plain,      // one live line
  none,
};

struct Config {
  Command command = Command::run;

  // Where
  std::string db = "demandlink.db";  // path of the database; relative to the current folder
  std::optional<Endpoint> endpoint;  // the DSP; always there when command is run
  std::string token_file;            // bearer token; empty: the credential dsp-token, else no token
  bool allow_token_over_http = false;  // to another machine, where everybody in between can read it
  std::string ca_file;                 // PEM bundle that replaces the system's; empty: the system's

  // How fast
  std::vector<Tier> rate_limit{{40, 60'000}};  // all hold at once; empty: no limit
  int burst = 0;        // requests that may leave at once; 0: a quarter of the limit
  int headroom = 0;     // requests per window left for people at the DSP's own page
  bool strict = false;  // W/N after each answer: for servers that allow no burst at all
  int workers = 3;      // threads that speak HTTP
  int in_flight = 32;   // requests on the wire at once, all threads together
  // plain ones, before the next worker gets any: one serves far more than the store commits
  int connections_per_worker = 128;

  // What is tried again
  int max_retries = 3;  // creations after the first, per job
  std::vector<int>
      retryable_status;  // HTTP statuses taken for refused-but-retryable besides our own
  std::vector<int> not_applied_status;  // taken for throttled, as 429 is
  MissingId missing_id = MissingId::in_doubt;

  // What happens in doubt
  UnknownOutcome unknown_outcome = UnknownOutcome::hold;
  Millis settle_ms = 180'000;              // how late the DSP may still apply a request
  Millis key_lifetime_ms = 86'400'000;     // how long the DSP remembers an idempotency key
  Millis confirm_timeout_ms = 86'400'000;  // undecided for so long: overdue, asked ever more rarely

  // How long
  Millis connect_timeout_ms = 30'000;  // resolve, connect and TLS together
  Millis http_timeout_ms = 120'000;    // first byte out to last byte in
  Millis late_arrival_ms =
      60'000;  // D of the limiter: how late a lost request may still be counted
  Millis unreachable_timeout_ms = 60'000;  // with --drain: no server for so long ends with 69

  // How it runs
  bool drain = false;    // end when nothing is left that could be sent
  bool standby = false;  // wait for the lock instead of ending with 75
  bool hold = false;     // send nothing until an operator says resume
  bool offline = false;  // --verify: the DSP is not asked

  // What it says
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;
  ProgressStyle progress = ProgressStyle::automatic;

  // Where each setting came from, by key: "--workers", "DL_WORKERS",
  // "/etc/demandlink/config.toml:7"; absent: the default.
  std::map<std::string, std::string, std::less<>> origins;
  std::string config_path;            // the file that was read; empty: none
  std::vector<std::string> warnings;  // for the log, once it stands
};

// Reads flags, environment and configuration file. Nothing else is touched: no network, no
// database. For Command::help and ::version nothing but the flags is looked at. `fallback`: the
// file that is read where none is named and this one exists. Errors, one line each: usage (unknown
// flag, bad value of a flag, no endpoint to run with), config (bad value in the environment or the
// file, values that contradict each other), no_input (no such file).
Result<Config> parse_config(int argc, const char* const* argv, const Environment& environment,
                            std::string_view fallback = kDefaultConfigPath);

// All settings as a configuration file that would give the same values, each with its origin behind
// it.
std::string print_config(const Config& config);

// The text of --help: usage, the settings in their groups with units and defaults, exit codes.
std::string help_text();

}  // namespace dl
