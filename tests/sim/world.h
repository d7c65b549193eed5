// What everything in a simulation shares: true time and the machine's clocks, the queue of events,
// the machine's disk, chance, the trace, and the list of broken promises. Thread rule: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "storage/model/ids.h"
#include "storage/model/moment.h"
#include "tests/sim/dice.h"
#include "tests/sim/model_dsp.h"
#include "tests/sim/scenario.h"
#include "tests/sim/sheet.h"
#include "tests/sim/vfs.h"

namespace dl::sim {

enum class Trace { off, on };

class World {
 public:
  static constexpr const char* kDatabase = "sim.db";
  static constexpr Pid kWorld{-1};  // of events that no process owns

  World(std::uint64_t seed, const Scenario& scenario, Vfs& vfs, Sheet& sheet, Trace trace);

  // Time -------------------------------------------------------------------------------------
  std::int64_t time() const { return time_; }             // true milliseconds since the start
  Moment now() const;                                     // as the machine's clocks have it
  std::int64_t true_time_of(std::int64_t boot_ms) const;  // when the boot clock will show it
  std::string boot_key() const { return "boot-" + std::to_string(boot_); }
  void reboot();  // the boot clock begins anew
  void set_wall_clock(std::int64_t wrong_by_ms) { wall_offset_ = wrong_by_ms; }

  // Events: in the order of their times; of processes that live.
  void at(std::int64_t time, Pid whose, std::function<void()> act);
  void after(std::int64_t delay, Pid whose, std::function<void()> act) {
    at(time_ + delay, whose, std::move(act));
  }
  // Runs the next event. False: there is none.
  bool step();
  // Events of a stopped process wait, in their order, until then.
  void stop_until(Pid whose, std::int64_t time);
  bool is_stopped(Pid whose) const { return whose == stopped_ && time_ < stopped_until_; }
  void end(Pid whose) { ended_.push_back(whose.value); }  // its events are void
  Pid new_pid() { return Pid{++last_pid_}; }

  // No more faults: the end of a run must be reachable.
  bool is_calm() const { return calm_; }
  void calm_down() { calm_ = true; }

  void wrong(const std::string& what);
  bool has_wrongs() const { return !wrongs_.empty(); }
  const std::vector<std::string>& wrongs() const { return wrongs_; }

  // POSTs of a job that the DSP may still come to know of, or to apply.
  int in_transit(const std::string& own_id) const;
  void set_out(const std::string& own_id) { ++transit_[own_id]; }
  void arrived(const std::string& own_id) { --transit_[own_id]; }

  // An operator has named an id that nobody has: what became of the job's POSTs is nobody's to
  // know.
  void mislead(const std::string& own_id) { misled_.insert(own_id); }
  bool is_misled(const std::string& own_id) const { return misled_.contains(own_id); }

  bool is_traced() const { return trace_ == Trace::on; }
  void say(const std::string& who, const std::string& what) const;
  std::string name_of(JobId job) const { return sheet.name_of(job); }

  Dice dice;
  const Scenario scenario;
  std::vector<Tier> limit;  // of the daemons that start from now on
  Vfs& vfs;
  Sheet& sheet;
  ModelDsp dsp;
  std::int64_t steps = 0;

 private:
  struct Event {
    std::int64_t at;
    std::int64_t order;
    Pid whose;
    std::function<void()> act;
    bool operator<(const Event& other) const {
      return std::tie(at, order) > std::tie(other.at, other.order);
    }
  };

  std::int64_t boot_clock_at(std::int64_t time) const;

  std::int64_t time_ = 0;
  std::int64_t order_ = 0;
  std::int64_t boot_ = 1;
  std::int64_t boot_started_ = 0;
  std::int64_t boot_clock_at_start_ = 1'000'000;  // the machine has been up for a while
  std::int64_t wall_offset_ = 0;
  int last_pid_ = 0;
  bool calm_ = false;
  Trace trace_;
  std::priority_queue<Event> events_;
  std::vector<int> ended_;
  Pid stopped_{-2};
  std::int64_t stopped_until_ = 0;
  std::map<std::string, int> transit_;
  std::set<std::string> misled_;
  std::vector<std::string> wrongs_;
};

}  // namespace dl::sim
