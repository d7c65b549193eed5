// The two documents that are printed from the code, so that they cannot be wrong.
#pragma once

#include <string>

namespace dl::tidy {

std::string state_machine_page();  // docs/state_machine.md, from kRules
std::string outcomes_page();       // docs/OUTCOMES.md, from status_rules(), classify() and decide()

}  // namespace dl::tidy
