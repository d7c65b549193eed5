#include "tests/sim/run.h"

#include "storage/model/planted.h"
#include "tests/sim/trace.h"

namespace dl::sim {
namespace {

constexpr std::int64_t kTick = 5'000;
constexpr std::int64_t kFaultsEndAfter = 24LL * 3'600'000;
constexpr std::int64_t kIdleAfter = 15 * 60'000;
constexpr std::int64_t kSilentAfter = 30 * 60'000;
// of one sheet: some sheets take nine steps, and three of five steps kill
constexpr int kLoaderDeathsMax = 4;
constexpr std::int64_t kStepsMax = 200'000;
constexpr int kRoundsMax = 40;
// A clean end closes the database. Others have it open, so that no byte of it changes by that.
constexpr double kCloses = 1.0 / 64;

}  // namespace

Run::Run(std::uint64_t seed, const Scenario& scenario, Machine& machine, Invariants& invariants,
         Sheet& sheet, Trace trace)
    : world_(seed, scenario, machine.vfs(), sheet, trace),
      machine_(machine),
      invariants_(invariants),
      operators_(world_, machine.shell()),
      crashes_left_(scenario.crashes),
      standby_waits_(scenario.has_standby),
      sheets_left_(scenario.sheets) {
  machine.set_world(&world_);
}

Report Run::go() {
  start_daemon();
  world_.after(kTick, World::kWorld, [this] { tick(); });
  while (!is_finished_ && !world_.has_wrongs() && world_.step()) {
    graveyard_.clear();
    dead_stores_.clear();
    for (const std::string& what : world_.dsp.take_wrongs()) world_.wrong(what);
    if (world_.steps > kStepsMax) world_.wrong("the run does not end");
  }
  if (!is_finished_ && !world_.has_wrongs()) world_.wrong("the run stands still");
  graveyard_.clear();
  stopped_owners_.clear();
  dead_stores_.clear();
  if (daemon_) {
    idle_pid_ = daemon_->pid();
    idle_store_ = daemon_->die();
  }
  loader_.reset();
  operators_.start_anew();
  if (is_finished_) invariants_.check_end(world_);
  if (idle_store_ && !world_.has_wrongs())
    machine_.keep_daemons(idle_store_->give_back(), idle_pid_);
  idle_store_.reset();
  report_.violations = world_.wrongs();
  report_.steps = world_.steps;
  report_.requests = world_.dsp.arrivals();
  report_.virtual_ms = world_.time();
  report_.jobs = invariants_.jobs();
  report_.succeeded = invariants_.succeeded();
  machine_.set_world(nullptr);
  return report_;
}

// Now and then something happens that is not the daemon's doing.
void Run::tick() {
  if (world_.is_calm()) return;
  if (is_idle() || world_.time() > kFaultsEndAfter) return settle_down();
  const Scenario& scenario = world_.scenario;
  const double minutes = static_cast<double>(kTick) / 60'000;
  if (world_.dice.happens(scenario.acts * kTick / 1'000)) act();
  if (world_.dice.happens(scenario.stops * minutes)) stop_for_a_while();
  if (world_.dice.happens(scenario.clock_steps * minutes)) {
    world_.set_wall_clock(world_.dice.between(-1'800'000, 1'800'000));
    world_.say("machine", "the wall clock is stepped");
  }
  if (sheets_left_ > 0 && rows_to_load_.empty() && world_.dice.happens(0.1)) load_more();
  world_.after(kTick, World::kWorld, [this] { tick(); });
}

// Operators who change what nobody sends any more are no reason to go on.
bool Run::is_idle() {
  if (world_.dsp.arrivals() != arrivals_) silent_since_ = world_.time();
  arrivals_ = world_.dsp.arrivals();
  if (!daemon_ || sheets_left_ > 0) return false;
  return world_.time() - busy_at_ > kIdleAfter || world_.time() - silent_since_ > kSilentAfter;
}

// SIGSTOP: longer than the settle time, or three windows, or just a moment; not longer than a key
// leaves time for.
void Run::stop_for_a_while() {
  if (!daemon_ || world_.is_stopped(daemon_->pid())) return;
  ++report_.stops;
  const std::int64_t span = world_.dice.between(100, 240'000);
  world_.stop_until(daemon_->pid(), world_.time() + span);
  if (planted(Fault::reclaimed_from_a_stopped_owner)) {
    stopped_owners_.push_back(std::move(daemon_));
    return come_back_in(1'000);
  }
  if (world_.is_traced()) {
    world_.say(trace_name(daemon_->pid()), "is stopped for " + std::to_string(span) + " ms");
  }
}

void Run::act() {
  if (operators_.has_open_transaction()) return;
  if (world_.dice.happens(world_.scenario.open_shells)) operators_.open_transaction();
  if (operators_.act_at_random()) ++report_.acts;
  if (!operators_.has_open_transaction()) return tables_have_changed();
  world_.after(world_.dice.between(10, 20'000), World::kWorld, [this] {
    operators_.close_transaction();
    tables_have_changed();
  });
}

// The store thread looks every 40 ms; a little more often here.
void Run::tables_have_changed() {
  if (!daemon_) return;
  world_.after(world_.dice.between(0, 25), daemon_->pid(), [this] {
    if (daemon_) daemon_->look_at_tables();
  });
}

// Loading
// ---------------------------------------------------------------------------------------------

void Run::load_more() {
  --sheets_left_;
  rows_to_load_ = world_.sheet.next_rows(2 + sheets_left_, world_.dice.happens(0.5));
  loader_deaths_left_ = kLoaderDeathsMax;
  load_in(0);
}

// There is one loader: only the newest plan counts.
void Run::load_in(std::int64_t delay) {
  world_.after(delay, World::kWorld, [this, mine = ++load_plan_] {
    if (mine == load_plan_) load_step();
  });
}

void Run::load_step() {
  if (rows_to_load_.empty()) return;
  if (!loader_) {
    world_.vfs.revive(Machine::kLoader, Machine::kLoader);
    const Result<int> removed = remove_orphaned_batches(machine_.loaders());
    if (!removed) return load_in(1'000);  // somebody holds the database
    loader_ = std::make_unique<Loader>(machine_.loaders(), world_.sheet, rows_to_load_);
  }
  const bool may_die = !world_.is_calm() && loader_deaths_left_ > 0;
  if (may_die && world_.dice.happens(world_.scenario.loader_dies)) {
    --loader_deaths_left_;
    world_.say("loader", "is killed");
    return loader_is_gone(true);
  }
  const Result<Loader::Progress> progress = loader_->step(world_.now().wall_ms);
  if (!progress) {
    world_.say("loader", "gives up: " + progress.error().message);
    if (!loader_->discard()) world_.say("loader", "cannot remove what it has written");
    return loader_is_gone(false);
  }
  tables_have_changed();
  if (*progress == Loader::Progress::more) {
    return load_in(world_.dice.between(1, 2'000));
  }
  ++report_.batches;
  last_batch_ = loader_->batch().value;
  world_.say("loader", "has loaded batch " + std::to_string(last_batch_));
  loader_.reset();
  rows_to_load_.clear();
}

// Somebody loads the same sheet again later.
void Run::loader_is_gone(bool was_killed) {
  loader_.reset();
  may_have_orphans_ = true;
  if (was_killed) world_.vfs.kill(Machine::kLoader);
  load_in(world_.dice.between(1'000, 60'000));
}

// The end
// -------------------------------------------------------------------------------------------

// From now on nothing fails, and the daemon drains.
void Run::settle_down() {
  if (world_.is_calm()) return;
  world_.say("machine", "no more faults");
  world_.calm_down();
  world_.vfs.disarm();
  inputs_left_.reset();
  planned_in_the_middle_ = 0;
  crashes_left_ = 0;
  world_.after(60'000, World::kWorld, [this] { tidy_up(); });
  if (world_.scenario.runs_for_ever && daemon_) {
    world_.after(1, daemon_->pid(), [this] {
      if (daemon_) daemon_->ask_to_stop();
    });
  }
}

// Somebody sees to what only a person can decide.
void Run::tidy_up() {
  if (operators_.put_in_order() > 0) tables_have_changed();
  if (!daemon_ || ++rounds_ > kRoundsMax) return;
  world_.after(120'000, World::kWorld, [this] { tidy_up(); });
}

void Run::ended(Pid pid, Ending ending) {
  if (is_a_stopped_owner(pid)) return bury_stopped_owner(pid);
  if (world_.is_traced()) {
    static constexpr const char* kWords[] = {"stopped", "drained", "unreachable", "unauthorized"};
    world_.say(trace_name(daemon_->pid()),
               std::string("has ended: ") + kWords[static_cast<int>(ending)]);
  }
  idle_pid_ = daemon_->pid();
  idle_store_ = daemon_->die();
  graveyard_.push_back(std::move(daemon_));
  if (world_.dice.happens(kCloses)) {
    idle_store_.reset();
  } else {
    world_.vfs.kill(idle_pid_);
  }
  inputs_left_.reset();
  if (!world_.is_calm()) {
    if (ending == Ending::drained && sheets_left_ == 0) settle_down();
    return come_back_in(world_.dice.between(1, 60'000));
  }
  const bool is_loading = !rows_to_load_.empty();
  const bool goes_on = operators_.put_in_order() > 0 || is_loading || ending != Ending::drained;
  if (!goes_on) {
    is_finished_ = true;
    return;
  }
  if (++rounds_ > 2 * kRoundsMax) return world_.wrong("the run does not come to rest");
  come_back_in(10'000);
}

}  // namespace dl::sim
