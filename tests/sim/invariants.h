// What the tables alone can show: counters equal to what they count, history that leads to the
// present state, no lease without its open request, attempts within bounds, and at the end of a run
// every job at rest or waiting for a stated reason. Thread rule: one thread. Prepared once for all
// seeds.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/daemon_process.h"
#include "tests/sim/world.h"

namespace dl::sim {

class Invariants {
 public:
  explicit Invariants(SQLite::Database& observer);

  // After a take-over: nothing that was acknowledged is forgotten, no dead owner's request is open.
  void check_memory(World& world, const Acknowledged& acknowledged, std::int64_t last_act,
                    std::int64_t last_batch);
  // At any time when no transaction is open.
  void check_structure(World& world);
  // Once nothing is left that could be sent.
  void check_end(World& world);
  std::int64_t jobs() { return count_jobs("SELECT count(*) FROM job"); }
  std::int64_t succeeded() {
    return count_jobs("SELECT count(*) FROM job WHERE state = 'succeeded'");
  }

 private:
  struct Question {  // rows are violations: the first column names the job
    std::string what;
    std::unique_ptr<SQLite::Statement> rows;
  };
  void ask(World& world, std::vector<Question>& questions);
  void check_ledger_of_dsp(World& world);
  std::int64_t count_jobs(const char* sql);
  std::vector<Question> prepare(std::vector<std::pair<const char*, const char*>> questions);

  SQLite::Database& observer_;
  std::vector<Question> structure_;
  std::vector<Question> end_;
  SQLite::Statement granted_;
  SQLite::Statement finished_;
  SQLite::Statement act_;
  SQLite::Statement batch_;
  SQLite::Statement orphan_;
  SQLite::Statement job_of_;
};

}  // namespace dl::sim
