// Makes statements that an operator might write, and many that nobody would: well-formed SQL over
// the real tables and columns, so that nearly every one reaches a guard. Used by libFuzzer's
// mutator (engine/) and by the tests. Pure but for its state; thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/fuzz/operator_database.h"

namespace dl::fuzz {

class SqlGrammar {
 public:
  SqlGrammar(const std::vector<OperatorDatabase::Table>& tables, std::uint64_t seed)
      : tables_(tables), state_(seed) {}

  // One statement with its semicolon and a line break.
  std::string statement();
  // Below `n`.
  std::size_t below(std::size_t n);

 private:
  const OperatorDatabase::Table& any_table();
  const OperatorDatabase::Table& job_table();
  std::string any_column(const OperatorDatabase::Table& table);
  std::string act_values();
  std::string insert_act();
  std::string insert();
  std::string update();
  std::string remove();
  std::string subquery();
  std::string expression(const OperatorDatabase::Table* table, int depth = 0);
  std::string where(const OperatorDatabase::Table& table);
  std::string mood();

  const std::vector<OperatorDatabase::Table>& tables_;
  std::uint64_t state_;
};

}  // namespace dl::fuzz
