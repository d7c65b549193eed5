// The configuration file that dl-ingest and dl-daemon share, read strictly: flat `key = value`
// lines of TOML, every key known, every value kept as text with the place it came from. What a text
// means is the reader's business (storage/model/duration.h, rate_spec.h, daemon/config.h). The only
// file that includes toml++. Thread rule: plain values; read them from any thread.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "storage/model/result.h"

namespace dl {

// Every key either program knows: the long flag with underscores. dl-ingest reads db alone and lets
// the others be, so that one file serves both.
inline constexpr auto kConfigKeys = std::to_array<std::string_view>({
    "allow_token_over_http",
    "burst",
    "ca_file",
    "confirm_timeout",
    "connect_timeout",
    "connections_per_worker",
    "db",
    "drain",
    "endpoint",
    "headroom",
    "hold",
    "http_timeout",
    "in_flight",
    "key_lifetime",
    "late_arrival",
    "log_format",
    "log_level",
    "max_retries",
    "missing_id",
    "not_applied_status",
    "progress",
    "rate_limit",
    "retryable_status",
    "settle",
    "standby",
    "strict",
    "token_file",
    "unknown_outcome",
    "unreachable_timeout",
    "workers",
});

struct ConfigValue {
  std::string text;    // a string as it is, a whole number in decimal, a boolean as true or false
  std::string origin;  // "/etc/demandlink/config.toml:7"
};

// The process's environment as a value: name -> value.
using Environment = std::map<std::string, std::string, std::less<>>;
// `environ`: null-terminated array of NAME=value. Later duplicates lose, as with getenv().
Environment read_environment(const char* const* environ);

inline constexpr std::string_view kDefaultConfigPath = "/etc/demandlink/config.toml";

class ConfigFile {
 public:
  // No file: every key is absent.
  ConfigFile() = default;

  // Errors: no_input (missing, unreadable, not a file); config, as "file:line:column: what is
  // wrong", for text that is not TOML, a key that is not known (with the nearest that is), a value
  // that is neither string, whole number nor boolean, and a file longer than 1 MiB.
  static Result<ConfigFile> load(const std::string& path);

  // The file that the rules choose: `flag` (--config), else DL_CONFIG, else `fallback` where it
  // exists, else none. A file that was asked for by name must exist. An empty DL_CONFIG means: no
  // file at all.
  static Result<ConfigFile> choose(const std::optional<std::string>& flag,
                                   const Environment& environment,
                                   std::string_view fallback = kDefaultConfigPath);

  const std::string& path() const { return path_; }     // empty: no file
  const ConfigValue* find(std::string_view key) const;  // nullptr: the file does not say

 private:
  std::string path_;
  std::map<std::string, ConfigValue, std::less<>> values_;
};

}  // namespace dl
