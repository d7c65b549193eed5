#include "tests/fuzz/sql_grammar.h"

#include <algorithm>
#include <iterator>

namespace dl::fuzz {
namespace {

constexpr const char* kActs[] = {"retry",    "cancel", "exists", "absent",
                                 "priority", "pause",  "resume"};
constexpr const char* kConflicts[] = {"",           "",         "",          " OR REPLACE",
                                      " OR IGNORE", " OR FAIL", " OR ABORT", " OR ROLLBACK"};
constexpr const char* kValues[] = {"NULL",
                                   "0",
                                   "1",
                                   "2",
                                   "-1",
                                   "7",
                                   "15",
                                   "9223372036854775807",
                                   "-9223372036854775808",
                                   "1e308",
                                   "0.5",
                                   "''",
                                   "'1'",
                                   "'ready'",
                                   "'succeeded'",
                                   "'submitting'",
                                   "'loaded'",
                                   "'daemon'",
                                   "'ingest'",
                                   "'maria'",
                                   "x'00ff'",
                                   "zeroblob(32)",
                                   "char(0)",
                                   "CAST(x'ff' AS TEXT)",
                                   "random()",
                                   "julianday('now')",
                                   "hex(zeroblob(999))",
                                   "(SELECT max(id) FROM job)",
                                   "(SELECT actor FROM writer)",
                                   "1 = 1",
                                   "'dsp-9'",
                                   "253402300799999"};
constexpr const char* kViews[] = {"v_jobs",      "v_failed",     "v_in_doubt",
                                  "v_blocked",   "v_tree",       "v_progress",
                                  "retry_event", "post_settled", "apply_move"};
constexpr const char* kComparisons[] = {" = ", " <> ", " < ", " >= ", " IS ", " IS NOT "};

}  // namespace

// splitmix64
std::size_t SqlGrammar::below(std::size_t n) {
  std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return static_cast<std::size_t>((z ^ (z >> 31)) % n);
}

const OperatorDatabase::Table& SqlGrammar::any_table() { return tables_[below(tables_.size())]; }

const OperatorDatabase::Table& SqlGrammar::job_table() {
  return *std::ranges::find(tables_, "job", &OperatorDatabase::Table::name);
}

std::string SqlGrammar::any_column(const OperatorDatabase::Table& table) {
  const bool has_rowid = table.columns[0] == "id" || table.columns[0] == "one";
  if (has_rowid && below(8) == 0) return "rowid";
  return table.columns[below(table.columns.size())];
}

std::string SqlGrammar::subquery() {
  const OperatorDatabase::Table& table = any_table();
  return "(SELECT " + any_column(table) + " FROM " + table.name + " LIMIT 1)";
}

// `table`: whose columns may be named; nullptr: none.
std::string SqlGrammar::expression(const OperatorDatabase::Table* table, int depth) {
  const std::string value = kValues[below(std::size(kValues))];
  if (depth > 1) return value;
  switch (below(8)) {
    case 0: return table == nullptr ? value : any_column(*table);
    case 1:
      return "coalesce(" + expression(table, depth + 1) + ", " + expression(table, depth + 1) + ")";
    case 2: return "(" + expression(table, depth + 1) + " || " + expression(table, depth + 1) + ")";
    case 3: return subquery();
    case 4:
      return "max(" + expression(table, depth + 1) + ", " + expression(table, depth + 1) + ")";
    default: return value;
  }
}

std::string SqlGrammar::where(const OperatorDatabase::Table& table) {
  if (below(3) == 0) return "";
  return " WHERE " + any_column(table) + kComparisons[below(std::size(kComparisons))] +
         expression(&table, 1);
}

// Mostly what an operator would say: (job_id, act, dsp_id, priority, who, why).
std::string SqlGrammar::act_values() {
  const std::string act = kActs[below(std::size(kActs))];
  const bool is_odd = below(6) == 0;
  const auto odd_or = [&](const std::string& usual) {
    return is_odd && below(3) == 0 ? expression(nullptr) : usual;
  };
  const bool of_account = act == "pause" || act == "resume";
  return "(" + odd_or(of_account ? "NULL" : std::to_string(1 + below(16))) + ", " +
         odd_or("'" + act + "'") + ", " +
         odd_or(act == "exists" ? "'dsp-" + std::to_string(below(4)) + "'" : "NULL") + ", " +
         odd_or(act == "priority" ? std::to_string(below(9)) : "NULL") + ", " + odd_or("'maria'") +
         ", " + odd_or("'why'") + ")";
}

std::string SqlGrammar::insert_act() {
  const std::string into =
      std::string("INSERT") + kConflicts[below(std::size(kConflicts))] + " INTO operator_act ";
  switch (below(8)) {
    case 0:
      return into + "(job_id, act, who, why) SELECT job_id, 'retry', 'maria', 'why' FROM v_failed";
    case 1:
      return into + "(job_id, act, who, why) SELECT id, '" + kActs[below(std::size(kActs))] +
             "', 'maria', 'why' FROM job" + where(job_table());
    case 2: {
      return into + "(job_id, act, who, why, at, " + (below(2) == 0 ? "id" : "applied_at") +
             ") VALUES (" + std::to_string(1 + below(16)) + ", '" + kActs[below(std::size(kActs))] +
             "', 'maria', 'why', " + expression(nullptr) + ", " + expression(nullptr) + ")";
    }
    case 3:
      return into + "(job_id, act, who, why, at) VALUES (" + std::to_string(1 + below(16)) + ", '" +
             kActs[below(4)] + "', 'maria', 'why', " + expression(nullptr) + ")";
    default: break;
  }
  std::string sql = into + "(job_id, act, dsp_id, priority, who, why) VALUES " + act_values();
  for (std::size_t more = below(3); more > 0; --more) sql += ", " + act_values();
  if (below(12) == 0) sql += " ON CONFLICT DO NOTHING";
  if (below(12) == 0) sql += " ON CONFLICT (id) DO UPDATE SET applied_at = NULL";
  if (below(12) == 0) sql += " RETURNING id, applied_at, (SELECT state FROM job WHERE id = job_id)";
  return sql;
}

std::string SqlGrammar::insert() {
  const OperatorDatabase::Table& table = any_table();
  std::string sql =
      below(5) == 0 ? "REPLACE" : std::string("INSERT") + kConflicts[below(std::size(kConflicts))];
  if (below(8) == 0) {
    return sql + " INTO apply_move VALUES (" + expression(nullptr) + ", " +
           std::to_string(1 + below(16)) + ", 'cancel', 1, 'by hand')";
  }
  sql += " INTO " + table.name;
  switch (below(4)) {
    case 0: sql += " DEFAULT VALUES"; break;
    case 1:
      sql +=
          " SELECT * FROM " + table.name + (below(2) == 0 ? " WHERE true" : " ORDER BY rowid DESC");
      break;
    default: {
      std::string names;
      std::string values;
      for (const std::string& column : table.columns) {
        if (below(5) == 0) continue;
        names += (names.empty() ? "" : ", ") + column;
        values += (values.empty() ? "" : ", ") + expression(nullptr, 1);
      }
      if (!names.empty())
        sql += " (" + names + ") VALUES (" + values + ")";
      else
        sql += " DEFAULT VALUES";
    }
  }
  if (below(5) == 0) sql += " ON CONFLICT DO NOTHING";
  if (below(5) == 0)
    sql += " ON CONFLICT DO UPDATE SET " + table.columns.back() + " = " + expression(nullptr);
  if (below(6) == 0) sql += " RETURNING *";
  return sql;
}

std::string SqlGrammar::update() {
  const OperatorDatabase::Table& table = any_table();
  std::string sql = std::string("UPDATE") + kConflicts[below(std::size(kConflicts))] + " " +
                    table.name + " SET " + any_column(table) + " = " + expression(&table);
  for (std::size_t more = below(3); more > 0; --more)
    sql += ", " + any_column(table) + " = " + expression(&table);
  if (below(8) == 0) sql += " FROM (SELECT 1 AS n)";
  sql += where(table);
  if (below(6) == 0) sql += " RETURNING *";
  return sql;
}

std::string SqlGrammar::remove() {
  const OperatorDatabase::Table& table = any_table();
  return "DELETE FROM " + table.name + where(table);
}

std::string SqlGrammar::mood() {
  constexpr const char* kMoods[] = {"foreign_keys",       "ignore_check_constraints",
                                    "recursive_triggers", "trusted_schema",
                                    "defer_foreign_keys", "reverse_unordered_selects"};
  return std::string("PRAGMA ") + kMoods[below(std::size(kMoods))] +
         (below(2) == 0 ? " = ON" : " = OFF");
}

std::string SqlGrammar::statement() {
  std::string sql;
  switch (below(16)) {
    case 0:
    case 1: sql = insert(); break;
    case 2:
    case 3:
    case 4: sql = update(); break;
    case 5: sql = remove(); break;
    case 6: sql = mood(); break;
    case 7:
      sql = below(3) == 0 ? "SAVEPOINT s" : below(2) == 0 ? "ROLLBACK TO s" : "RELEASE s";
      break;
    case 8:
      sql = std::string(below(2) == 0 ? "SELECT * FROM " : "DELETE FROM ") +
            kViews[below(std::size(kViews))];
      break;
    case 9: sql = "WITH notes AS (SELECT id FROM job" + where(job_table()) + ") " + update(); break;
    case 10:
      sql = "CREATE TEMP TABLE IF NOT EXISTS notes AS SELECT * FROM " + any_table().name;
      break;
    default: sql = insert_act(); break;
  }
  return sql + ";\n";
}

}  // namespace dl::fuzz
