// The half of a run that kills: planning a death, dying, coming back.
#include <algorithm>
#include <array>

#include "storage/model/check.h"
#include "tests/sim/run.h"
#include "tests/sim/trace.h"

namespace dl::sim {
namespace {

constexpr double kColdStarts = 1.0 / 64;     // open the database anew, schema and all
constexpr std::int64_t kRest = 300;          // inputs
constexpr double kThoroughChecks = 1.0 / 8;  // of recoveries

}  // namespace

// Somebody starts it with another --rate-limit.
bool Run::change_limit() {
  const bool changes = world_.scenario.other_limit && has_crashed_ && world_.dice.happens(0.5);
  if (!changes) return false;
  const std::vector<Tier>& other = *world_.scenario.other_limit;
  world_.limit = world_.limit == other ? world_.scenario.limit : other;
  const std::int64_t newest =
      machine_.observer().execAndGet("SELECT coalesce(max(id), 0) FROM request").getInt64();
  world_.dsp.judge_by(world_.limit, RequestId{newest});
  world_.say("operator", "starts it with --rate-limit " + format_rate_spec(world_.limit));
  return true;
}

// As main: open, look for damage, remove what a dead loader left.
std::unique_ptr<Store> Run::open_store(Pid pid) {
  const bool has_other_settings = change_limit();
  if (idle_store_ && !world_.dice.happens(kColdStarts)) {
    world_.vfs.revive(idle_pid_, pid);
    if (!has_other_settings) return std::move(idle_store_);
    return std::make_unique<Store>(std::exchange(idle_store_, nullptr)->give_back(),
                                   request_format(), store_policy(world_));
  }
  idle_store_.reset();
  std::unique_ptr<Database> database = machine_.take_daemons(pid);
  if (!database) database = open_database(pid);
  if (!database) return nullptr;
  return std::make_unique<Store>(std::move(database), request_format(), store_policy(world_));
}

std::unique_ptr<Database> Run::open_database(Pid pid) {
  world_.vfs.run_as(pid);
  Result<std::unique_ptr<Database>> database =
      Database::open(World::kDatabase, OpenMode::existing, Vfs::kName);
  if (!database) {
    world_.wrong("the database does not open: " + database.error().message);
    return nullptr;
  }
  if (const Status sound = (*database)->check_integrity(); !sound) {
    world_.wrong(sound.error().message);
  }
  (*database)->set_busy_wait(std::chrono::milliseconds{0});
  (*database)->leave_guards_to_others();
  return std::move(*database);
}

void Run::start_daemon() {
  const Pid pid = world_.new_pid();
  busy_at_ = world_.time();
  std::unique_ptr<Store> store = open_store(pid);
  if (!store) return;
  plan_death();
  if (planned_in_the_middle_ > 0) world_.vfs.die_in(pid, planned_in_the_middle_, world_.dice);
  const bool for_ever = world_.scenario.runs_for_ever && !world_.is_calm();
  DaemonEvents events;
  events.about_to_feed = [this, pid] { return about_to_feed(pid); };
  events.died = [this, pid] { died(pid); };
  events.ended = [this, pid](Ending ending) { ended(pid, ending); };
  Store& memory = *store;
  daemon_ = std::make_unique<DaemonProcess>(world_, pid, std::move(store),
                                            for_ever ? Lifetime::for_ever : Lifetime::drain,
                                            acknowledged_, std::move(events));
  Status ok = remove_orphans(memory);
  if (ok) ok = daemon_->start();
  if (daemon_ && daemon_->is_dead()) return died(pid);
  if (ok) return check_recovery();
  if (ok.error().code != Errc::busy) world_.wrong("take-over: " + ok.error().message);
  // Exit 75: somebody's transaction is open. The service manager starts it again.
  idle_pid_ = pid;
  idle_store_ = daemon_->die();
  graveyard_.push_back(std::move(daemon_));
  world_.vfs.kill(pid);
  come_back_in(5'000);
}

// A batch in state 'loading' without a loader is an orphan.
Status Run::remove_orphans(Store& store) {
  if (loader_ || !std::exchange(may_have_orphans_, false)) return Done{};
  const Result<int> removed = remove_orphaned_batches(store.database(), Writer::daemon);
  if (!removed) return removed.error();
  return Done{};
}

void Run::plan_death() {
  inputs_left_.reset();
  planned_in_the_middle_ = 0;
  if (crashes_left_ == 0 || world_.is_calm()) return;
  planned_ = world_.dice.happens(world_.scenario.power_losses) ? Death::power_loss : Death::kill;
  static constexpr std::array<std::int64_t, 4> kMost = {4, 4, 12, 40};
  const bool rests = world_.dice.happens(world_.scenario.rests);
  const std::int64_t most = rests ? kRest : world_.dice.pick(kMost);
  if (world_.dice.happens(world_.scenario.in_the_middle)) {
    planned_in_the_middle_ = static_cast<int>(world_.dice.between(1, most * 6));
  } else {
    inputs_left_ = static_cast<int>(world_.dice.between(0, most));
  }
}

bool Run::about_to_feed(Pid pid) {
  if (is_a_stopped_owner(pid)) return false;
  busy_at_ = world_.time();
  if (!inputs_left_) return false;
  if (--*inputs_left_ >= 0) return false;
  crash(planned_);
  return true;
}

void Run::died(Pid pid) {
  if (is_a_stopped_owner(pid)) return bury_stopped_owner(pid);
  if (planned_in_the_middle_ > 0) ++report_.in_the_middle;
  crash(planned_in_the_middle_ > 0 ? planned_ : Death::kill);
}

void Run::crash(Death how) {
  ++report_.points;
  --crashes_left_;
  has_crashed_ = true;
  inputs_left_.reset();
  planned_in_the_middle_ = 0;
  if (world_.is_traced()) {
    world_.say(trace_name(daemon_->pid()), how == Death::kill ? "IS KILLED" : "POWER LOSS");
  }
  idle_pid_ = daemon_->pid();
  idle_store_ = daemon_->die();
  const Disk::Image unwritten = daemon_->unwritten(world_.time() - 100);
  graveyard_.push_back(std::move(daemon_));
  if (how == Death::kill) {
    world_.vfs.kill(idle_pid_);
    const bool takes_over = world_.scenario.has_standby && standby_waits_;
    standby_waits_ = !takes_over;
    come_back_in(takes_over ? world_.dice.between(1, 50)
                            : world_.dice.between(1, world_.scenario.away_ms));
  } else {
    ++report_.power_losses;
    may_have_orphans_ = true;
    while (!stopped_owners_.empty()) bury_stopped_owner(stopped_owners_.back()->pid());
    loader_.reset();
    operators_.start_anew();
    world_.vfs.lose_power(world_.dice);
    operators_.start_anew();
    world_.vfs.revive(Machine::kShell, Machine::kShell);
    world_.vfs.revive(Machine::kLoader, Machine::kLoader);
    world_.reboot();
    standby_waits_ = world_.scenario.has_standby;
    come_back_in(world_.dice.between(5'000, 5'000 + world_.scenario.away_ms));
    if (!rows_to_load_.empty()) load_in(world_.dice.between(10'000, 90'000));
  }
  if (!unwritten.empty()) world_.vfs.restore(unwritten);
  DL_CHECK(sqlite3_get_autocommit(idle_store_->database().handle().getHandle()) != 0,
           "a dead process has no transaction");
}

void Run::bury_stopped_owner(Pid pid) {
  const auto owner =
      std::ranges::find_if(stopped_owners_, [pid](const auto& each) { return each->pid() == pid; });
  DL_CHECK(owner != stopped_owners_.end(),
           "a daemon that is not the present one is a stopped owner");
  dead_stores_.push_back((*owner)->die());
  graveyard_.push_back(std::move(*owner));
  stopped_owners_.erase(owner);
  world_.vfs.kill(pid);
}

void Run::come_back_in(std::int64_t delay) {
  if (crashes_left_ == 0) settle_down();
  world_.after(delay, World::kWorld, [this] { start_daemon(); });
}

void Run::check_recovery() {
  if (!std::exchange(has_crashed_, false)) return;
  invariants_.check_memory(world_, acknowledged_, operators_.last_act(), last_batch_);
  if (world_.dice.happens(kThoroughChecks)) invariants_.check_structure(world_);
}

}  // namespace dl::sim
