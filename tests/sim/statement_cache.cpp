#include "tests/sim/statement_cache.h"

#include <sqlite3.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace dl::sim {
namespace {

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
using Idle = std::vector<sqlite3_stmt*>;  // of one text
using ByText = std::unordered_map<std::string, Idle, Hash, std::equal_to<>>;

struct Cache {
  std::unordered_map<sqlite3*, ByText> of;
  std::unordered_map<sqlite3_stmt*, Idle*> home;  // where each goes when it is finalized
  StatementCacheCounts counts;
};

Cache& cache() {
  thread_local Cache mine;
  return mine;
}

// Some pragmas do their work while they are prepared.
bool is_pragma(std::string_view text) { return text.starts_with("PRAGMA"); }

}  // namespace

StatementCacheCounts statement_cache_counts() { return cache().counts; }

}  // namespace dl::sim

// The linker's names; see the header.
extern "C" {

int __real_sqlite3_prepare_v2(sqlite3* db, const char* sql, int bytes, sqlite3_stmt** statement,
                              const char** tail);
int __real_sqlite3_finalize(sqlite3_stmt* statement);
int __real_sqlite3_close(sqlite3* db);
int __real_sqlite3_exec(sqlite3* db, const char* sql, int (*each_row)(void*, int, char**, char**),
                        void* context, char** error);
int __wrap_sqlite3_finalize(sqlite3_stmt* statement);

int __wrap_sqlite3_prepare_v2(sqlite3* db, const char* sql, int bytes, sqlite3_stmt** statement,
                              const char** tail) {
  std::string_view text(
      sql, bytes < 0 ? std::char_traits<char>::length(sql) : static_cast<std::size_t>(bytes));
  while (text.ends_with('\0')) text.remove_suffix(1);
  if (tail != nullptr || dl::sim::is_pragma(text)) {
    return __real_sqlite3_prepare_v2(db, sql, bytes, statement, tail);
  }
  dl::sim::Cache& cache = dl::sim::cache();
  ++cache.counts.asked;
  dl::sim::ByText& mine = cache.of[db];
  auto known = mine.find(text);
  if (known == mine.end()) known = mine.emplace(text, dl::sim::Idle{}).first;
  dl::sim::Idle& idle = known->second;
  if (!idle.empty()) {
    ++cache.counts.at_hand;
    *statement = idle.back();
    idle.pop_back();
    return SQLITE_OK;
  }
  const int code = __real_sqlite3_prepare_v2(db, sql, bytes, statement, tail);
  if (code == SQLITE_OK && *statement != nullptr) cache.home.emplace(*statement, &idle);
  return code;
}

// BEGIN, COMMIT and the like: parsing them was half of what they cost.
int __wrap_sqlite3_exec(sqlite3* db, const char* sql, int (*each_row)(void*, int, char**, char**),
                        void* context, char** error) {
  const std::string_view text(sql);
  const bool is_plain = each_row == nullptr && error == nullptr && !dl::sim::is_pragma(text) &&
                        text.find(';') == std::string_view::npos;
  if (!is_plain) return __real_sqlite3_exec(db, sql, each_row, context, error);
  sqlite3_stmt* statement = nullptr;
  int code = __wrap_sqlite3_prepare_v2(db, sql, -1, &statement, nullptr);
  if (statement == nullptr) return code;  // an error, or nothing to do
  while (code == SQLITE_OK || code == SQLITE_ROW) code = sqlite3_step(statement);
  const int end = __wrap_sqlite3_finalize(statement);
  return code == SQLITE_DONE ? end : code;
}

int __wrap_sqlite3_finalize(sqlite3_stmt* statement) {
  dl::sim::Cache& cache = dl::sim::cache();
  const auto home = cache.home.find(statement);
  if (home == cache.home.end()) return __real_sqlite3_finalize(statement);
  const int code = sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  home->second->push_back(statement);
  return code;
}

int __wrap_sqlite3_close(sqlite3* db) {
  dl::sim::Cache& cache = dl::sim::cache();
  if (const auto connection = cache.of.find(db); connection != cache.of.end()) {
    for (const auto& [text, idle] : connection->second) {
      for (sqlite3_stmt* statement : idle) {
        cache.home.erase(statement);
        __real_sqlite3_finalize(statement);
      }
    }
    cache.of.erase(connection);
  }
  return __real_sqlite3_close(db);
}

}  // extern "C"
