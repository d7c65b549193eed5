// The table of dl-daemon's settings: one row has the name, the words for --help, and how a text
// becomes a field of Config and back. A new setting is a field in config.h, a row here, a key in
// config_file.h. Pure; callable from any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "daemon/config.h"

namespace dl {

struct Setting {
  std::string_view
      key;  // in the file; '_' becomes '-' in the flag, upper case with DL_ in the environment
  std::string_view group;  // heading in --help
  std::string_view value;  // what is expected: "TIME", "N"; empty: a switch
  std::string_view help;   // one line or more, '\n' between
  // Reads the text into its field. Errors: usage, "what is wrong", without the setting's name.
  Status (*set)(Config& config, const std::string& text);
  // The field as a TOML value; empty: not set.
  std::string (*show)(const Config& config);

  std::string flag() const;      // --rate-limit
  std::string variable() const;  // DL_RATE_LIMIT
};

std::span<const Setting> settings();

}  // namespace dl
