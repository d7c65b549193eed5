// What ./dev bench limits says in the end: reads the runs of the real daemon that
// tests/bench/limits.sh left in a folder, runs the same days in the simulator, and prints the table
// of goals. Thread rule: one thread.
#pragma once

#include <string>

#include "storage/model/result.h"

namespace dl::bench {

enum class Verdict { all_met, some_missed };

// `folder`: one folder a run, each with a file `facts` (a word and its value a line):
//   kind          schedule, mini, trouble or refused
//   what          words for the table
//   shape, processing   of the graph (schedule, mini, refused)
//   round_trip_ms from the commit of a permit to that of its outcome, on the daemon's clock
//   use_goal      share of the limit that must have been used; absent: no goal
//   broken        duplicates and children in front of their parents, by the mock's judge
//   unproven      1: what the run was to show did not happen
// and its `ledger`, or nginx's `access.log` with the fact time_scale.
// Errors: no_input, data.
Result<Verdict> print_report(const std::string& folder, int seeds);

}  // namespace dl::bench
