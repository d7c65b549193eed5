// The table of ./dev bench limits: what was measured against its goal, the reference, the project's
// own simulator and the prototype's policy. Thread rule: one owner.
#pragma once

#include <limits>
#include <string>
#include <vector>

namespace dl::bench {

inline constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

enum class Unit { plain, share, seconds, count };
enum class Better { lower, higher };

struct GoalRow {
  std::string name;  // S1
  std::string what;
  Unit unit = Unit::plain;
  Better better = Better::lower;
  double measured = kNone;   // by the real daemon
  double simulated = kNone;  // by dl-policy-sim
  double goal = kNone;
  double reference = kNone;
  double prototype = kNone;

  // What the goal is held against: the measured figure where there is one.
  double judged() const;
  bool is_judged() const;
  bool is_met() const;
  // By how much measured and simulated differ, as a share of the simulated; kNone: one is missing.
  double disagreement() const;
};

class GoalTable {
 public:
  void section(const std::string& title) { rows_.push_back({.name = "", .what = title}); }
  void add(GoalRow row) { rows_.push_back(std::move(row)); }
  // The rows, "G of G goals met", what was missed by how much, and whether daemon and simulator
  // agree. True: all met and agreed.
  bool print() const;

 private:
  std::vector<GoalRow> rows_;
};

}  // namespace dl::bench
