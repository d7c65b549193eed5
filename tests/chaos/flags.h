// The command line that dl-chaos and dl-flips share. Pure; callable from any thread.
#pragma once

#include <cstdint>
#include <random>
#include <string_view>

namespace dl::chaos {

struct Flags {
  std::int64_t amount = 200;  // of what the program makes
  std::uint64_t seed = std::random_device{}();
  int jobs = 6;  // at once; each mostly waits: for a window, a settle time, a process
  bool trace = false;
};

// `amount_flag`: the one that sets the amount, "--kills". False: it cannot be read.
bool parse(int argc, char** argv, std::string_view amount_flag, Flags& flags);

}  // namespace dl::chaos
