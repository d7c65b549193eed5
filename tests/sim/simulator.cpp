#include "tests/sim/simulator.h"

#include "tests/sim/invariants.h"
#include "tests/sim/machine.h"
#include "tests/sim/run.h"

namespace dl::sim {

struct Simulator::Parts {
  Machine machine;
  Invariants invariants{machine.observer()};
};

Simulator::Simulator() : parts_(std::make_unique<Parts>()) {}
Simulator::~Simulator() = default;

Report Simulator::run(std::uint64_t seed, const Wishes& wishes, Trace trace) {
  const Scenario scenario = draw(seed, wishes);
  Sheet sheet = parts_->machine.begin(scenario.shape);
  return Run(seed, scenario, parts_->machine, parts_->invariants, sheet, trace).go();
}

}  // namespace dl::sim
