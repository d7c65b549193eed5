// What happens to the machine in one run, and when: who lives, who dies, who comes back, and what
// is checked then. Thread rule: one thread. Ownership: borrows the machine and what checks it; owns
// the processes.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tests/sim/daemon_process.h"
#include "tests/sim/invariants.h"
#include "tests/sim/loader.h"
#include "tests/sim/machine.h"
#include "tests/sim/operators.h"
#include "tests/sim/simulator.h"
#include "tests/sim/world.h"

namespace dl::sim {

class Run {
 public:
  Run(std::uint64_t seed, const Scenario& scenario, Machine& machine, Invariants& invariants,
      Sheet& sheet, Trace trace);
  Report go();

 private:
  enum class Death { kill, power_loss };

  // The daemon
  void start_daemon();
  bool change_limit();
  std::unique_ptr<Store> open_store(Pid pid);
  std::unique_ptr<Database> open_database(Pid pid);
  void plan_death();
  bool about_to_feed(Pid pid);
  void crash(Death how);
  void died(Pid pid);
  void ended(Pid pid, Ending ending);
  bool is_a_stopped_owner(Pid pid) const { return !daemon_ || daemon_->pid() != pid; }
  void bury_stopped_owner(Pid pid);
  void come_back_in(std::int64_t delay);
  void check_recovery();
  Status remove_orphans(Store& store);

  // Everybody else
  void tick();
  bool is_idle();
  void stop_for_a_while();
  void act();
  void load_more();
  void load_in(std::int64_t delay);
  void load_step();
  void loader_is_gone(bool was_killed);
  void tables_have_changed();
  void settle_down();
  void tidy_up();

  World world_;
  Machine& machine_;
  Invariants& invariants_;
  Operators operators_;
  Report report_;
  Acknowledged acknowledged_;

  std::unique_ptr<DaemonProcess> daemon_;
  // may be on the stack: buried after the step
  std::vector<std::unique_ptr<DaemonProcess>> graveyard_;
  // of a planted fault, beside the new one
  std::vector<std::unique_ptr<DaemonProcess>> stopped_owners_;
  std::vector<std::unique_ptr<Store>> dead_stores_;  // theirs; may be on the stack
  std::unique_ptr<Store> idle_store_;                // of a dead daemon
  Pid idle_pid_;
  bool has_crashed_ = false;  // since the last recovery
  int crashes_left_ = 0;
  std::optional<int> inputs_left_;  // until the planned death
  int planned_in_the_middle_ = 0;   // calls until the death in one of them
  Death planned_ = Death::kill;
  bool standby_waits_ = false;

  std::unique_ptr<Loader> loader_;
  std::vector<Row> rows_to_load_;
  int sheets_left_ = 0;
  std::int64_t load_plan_ = 0;
  int loader_deaths_left_ = 0;
  std::int64_t last_batch_ = 0;
  bool may_have_orphans_ = false;
  bool is_finished_ = false;
  std::int64_t busy_at_ = 0;   // when the daemon had something to do last
  std::int64_t arrivals_ = 0;  // at the DSP, at the last tick
  std::int64_t silent_since_ = 0;
  int rounds_ = 0;  // of the end: drain, operators, drain
};

}  // namespace dl::sim
