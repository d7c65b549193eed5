// What every database of ours has: words of an enumeration that are ones, numbers that are ones,
// rows that are always there. The schema keeps people from changing that, but nobody asks it of a
// page whose bits have turned over. Then it is damage of the file, which Database::guard reports as
// such, and never a reason to go on or to abort. Pure; callable from any thread.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <charconv>
#include <cstdint>
#include <string>

#include "storage/model/job.h"
#include "storage/model/job_state.h"

namespace dl {

// All of these throw it: SQLite::Exception, SQLITE_CORRUPT.
[[noreturn]] inline void throw_damage(const std::string& what) {
  throw SQLite::Exception(what, SQLITE_CORRUPT);
}

// To a row that is always there; `name` says which.
inline void step_to(SQLite::Statement& row, const char* name) {
  if (!row.executeStep()) throw_damage(std::string(name) + " is missing");
}

inline JobKind kind_of(const SQLite::Column& column) {
  const std::optional<JobKind> kind = kind_named(column.getText());
  if (!kind) throw_damage(std::string("\"") + column.getText() + "\" is no kind of job");
  return *kind;
}

inline JobState state_of(const SQLite::Column& column) {
  const std::optional<JobState> state = state_named(column.getText());
  if (!state) throw_damage(std::string("\"") + column.getText() + "\" is no state of a job");
  return *state;
}

// Of table property.
inline std::string property(SQLite::Database& database, const char* name) {
  SQLite::Statement row(database, "SELECT value FROM property WHERE name = ?1");
  row.bindNoCopy(1, name);
  step_to(row, name);
  return row.getColumn(0).getString();
}
inline std::int64_t number_property(SQLite::Database& database, const char* name) {
  const std::string text = property(database, name);
  std::int64_t number = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (trouble != std::errc{} || end != text.data() + text.size())
    throw_damage(std::string(name) + " is \"" + text + "\", which is no number");
  return number;
}

}  // namespace dl
