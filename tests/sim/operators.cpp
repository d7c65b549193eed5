#include "tests/sim/operators.h"

#include <sqlite3.h>

#include "storage/idempotency_key.h"
#include "tests/sim/daemon_process.h"

namespace dl::sim {
namespace {

Millis last_use_of_a_key(const Scenario& scenario) {
  return last_use_of_key(scenario.dsp.key_lifetime_ms, kHttpTimeout, kLateArrival);
}

}  // namespace

Operators::Operators(World& world, Shell& shell) : world_(world), shell_(shell) {}

std::vector<Operators::Job> Operators::jobs() {
  std::vector<Job> all;
  SQLite::Statement& rows = shell_.list_jobs;
  while (rows.executeStep()) {
    const JobId id{rows.getColumn(0).getInt64()};
    all.push_back({id.value, world_.name_of(id), rows.getColumn(1).getString(),
                   rows.getColumn(2).getString(), rows.getColumn(3).getInt64()});
    const Job& job = all.back();
    if (job.state == "in_doubt" && !job.hold.empty() && !needs_a_person(job)) {
      world_.wrong("held without need: " + job.own_id + ": " + job.hold);
    }
  }
  rows.reset();
  return all;
}

// Where the DSP gives a means against doubt, nobody is asked but for a key that may have been
// forgotten, or after an operator's own wrong word.
bool Operators::needs_a_person(const Job& job) const {
  constexpr Millis kHour = 3'600'000;
  constexpr Millis kDrift = 60'000;
  const Scenario& scenario = world_.scenario;
  if (scenario.dsp.honours == Honours::nothing || world_.is_misled(job.own_id)) return true;
  if (scenario.dsp.honours == Honours::lookups ||
      !job.hold.starts_with("the DSP may have forgotten"))
    return false;
  const Millis stepped = scenario.clock_steps > 0 ? kHour : 0;
  const Millis rebooted = scenario.power_losses > 0 ? kHour : 0;  // so much the product takes off
  return job.key_age + stepped + rebooted + kDrift >= last_use_of_a_key(scenario);
}

bool Operators::act(std::int64_t job, const std::string& act, std::optional<std::string> dsp_id,
                    std::optional<std::int64_t> priority) {
  const std::string whom = job == 0 ? "the account" : world_.name_of(JobId{job});
  SQLite::Statement& insert = shell_.insert_act;
  insert.clearBindings();
  if (job != 0) insert.bind(1, job);
  insert.bind(2, act);
  if (dsp_id) insert.bind(3, *dsp_id);
  if (priority) insert.bind(4, *priority);
  const int code = insert.tryExecuteStep();
  const std::string refusal = code == SQLITE_DONE ? "" : shell_.db.getErrorMsg();
  insert.tryReset();
  if (world_.is_traced()) {
    world_.say("operator", act + " " + whom + " " + dsp_id.value_or("") +
                               (refusal.empty() ? "" : "; refused: " + refusal));
  }
  if (!refusal.empty()) return false;
  act_in_transaction_ = shell_.db.getLastInsertRowid();
  if (!is_open_) last_act_ = act_in_transaction_;
  return true;
}

// The truth: the id of what is there, or that nothing is there and nothing can come any more.
bool Operators::decide(const Job& job) {
  if (world_.in_transit(job.own_id) > 0) return false;
  const std::optional<std::string> found = world_.dsp.find_alive(job.own_id, world_.time());
  if (found) return act(job.id, "exists", *found, std::nullopt);
  return act(job.id, "absent", std::nullopt, std::nullopt);
}

bool Operators::act_at_random() {
  std::vector<Job> all = jobs();
  if (all.empty()) return false;
  const Job& job = world_.dice.pick(all);
  switch (world_.dice.between(0, 9)) {
    case 0:
    case 1:
    case 2: return act(job.id, "retry", std::nullopt, std::nullopt);
    case 3: return act(job.id, "cancel", std::nullopt, std::nullopt);
    case 4: return act(job.id, "priority", std::nullopt, world_.dice.between(-2, 2));
    case 5: return act(0, "pause", std::nullopt, std::nullopt);
    case 6: return act(0, "resume", std::nullopt, std::nullopt);
    default: break;
  }
  if (world_.dice.happens(world_.scenario.wrong_acts)) {
    const bool said = act(job.id, "exists", "X" + std::to_string(job.id), std::nullopt);
    if (said) world_.mislead(job.own_id);
    return said;
  }
  for (const Job& doubt : all) {
    if (doubt.state == "in_doubt") return decide(doubt);
  }
  return false;
}

bool Operators::is_paused_by_a_person() {
  shell_.paused_by.executeStep();
  const std::string by = shell_.paused_by.getColumn(0).getString();
  shell_.paused_by.reset();
  return !by.empty() && by != "daemon";
}

int Operators::put_in_order() {
  int acts = 0;
  if (is_paused_by_a_person()) acts += act(0, "resume", std::nullopt, std::nullopt) ? 1 : 0;
  for (const Job& job : jobs()) {
    if (job.state == "in_doubt" && !job.hold.empty()) acts += decide(job) ? 1 : 0;
  }
  return acts;
}

void Operators::open_transaction() {
  is_open_ =
      shell_.db.tryExec("BEGIN IMMEDIATE") == SQLITE_OK;  // else somebody else writes just now
}

void Operators::close_transaction() {
  if (!is_open_) return;
  is_open_ = false;
  shell_.db.exec("COMMIT");
  last_act_ = act_in_transaction_;
}

void Operators::start_anew() {
  if (is_open_) act_in_transaction_ = last_act_;
  is_open_ = false;
  shell_.db.tryExec("ROLLBACK");
}

}  // namespace dl::sim
