// What a seed decides before anything happens: the DSP's manners and faults, the limit, the shape
// of the jobs, who else is at work and how the machine fails. Each seed switches a random half of
// the faults off, so that runs differ in kind and not only in order (swarm testing, Groce et al.
// 2012).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/model/rate_spec.h"
#include "tests/sim/dice.h"
#include "tests/sim/model_dsp.h"
#include "tests/sim/sheet.h"

namespace dl::sim {

// What a seed leans on, beside the chances of everything: rare meetings of faults are made likely
// in a world of their own.
enum class Focus {
  anything,   // seven seeds of ten
  crowd,      // more work than the limit lets through, and requests that arrive late
  reboots,    // the same, and a machine that is back within seconds
  refusals,   // the DSP asks to wait, again and again
  old_keys,   // nobody restarts the daemon for longer than the DSP remembers a key
  late_work,  // creations take effect late, and lookups see them later still
};

// What a caller may fix; the seed decides the rest.
struct Wishes {
  std::optional<Honours> honours;
  std::optional<Shape> shape;
  std::optional<Focus> focus;
};

struct Scenario {
  Focus focus = Focus::anything;
  DspTraits dsp;
  std::vector<Tier> limit;
  std::optional<std::vector<Tier>> other_limit;  // restarts go to and fro between the two
  Shape shape = Shape::deep;
  int in_flight = 4;
  int max_retries = 3;
  // How things fail; each 0 where this seed switched it off.
  int crashes = 0;              // planned deaths of the daemon or the machine
  double power_losses = 0;      // share of them
  double rests = 0;             // share of deaths that come only after a long time of work
  double in_the_middle = 0;     // share of them in the middle of a write or sync
  double stops = 0;             // chance a minute that the daemon is stopped (SIGSTOP) for a while
  double lost_on_the_wire = 0;  // requests that never arrive, or late
  double connect_fails = 0;
  double acts = 0;         // chance a second that an operator does something
  double wrong_acts = 0;   // share of `exists` that name an id nobody has
  double open_shells = 0;  // chance an act leaves its transaction open for a while
  double clock_steps = 0;  // chance a minute that the wall clock is stepped
  int sheets = 0;          // loaded while the daemon works
  double loader_dies = 0;
  bool has_standby = false;
  bool runs_for_ever = false;  // the daemon is told to stop before it drains
  std::int64_t disk_ms = 0;    // the longest commit
  std::int64_t away_ms = 0;    // the longest time that nobody restarts a dead daemon
  std::int64_t drift_ppm = 0;  // of the boot clock
};

Scenario draw(std::uint64_t seed, const Wishes& wishes);

}  // namespace dl::sim
