// Between columns and values, for storage/store*.cpp alone.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>

#include "storage/model/check.h"
#include "storage/model/work.h"
#include "storage/sound_rows.h"

namespace dl {

inline void bind_text(SQLite::Statement& statement, const char* name, std::string_view value) {
  statement.bind(name, std::string(value));
}

inline void bind_text_or_null(SQLite::Statement& statement, const char* name,
                              std::string_view value) {
  if (value.empty()) {
    statement.bind(name);
  } else {
    statement.bind(name, std::string(value));
  }
}

inline void bind_or_null(SQLite::Statement& statement, const char* name,
                         const std::optional<std::string>& value) {
  if (value) {
    statement.bind(name, *value);
  } else {
    statement.bind(name);
  }
}

inline void bind_or_null(SQLite::Statement& statement, const char* name,
                         std::optional<std::int64_t> value) {
  if (value) {
    statement.bind(name, *value);
  } else {
    statement.bind(name);
  }
}

// --- The hot statements. Names are looked up and text is copied at every call; a few microseconds
// an entity are spared by places instead: parameters in the order in which their names first stand
// in the .sql file, columns in the order of its SELECT or RETURNING.

// An empty text that stands for NULL.
struct TextOrNull {
  const std::string& text;
};

inline void bind_at(SQLite::Statement& statement, int at, std::int64_t value) {
  statement.bind(at, value);
}
inline void bind_at(SQLite::Statement& statement, int at, int value) { statement.bind(at, value); }
inline void bind_at(SQLite::Statement& statement, int at, std::nullopt_t) { statement.bind(at); }
inline void bind_at(SQLite::Statement& statement, int at, const std::string& text) {
  statement.bindNoCopy(at, text);
}
// Of a literal: it ends with a NUL.
inline void bind_at(SQLite::Statement& statement, int at, std::string_view literal) {
  statement.bindNoCopy(at, literal.data());
}
inline void bind_at(SQLite::Statement& statement, int at, TextOrNull value) {
  if (value.text.empty()) return statement.bind(at);
  statement.bindNoCopy(at, value.text);
}
template <class T>
void bind_at(SQLite::Statement& statement, int at, const std::optional<T>& value) {
  if (!value) return statement.bind(at);
  bind_at(statement, at, *value);
}

// Binds every parameter. Text is not copied: it must live until the statement has run.
template <class... Values>
void bind_all(SQLite::Statement& statement, const Values&... values) {
  DL_CHECK(statement.getBindParameterCount() == static_cast<int>(sizeof...(values)),
           "a value for each parameter");
  int at = 0;
  (bind_at(statement, ++at, values), ...);
}

// The columns of the present row, one after the other.
class Columns {
 public:
  explicit Columns(SQLite::Statement& row) : row_(row) {}
  SQLite::Column next() { return row_.getColumn(next_++); }

 private:
  SQLite::Statement& row_;
  int next_ = 0;
};

inline JobKind kind_column(SQLite::Statement& row, const char* name) {
  return kind_of(row.getColumn(name));
}

// A row with id, kind, priority, root_id, level, has_children.
inline JobRef job_ref(SQLite::Statement& row) {
  JobRef job;
  job.id = JobId{row.getColumn("id").getInt64()};
  job.kind = kind_column(row, "kind");
  job.priority = row.getColumn("priority").getInt64();
  job.root_id = row.getColumn("root_id").getInt64();
  job.level = row.getColumn("level").getInt();
  job.has_children = row.getColumn("has_children").getInt() != 0;
  return job;
}

}  // namespace dl
