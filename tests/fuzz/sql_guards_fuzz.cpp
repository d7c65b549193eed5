// Bytes as an operator's script of SQL, against a small database; operator_database.h says what
// must hold after each statement.
#include "tests/fuzz/operator_database.h"
#include "tests/fuzz/target.h"

namespace dl::fuzz {

OperatorDatabase& operator_database() {
  static OperatorDatabase database;
  return database;
}

void sql_guards(std::string_view input) { operator_database().run(input); }

}  // namespace dl::fuzz
