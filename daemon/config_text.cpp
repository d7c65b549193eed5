// Config for people: --help and --print-config, both read off the table of settings.
#include <algorithm>
#include <sstream>

#include "daemon/config.h"
#include "daemon/escape.h"
#include "daemon/setting.h"

namespace dl {
namespace {

constexpr std::size_t kHelpColumn = 38;

constexpr std::string_view kIntroduction =
    R"(dl-daemon submits the campaigns, ad groups and ads that dl-ingest loaded to the DSP,
never faster than the DSP allows, and remembers every request. It may be killed at any moment.

  dl-daemon --db demandlink.db --endpoint https://dsp.example/v1          run as a service
  dl-daemon --db demandlink.db --endpoint https://dsp.example/v1 --drain  run until all is done

TIME is a whole number and a unit: 500ms, 180s, 2min, 24h. Every setting can also be given in the
environment (--rate-limit: DL_RATE_LIMIT) and in the configuration file (rate_limit = "40/60s").
A flag goes before the environment, the environment before the file, the file before the default.
)";

constexpr std::string_view kOther = R"(
Other
  --config FILE                       configuration file (TOML); else DL_CONFIG, else
                                      /etc/demandlink/config.toml if it is there
  --check-config                      check all of the above, read the token and the certificates, and
                                      end; no network, no database
  --verify                            check the database against its own promises and, where
                                      unknown_outcome is lookup, against what the DSP has, within
                                      the limit; name each job that is wrong, and end
  --offline                           with --verify: the database alone; also beside a running daemon
  --print-config                      print every setting and where it came from, and end
  --version                           versions of the program and its libraries
  -h, --help                          this text

Secrets are never flags: name a file that holds them, or use a systemd credential.
SIGTERM, SIGINT and SIGHUP wait for what is on the wire; another SIGTERM or SIGINT, a second
later, leaves at once. Nothing is lost.

Exit codes
   0 done                        69 the DSP is out of reach (--drain)
   1 done, but something failed, 70 a bug
     is in doubt or is blocked   73, 74 cannot create; reading or writing failed
  64 usage                       75 another daemon holds the database; try again
  65 the database is damaged     77 credentials or file permissions refuse
  66 no such file                78 configuration
)";

void append_row(std::ostringstream& out, const Setting& setting, const std::string& default_value) {
  std::string left = "  " + setting.flag();
  if (!setting.value.empty()) left += " " + std::string(setting.value);
  out << left;
  const std::string indent(kHelpColumn, ' ');
  if (left.size() + 2 > kHelpColumn) {
    out << '\n' << indent;
  } else {
    out << indent.substr(left.size());
  }
  for (const char letter : setting.help) {
    out << letter;
    if (letter == '\n') out << indent;
  }
  if (!setting.value.empty() && !default_value.empty() && default_value != "\"\"") {
    std::string shown = default_value;
    shown.erase(std::remove(shown.begin(), shown.end(), '"'), shown.end());
    out << " [" << shown << "]";
  }
  out << '\n';
}

}  // namespace

std::string help_text() {
  std::ostringstream out;
  out << kIntroduction;
  const Config defaults;
  std::string_view group;
  for (const Setting& setting : settings()) {
    if (setting.group != group) out << '\n' << setting.group << '\n';
    group = setting.group;
    append_row(out, setting, setting.show(defaults));
  }
  out << kOther;
  return out.str();
}

std::string print_config(const Config& config) {
  std::ostringstream out;
  out << "# configuration file: "
      << (config.config_path.empty() ? "none" : escaped(config.config_path)) << '\n';
  for (const Setting& setting : settings()) {
    const std::string value = setting.show(config);
    if (value.empty()) {
      out << "# " << setting.key << " is not set\n";
      continue;
    }
    const auto origin = config.origins.find(setting.key);
    const bool is_default = origin == config.origins.end();
    out << setting.key << " = " << value << "  # "
        << (is_default ? "default" : escaped(origin->second)) << '\n';
  }
  return out.str();
}

}  // namespace dl
