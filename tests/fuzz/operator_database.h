// A small database with a job in every state, reached as an operator reaches it: a plain connection
// without our function, in memory. After every statement the promises are checked:
// - without a new act nothing whatever has changed, unless to how it was before;
// - an act is applied; it changes its own job (a priority: its tree) and adds its line of history,
//   declares the POSTs of its job existing, or pauses or resumes the account, and nothing else;
// - the view v_broken_promises has no row, times are times, and at the end
//   integrity_check and foreign_key_check find nothing.
// Outside are statements that change the schema (drop a trigger, make one, writable_schema), for a
// changed schema is what the daemon notices, and sqlite_sequence, on which SQLite lets no trigger
// stand. Thread rule: one thread.
#pragma once

#include <sqlite3.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dl::fuzz {

class OperatorDatabase {
 public:
  struct Table {
    std::string name;
    std::vector<std::string> columns;
    std::vector<std::size_t> key;  // of columns: the primary key
  };

  OperatorDatabase();
  ~OperatorDatabase();
  OperatorDatabase(const OperatorDatabase&) = delete;
  OperatorDatabase& operator=(const OperatorDatabase&) = delete;

  // Runs a script, statement by statement, and takes all of it back. PRAGMAs at its head set the
  // connection's mood.
  void run(std::string_view script);

  const std::vector<Table>& tables() const { return tables_; }
  // Told, by a hash, of every kind of answer that a statement got: success, or which refusal.
  void (*on_answer)(std::size_t hash) = nullptr;

 private:
  using Row = std::vector<std::string>;                       // as quote() gives it
  using Rows = std::map<std::string, Row, std::less<>>;       // by its key
  using Snapshot = std::map<std::string, Rows, std::less<>>;  // by table

  void exec(const char* sql);
  sqlite3_stmt* prepared(const std::string& sql);  // owned; kept for the next time
  std::vector<Row> rows_of(const std::string& sql);
  Snapshot snapshot();
  std::size_t column(std::string_view table, std::string_view name) const;

  void reset_mood();
  // outside is denied, the endless ends; or not
  enum class Watch { script, harness };
  void watch(Watch whom);
  void run_statement(sqlite3_stmt* statement);
  void check(std::string_view statement);
  void expect_none(const std::vector<std::string>& queries);

  sqlite3* db_ = nullptr;
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
  std::vector<Table> tables_;
  std::vector<std::string> promises_;   // after each statement
  std::vector<std::string> integrity_;  // at the end of a script
  Snapshot initial_;
  std::vector<Snapshot> past_;  // of this script, the last one last

  friend class ChangeCheck;
};

// The one that target sql_guards uses.
OperatorDatabase& operator_database();

}  // namespace dl::fuzz
