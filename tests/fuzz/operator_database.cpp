#include "tests/fuzz/operator_database.h"

#include <stdlib.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "storage/database.h"
#include "storage/model/check.h"
#include "tests/support/tree.h"

namespace dl::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr int kRowsReadMax = 1000;
constexpr int kOpcodesMax = 200'000;  // of one statement: an endless recursion ends here
constexpr int kStatementsMax = 12;
// 0 … the end of the year 9999: whatever reads or adds to a time can.
constexpr const char* kTimesAreTimes =
    "SELECT 'job', id FROM job WHERE NOT coalesce(due_at, 0) BETWEEN 0 AND 253402300799999"
    " OR NOT updated_at BETWEEN 0 AND 253402300799999 OR NOT coalesce(posted_at, 0) BETWEEN 0 AND "
    "253402300799999 "
    "UNION ALL SELECT 'history', id FROM job_history WHERE NOT at BETWEEN 0 AND 253402300799999 "
    "UNION ALL SELECT 'act', id FROM operator_act WHERE NOT at BETWEEN 0 AND 253402300799999 "
    "UNION ALL SELECT 'account', one FROM account WHERE NOT coalesce(paused_at, 0) BETWEEN 0 AND "
    "253402300799999";

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  DL_CHECK(file, path.c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

// Made as our programs make it, in a file that is gone afterwards.
void make_database(sqlite3* into) {
  std::string folder = (fs::temp_directory_path() / "dl-fuzz-XXXXXX").string();
  DL_CHECK(mkdtemp(folder.data()) != nullptr, "a temporary folder");
  const std::string path = folder + "/jobs.db";
  {
    auto opened = Database::open(path, OpenMode::create);
    DL_CHECK(opened, "a database is made");
    Database& database = **opened;
    const std::string seed = text_of(in_tree("tests/fuzz/operator_seed.sql"));
    const Status done = database.transaction(Writer::daemon, [&]() -> Status {
      database.handle().exec(seed);
      return Done{};
    });
    if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
    DL_CHECK(done, "the seed is written");
  }
  sqlite3* from = nullptr;
  DL_CHECK(sqlite3_open(path.c_str(), &from) == SQLITE_OK, "the database opens");
  sqlite3_backup* copy = sqlite3_backup_init(into, "main", from, "main");
  DL_CHECK(sqlite3_backup_step(copy, -1) == SQLITE_DONE && sqlite3_backup_finish(copy) == SQLITE_OK,
           "the database is copied");
  sqlite3_close(from);
  fs::remove_all(folder);
}

// What the header says is outside; and transactions, of which the script is one.
int authorize(void*, int action, const char* first, const char* second, const char*, const char*) {
  static const std::set<std::string_view> kPragmas = {
      "foreign_keys",       "ignore_check_constraints",  "recursive_triggers", "trusted_schema",
      "defer_foreign_keys", "reverse_unordered_selects", "automatic_index",    "cell_size_check"};
  const auto is = [](const char* text, std::string_view what) {
    return text != nullptr && text == what;
  };
  switch (action) {
    case SQLITE_READ:
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
    case SQLITE_SAVEPOINT: return SQLITE_OK;
    case SQLITE_FUNCTION: return is(second, "load_extension") ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_INSERT:
    case SQLITE_UPDATE:
    case SQLITE_DELETE: return is(first, "sqlite_sequence") ? SQLITE_DENY : SQLITE_OK;
    // Not of a name of ours: it would hide the table from the checks (storage_tests have that
    // case).
    case SQLITE_CREATE_TEMP_TABLE: return is(first, "notes") ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA: return kPragmas.contains(first) ? SQLITE_OK : SQLITE_DENY;
    default: return SQLITE_DENY;
  }
}

}  // namespace

// What one statement changed, held against the acts that it inserted.
class ChangeCheck {
 public:
  using Row = OperatorDatabase::Row;
  ChangeCheck(const OperatorDatabase& database, const OperatorDatabase::Snapshot& before,
              const OperatorDatabase::Snapshot& now)
      : database_(database), before_(before), now_(now) {}

  // Empty: all is well.
  std::string complaint() {
    if (std::string why = read_acts(); !why.empty()) return why;
    for (const auto& [table, rows] : now_) {
      const OperatorDatabase::Rows& old = before_.at(table);
      for (const auto& [key, row] : old) {
        if (!rows.contains(key)) return table + " has lost " + key;
      }
      for (const auto& [key, row] : rows) {
        const auto was = old.find(key);
        if (was == old.end() ? !may_be_new(table, row)
                             : row != was->second && !may_change(table, was->second, row)) {
          return table + " has changed " + key;
        }
      }
    }
    return "";
  }

 private:
  std::string read_acts() {
    const auto& old = before_.at("operator_act");
    for (const auto& [key, row] : now_.at("operator_act")) {
      if (old.contains(key)) continue;
      const std::string& act = value("operator_act", row, "act");
      const std::string& job = value("operator_act", row, "job_id");
      if (value("operator_act", row, "applied_at") == "NULL")
        return "act " + key + " is not applied";
      if (act == "'priority'") {
        moved_.insert(job);
      } else if (job == "NULL") {
        of_account_ = true;
      } else {
        acts_[key] = job;
        acted_.insert(job);
        if (act == "'exists'") declared_.insert(job);
      }
    }
    return "";
  }

  bool may_be_new(const std::string& table, const Row& row) const {
    if (table == "operator_act") return true;
    if (table == "job_count") return !acts_.empty();
    if (table != "job_history") return false;
    const auto act = acts_.find(value(table, row, "act_id"));
    return act != acts_.end() && act->second == value(table, row, "job_id");
  }

  bool may_change(const std::string& table, const Row& was, const Row& row) const {
    if (table == "job") return may_change_job(was, row);
    if (table == "job_count") return !acts_.empty() && same_but(table, was, row, {"n"});
    if (table == "account") {
      return of_account_ && same_but(table, was, row,
                                     {"paused_by", "paused_reason", "paused_at", "also_paused_by",
                                      "also_paused_reason", "also_paused_at"});
    }
    return table == "request" && declared_.contains(value(table, row, "job_id")) &&
           value(table, was, "resolution") == "NULL" && same_but(table, was, row, {"resolution"});
  }

  bool may_change_job(const Row& was, const Row& row) const {
    const bool is_moved = moved_.contains(row[0]) || moved_.contains(value("job", row, "root_id"));
    if (!is_moved && value("job", was, "priority") != value("job", row, "priority")) return false;
    const std::string& state = value("job", was, "state");
    const bool is_acted =
        acted_.contains(row[0]) && state != "'succeeded'" && state != "'submitting'";
    if (!is_acted) return same_but("job", was, row, {"priority"});
    return same_but("job", was, row,
                    {"priority", "state", "tries", "setbacks", "looks", "due_at", "dsp_id",
                     "posted_at", "looked_at", "overdue", "hold", "error", "updated_at"});
  }

  bool same_but(const std::string& table, const Row& was, const Row& row,
                std::initializer_list<std::string_view> columns) const {
    std::set<std::size_t> free;
    for (const std::string_view name : columns) free.insert(database_.column(table, name));
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] != was[i] && !free.contains(i)) return false;
    }
    return true;
  }

  const std::string& value(std::string_view table, const Row& row, std::string_view name) const {
    return row[database_.column(table, name)];
  }

  const OperatorDatabase& database_;
  const OperatorDatabase::Snapshot& before_;
  const OperatorDatabase::Snapshot& now_;
  std::map<std::string, std::string> acts_;  // new ones of a job, but for priority: id -> job
  std::set<std::string> acted_;
  std::set<std::string> declared_;
  std::set<std::string> moved_;
  bool of_account_ = false;
};

OperatorDatabase::OperatorDatabase() {
  DL_CHECK(sqlite3_open(":memory:", &db_) == SQLITE_OK, "memory for a database");
  make_database(db_);
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, 1'000'000);
  for (const Row& table : rows_of("SELECT name FROM sqlite_schema WHERE type = 'table'"
                                  " AND name NOT LIKE 'sqlite_%' ORDER BY name")) {
    Table& made = tables_.emplace_back(Table{table[0], {}, {}});
    for (const Row& info : rows_of("SELECT name, pk FROM pragma_table_info('" + table[0] + "')")) {
      if (info[1] != "0") made.key.push_back(made.columns.size());
      made.columns.push_back(info[0]);
    }
  }
  promises_ = {"SELECT promise, job_id, what FROM v_broken_promises", kTimesAreTimes};
  integrity_ = {"SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
                "SELECT \"table\", rowid FROM pragma_foreign_key_check"};
  reset_mood();
  initial_ = snapshot();
  expect_none(promises_);
  expect_none(integrity_);
}

OperatorDatabase::~OperatorDatabase() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

void OperatorDatabase::exec(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return;
  std::fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db_));
  DL_CHECK(false, "a statement of the harness works");
}

sqlite3_stmt* OperatorDatabase::prepared(const std::string& sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(db_, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) std::fprintf(stderr, "%s: %s\n", sql.c_str(), sqlite3_errmsg(db_));
  DL_CHECK(code == SQLITE_OK, "a query of the harness prepares");
  return statements_[sql] = statement;
}

std::vector<OperatorDatabase::Row> OperatorDatabase::rows_of(const std::string& sql) {
  sqlite3_stmt* const query = prepared(sql);
  std::vector<Row> rows;
  int code = SQLITE_ROW;
  while ((code = sqlite3_step(query)) == SQLITE_ROW) {
    Row& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(query); ++i) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(query, i));
      row.emplace_back(text == nullptr ? "NULL" : text);
    }
  }
  if (code != SQLITE_DONE) std::fprintf(stderr, "%s: %s\n", sql.c_str(), sqlite3_errmsg(db_));
  sqlite3_reset(query);
  DL_CHECK(code == SQLITE_DONE, "a query of the harness runs");
  return rows;
}

OperatorDatabase::Snapshot OperatorDatabase::snapshot() {
  Snapshot now;
  for (const Table& table : tables_) {
    std::string columns;
    for (const std::string& column : table.columns) {
      columns += (columns.empty() ? "quote(" : ", quote(") + column + ")";
    }
    Rows& rows = now[table.name];
    for (Row& row : rows_of("SELECT " + columns + " FROM main." + table.name)) {
      std::string key;
      for (const std::size_t part : table.key) key += key.empty() ? row[part] : '/' + row[part];
      const bool is_new = rows.emplace(std::move(key), std::move(row)).second;
      DL_CHECK(is_new, "a key stands once");
    }
  }
  return now;
}

std::size_t OperatorDatabase::column(std::string_view table, std::string_view name) const {
  const auto of = std::ranges::find(tables_, table, &Table::name);
  DL_CHECK(of != tables_.end(), "a table of the schema");
  const auto at = std::ranges::find(of->columns, name);
  DL_CHECK(at != of->columns.end(), "a column of the schema");
  return static_cast<std::size_t>(at - of->columns.begin());
}

void OperatorDatabase::reset_mood() {
  exec(
      "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = OFF; PRAGMA recursive_triggers "
      "= OFF;"
      "PRAGMA trusted_schema = ON; PRAGMA reverse_unordered_selects = OFF");
}

void OperatorDatabase::watch(Watch whom) {
  const bool is_script = whom == Watch::script;
  int (*const give_up)(void*) = [](void*) { return 1; };
  sqlite3_set_authorizer(db_, is_script ? authorize : nullptr, nullptr);
  sqlite3_progress_handler(db_, kOpcodesMax, is_script ? give_up : nullptr, nullptr);
}

void OperatorDatabase::run(std::string_view script) {
  const std::string text(script.substr(0, script.find('\0')));
  const char* rest = text.c_str();
  past_.assign(1, initial_);
  for (int i = 0; i < kStatementsMax && *rest != '\0'; ++i) {
    const char* const begin = rest;
    sqlite3_stmt* statement = nullptr;
    watch(Watch::script);
    const int code = sqlite3_prepare_v2(db_, rest, -1, &statement, &rest);
    const bool is_pragma =
        std::string_view(begin, static_cast<std::size_t>(rest - begin)).find("PRAGMA") !=
        std::string_view::npos;
    // One transaction around it all; foreign_keys can only be set in front of it.
    if (sqlite3_get_autocommit(db_) != 0 && !is_pragma) {
      watch(Watch::harness);
      exec("BEGIN");
      watch(Watch::script);
    }
    if (code != SQLITE_OK && on_answer != nullptr)
      on_answer(std::hash<std::string_view>{}(sqlite3_errmsg(db_)));
    const sqlite3_int64 changes = sqlite3_total_changes64(db_);
    const bool takes_back =
        sqlite3_get_autocommit(db_) == 0 && statement != nullptr &&
        sqlite3_strlike("%ROLLBACK%", sqlite3_sql(statement), 0) == 0;  // in upper or lower case
    if (statement != nullptr) run_statement(statement);
    watch(Watch::harness);
    if (code != SQLITE_OK) break;  // what is no SQL ends the script
    // Counted are the rows that triggers and conflicts changed, and those taken back by a refusal.
    if (takes_back || sqlite3_total_changes64(db_) != changes || sqlite3_get_autocommit(db_) != 0) {
      check({begin, static_cast<std::size_t>(rest - begin)});
    }
  }
  exec("PRAGMA ignore_check_constraints = OFF");
  if (past_.size() > 1) expect_none(integrity_);
  if (sqlite3_get_autocommit(db_) == 0) exec("ROLLBACK");
  reset_mood();
}

void OperatorDatabase::run_statement(sqlite3_stmt* statement) {
  int code = SQLITE_ROW;
  for (int row = 0; row < kRowsReadMax && code == SQLITE_ROW; ++row) code = sqlite3_step(statement);
  if (on_answer != nullptr) {
    const std::string_view words =
        code == SQLITE_DONE || code == SQLITE_ROW ? "" : sqlite3_errmsg(db_);
    const std::string_view kind = std::string_view(sqlite3_sql(statement)).substr(0, 6);
    on_answer(std::hash<std::string_view>{}(words) ^ (std::hash<std::string_view>{}(kind) << 1));
  }
  sqlite3_finalize(statement);
}

void OperatorDatabase::expect_none(const std::vector<std::string>& queries) {
  for (const std::string& query : queries) {
    for (const Row& row : rows_of(query)) {
      for (const std::string& field : row) std::fprintf(stderr, "%s|", field.c_str());
      std::fprintf(stderr, "\n%s\n", query.c_str());
      DL_CHECK(false, "a promise is kept");
    }
  }
}

void OperatorDatabase::check(std::string_view statement) {
  Snapshot now = snapshot();
  // Rolled back, to a savepoint or by a refusal.
  const bool was_before = std::ranges::find(past_, now) != past_.end();
  if (was_before && now == past_.back()) return;
  if (!was_before) {
    ChangeCheck change(*this, past_.back(), now);
    if (const std::string why = change.complaint(); !why.empty()) {
      std::fprintf(stderr, "%s after: %.*s\n", why.c_str(), static_cast<int>(statement.size()),
                   statement.data());
      DL_CHECK(false, "an operator's statement changes what an act may, and nothing else");
    }
  }
  expect_none(promises_);
  past_.push_back(std::move(now));
}

}  // namespace dl::fuzz
