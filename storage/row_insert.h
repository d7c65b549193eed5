// INSERT of many rows by few statements: most of the cost of a small INSERT is the statement, not
// its row (measured for table job: 5.2 us alone, 2.1 us in groups). Rows go in groups of kGroup,
// the rest one by one. Thread rule: as its Database. Only for storage/*.cpp.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>
#include <string_view>

namespace dl {

class RowInsert {
 public:
  static constexpr int kGroup = 64;

  // `text`: INSERT ... VALUES (:a, :b, ...) with one tuple of parameters, and what may follow.
  RowInsert(SQLite::Database& db, std::string_view text);

  // Inserts `count` rows. `bind(statement, first, i)` binds row i to the parameters from `first`
  // on, in the order of their names; what is bound without a copy must live until the end of this
  // call. Returns how many rows there are more.
  template <class Bind>
  int insert(int count, const Bind& bind) {
    int added = 0;
    int i = 0;
    for (; count - i >= kGroup; i += kGroup) {
      for (int row = 0; row < kGroup; ++row) bind(many_, row * parameters_ + 1, i + row);
      added += run(many_);
    }
    for (; i < count; ++i) {
      bind(one_, 1, i);
      added += run(one_);
    }
    return added;
  }

 private:
  static int run(SQLite::Statement& statement) {
    const int added = statement.exec();
    statement.reset();
    return added;
  }

  SQLite::Statement one_;
  int parameters_;
  SQLite::Statement many_;
};

}  // namespace dl
