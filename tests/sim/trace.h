// What happens in a simulation, in words for people: jobs and processes by name, never by number
// alone. Pure functions.
#pragma once

#include <string>

#include "daemon/core/dispatcher.h"
#include "tests/sim/world.h"

namespace dl::sim {

std::string trace_name(Pid pid);
std::string describe(const Input& input, const World& world);
// Empty: not worth a line.
std::string describe(const AnyCommand& command, const World& world);
std::string describe(const DspRequest& request, const World& world);
std::string describe(const ModelAnswer& answer);
std::string describe(const Recovery& recovery);

}  // namespace dl::sim
