#include "tests/sim/scenario.h"

#include <array>

namespace dl::sim {
namespace {

// `value` in about half of the seeds, sometimes three times as much.
double sometimes(Dice& dice, double value) {
  switch (dice.between(0, 5)) {
    case 0:
    case 1:
    case 2: return 0;
    case 3: return value * 3;
    default: return value;
  }
}

const std::vector<std::vector<Tier>>& limits() {
  static const std::vector<std::vector<Tier>> all = {
      {{40, 60'000}}, {{5, 10'000}}, {{8, 20'000}}, {{4, 5'000}, {12, 60'000}}, {{3, 4'000}}, {}};
  return all;
}

DspTraits draw_dsp(Dice& dice) {
  DspTraits dsp;
  dsp.lost_answer = sometimes(dice, 0.08);
  dsp.late_apply = sometimes(dice, 0.08);
  dsp.refused_429 = sometimes(dice, 0.03);
  dsp.error_500 = sometimes(dice, 0.05);
  dsp.bare_503 = sometimes(dice, 0.02);
  dsp.refused_400 = sometimes(dice, 0.02);
  dsp.refused_408 = sometimes(dice, 0.03);
  dsp.garbage = sometimes(dice, 0.04);
  dsp.missing_id = sometimes(dice, 0.03);
  dsp.creation_fails = sometimes(dice, 0.1);
  dsp.never_decides = sometimes(dice, 0.01);
  dsp.no_credentials = sometimes(dice, 0.004);
  dsp.lookup_lag_ms = dice.happens(0.5) ? dice.between(0, 55'000) : 0;
  dsp.processing_max_ms = dice.happens(0.2) ? 300'000 : dice.happens(0.2) ? 0 : 8'000;
  return dsp;
}

Focus draw_focus(Dice& dice) {
  static constexpr std::array kFocuses = {Focus::crowd, Focus::reboots, Focus::refusals,
                                          Focus::old_keys, Focus::late_work};
  return dice.happens(0.3) ? dice.pick(kFocuses) : Focus::anything;
}

// More to send than may be sent, so that each slot is used again the moment it is free.
void crowd(Scenario& scenario, Dice& dice, const std::vector<std::vector<Tier>>& limits) {
  scenario.shape = Shape::crowd;
  scenario.limit = dice.pick(limits);
  scenario.in_flight = 6;
  scenario.disk_ms = 20;
  scenario.acts = 0;
  scenario.dsp.processing_max_ms = 60'000;
}

// A limit under which permits abound, and a DSP that is done at once: first looks are written with
// their POSTs, and permits asked for ahead. After some restarts a limit binds, and what such looks
// left in the ledger counts. Not one of limits(), so that the other seeds stay what they were.
void far_from_binding(Scenario& scenario, Dice& dice) {
  scenario.limit = {{1'000'000, 60'000}};
  scenario.dsp.processing_max_ms = 0;
  if (dice.happens(0.7)) scenario.other_limit = dice.pick(limits());
}

void lean_on(Focus focus, Scenario& scenario, Dice& dice) {
  DspTraits& dsp = scenario.dsp;
  switch (focus) {
    case Focus::anything: break;
    case Focus::crowd: {
      static const std::vector<std::vector<Tier>> kShort = {
          {{3, 4'000}}, {{2, 3'000}}, {{4, 10'000}}};
      crowd(scenario, dice, kShort);
      scenario.lost_on_the_wire = 0.2;
      scenario.rests = 0.4;
      break;
    }
    case Focus::reboots: {
      static const std::vector<std::vector<Tier>> kLong = {
          {{3, 60'000}}, {{2, 30'000}}, {{4, 60'000}}};
      crowd(scenario, dice, kLong);
      scenario.power_losses = 1;
      scenario.away_ms = 1'000;
      break;
    }
    case Focus::refusals:
      dsp.refused_429 = 0.3;
      scenario.away_ms = 5'000;
      scenario.power_losses /= 2;
      break;
    case Focus::old_keys:
      dsp.honours = Honours::keys;
      // a stop (SIGSTOP) lasts at most a quarter of it
      dsp.key_lifetime_ms = dice.between(16, 40) * 60'000;
      dsp.lost_answer = 0.2;
      dsp.late_apply = 0.2;
      dsp.refused_408 = 0.1;
      scenario.away_ms = dice.between(10, 60) * 60'000;
      scenario.stops = 0.5;
      scenario.lost_on_the_wire = 0.2;
      scenario.power_losses /= 4;
      break;
    case Focus::late_work:
      dsp.honours = Honours::lookups;
      dsp.late_apply = 0.5;
      dsp.late_min_ms = 70'000;
      dsp.lookup_lag_ms = dice.between(40'000, 55'000);
      scenario.lost_on_the_wire = 0.5;
      scenario.rests = 0.4;
      scenario.power_losses /= 4;  // a reboot begins every settle time anew
      break;
  }
}

}  // namespace

Scenario draw(std::uint64_t seed, const Wishes& wishes) {
  Dice dice(seed * 0x9E3779B97F4A7C15ULL + 1);
  Scenario scenario;
  scenario.dsp = draw_dsp(dice);
  scenario.dsp.honours = static_cast<Honours>(dice.between(0, 2));
  scenario.shape = static_cast<Shape>(dice.between(0, 2));
  scenario.limit = dice.pick(limits());
  scenario.in_flight = static_cast<int>(dice.between(1, 6));
  scenario.max_retries = static_cast<int>(dice.between(0, 3));
  scenario.crashes = static_cast<int>(dice.between(24, 40));
  scenario.power_losses = static_cast<double>(dice.between(0, 4)) / 4;
  scenario.in_the_middle = static_cast<double>(dice.between(0, 4)) / 4;
  scenario.stops = sometimes(dice, 0.05);
  scenario.lost_on_the_wire = sometimes(dice, 0.04);
  scenario.connect_fails = sometimes(dice, 0.05);
  scenario.acts = sometimes(dice, 0.01);
  scenario.wrong_acts = sometimes(dice, 0.1);
  scenario.open_shells = sometimes(dice, 0.1);
  scenario.clock_steps = sometimes(dice, 0.1);
  scenario.sheets = static_cast<int>(dice.between(0, 2));
  scenario.loader_dies = sometimes(dice, 0.2);
  scenario.has_standby = dice.happens(0.3);
  scenario.runs_for_ever = dice.happens(0.3);
  scenario.disk_ms = dice.happens(0.2) ? 2'000 : 20;
  scenario.away_ms = dice.happens(0.2) ? 20 * 60'000 : dice.happens(0.1) ? 7'200'000 : 60'000;
  scenario.drift_ppm = dice.between(-400, 400);
  scenario.focus = draw_focus(dice);
  if (wishes.focus) scenario.focus = *wishes.focus;
  lean_on(scenario.focus, scenario, dice);
  // no throw of the dice, so that the other seeds stay what they were
  if (seed % 5 == 3) scenario.dsp.never_looks = 0.02;
  if (scenario.limit.empty() && seed % 2 == 0) far_from_binding(scenario, dice);
  if (wishes.honours) scenario.dsp.honours = *wishes.honours;
  if (wishes.shape) scenario.shape = *wishes.shape;
  return scenario;
}

}  // namespace dl::sim
