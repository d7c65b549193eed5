// The command line of dl-mock-dsp. Thread rule: called once, by main.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "tests/mock_dsp/dsp.h"

namespace dl::mock {

struct ServeFlags {
  std::string listen = "127.0.0.1:0";
  std::string port_file;  // empty: none
  std::string ledger;     // empty: none
  double time_scale = 1;
  DspSettings dsp;
  std::string as_typed;  // for the ledger's first line
};
struct JudgeFlags {
  std::string ledger;
  std::vector<Tier> limit;
  std::optional<std::int64_t> entities_expected;
};
struct Finished {  // nothing is left to do: --help was printed, or what is wrong
  int exit_code = 0;
};

using Flags = std::variant<ServeFlags, JudgeFlags, Finished>;
Flags parse_flags(int argc, char** argv);

}  // namespace dl::mock
