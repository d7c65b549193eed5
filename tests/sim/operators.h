// The operators of a simulation: people at an sqlite3 shell, which has nothing but SQL. What they
// say about the DSP is true, unless the seed makes them name an id that nobody has. Thread rule:
// one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tests/sim/machine.h"
#include "tests/sim/world.h"

namespace dl::sim {

class Operators {
 public:
  Operators(World& world, Shell& shell);

  // Any act on any job, legal or not. True: the tables have changed.
  bool act_at_random();
  // Every held doubt whose truth is known is decided, and the account resumed. How many acts.
  int put_in_order();

  // A transaction that stays open for a while holds everybody else up.
  void open_transaction();
  bool has_open_transaction() const { return is_open_; }
  void close_transaction();
  // The machine lost power under the shell.
  void start_anew();

  // Durable: it may never be forgotten. 0: none yet.
  std::int64_t last_act() const { return last_act_; }

 private:
  struct Job {
    std::int64_t id = 0;
    std::string own_id;
    std::string state;
    std::string hold;          // why it waits for a person; empty: it does not
    std::int64_t key_age = 0;  // by the wall clock, when it was last changed
  };
  std::vector<Job> jobs();
  bool needs_a_person(const Job& job) const;
  bool decide(const Job& job);
  bool act(std::int64_t job, const std::string& act, std::optional<std::string> dsp_id,
           std::optional<std::int64_t> priority);
  bool is_paused_by_a_person();

  World& world_;
  Shell& shell_;
  bool is_open_ = false;
  std::int64_t last_act_ = 0;
  std::int64_t act_in_transaction_ = 0;
};

}  // namespace dl::sim
