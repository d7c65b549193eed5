#include "tests/bench/goal_table.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tests/bench/goals.h"

namespace dl::bench {
namespace {

std::string text_of(double value, Unit unit) {
  if (std::isnan(value)) return "-";
  char text[32];
  switch (unit) {
    case Unit::plain: std::snprintf(text, sizeof text, "%.4f", value); break;
    case Unit::share: std::snprintf(text, sizeof text, "%.2f %%", 100 * value); break;
    case Unit::seconds: std::snprintf(text, sizeof text, "%.1f s", value); break;
    case Unit::count: std::snprintf(text, sizeof text, "%.0f", value); break;
  }
  return text;
}

}  // namespace

double GoalRow::judged() const { return std::isnan(measured) ? simulated : measured; }
bool GoalRow::is_judged() const { return !std::isnan(goal) && !std::isnan(judged()); }
bool GoalRow::is_met() const {
  return better == Better::lower ? judged() <= goal : judged() >= goal;
}
double GoalRow::disagreement() const {
  if (std::isnan(measured) || std::isnan(simulated) || simulated == 0) return kNone;
  return std::abs(measured - simulated) / simulated;
}

bool GoalTable::print() const {
  constexpr const char* kLine = "%-3s %-62s %10s %10s %8s %12s %-4s %10s %10s\n";
  std::printf(kLine, "", "", "measured", "simulated", "apart", "goal", "met", "reference",
              "prototype");
  int goals = 0;
  int met = 0;
  double worst = 0;
  const GoalRow* apart = nullptr;
  for (const GoalRow& row : rows_) {
    if (row.name.empty()) {
      std::printf("\n%s\n", row.what.c_str());
      continue;
    }
    goals += row.is_judged() ? 1 : 0;
    met += row.is_judged() && row.is_met() ? 1 : 0;
    if (row.disagreement() > worst) {
      worst = row.disagreement();
      apart = &row;
    }
    const std::string bound = std::isnan(row.goal) ? "-"
                                                   : (row.better == Better::lower ? "<= " : ">= ") +
                                                         text_of(row.goal, row.unit);
    std::printf(kLine, row.name.c_str(), row.what.c_str(), text_of(row.measured, row.unit).c_str(),
                text_of(row.simulated, row.unit).c_str(),
                text_of(row.disagreement(), Unit::share).c_str(), bound.c_str(),
                !row.is_judged() ? "-"
                : row.is_met()   ? "yes"
                                 : "NO",
                text_of(row.reference, row.unit).c_str(), text_of(row.prototype, row.unit).c_str());
  }
  std::printf("\n%d of %d goals met\n", met, goals);
  for (const GoalRow& row : rows_) {
    if (row.name.empty() || !row.is_judged() || row.is_met()) continue;
    std::printf("missed: %s %s: %s, goal %s, by %.2f %%\n", row.name.c_str(), row.what.c_str(),
                text_of(row.judged(), row.unit).c_str(), text_of(row.goal, row.unit).c_str(),
                100 * std::abs(row.judged() - row.goal) / row.goal);
  }
  const bool agree = worst <= kAgreement;
  if (apart != nullptr) {
    std::printf("daemon and simulator %s within %.0f %%: at most %.2f %% apart (%s %s)\n",
                agree ? "agree" : "DO NOT agree", 100 * kAgreement, 100 * worst,
                apart->name.c_str(), apart->what.c_str());
  }
  return met == goals && agree;
}

}  // namespace dl::bench
