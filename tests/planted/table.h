// The faults that can be planted (storage/model/planted.h): which promise each breaks, and within
// how many seeds the simulator finds it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "storage/model/planted.h"

namespace dl::sim {

struct Mutant {
  Fault fault;
  std::string_view name;
  std::string_view promise;
  std::uint64_t within_seeds;
};
std::span<const Mutant> mutants();

}  // namespace dl::sim
