// Between columns and values, for storage/store*.cpp alone.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>

#include "storage/model/check.h"
#include "storage/model/work.h"

namespace dl {

inline void bind_text(SQLite::Statement& statement, const char* name, std::string_view value) {
  statement.bind(name, std::string(value));
}

inline void bind_text_or_null(SQLite::Statement& statement, const char* name, std::string_view value) {
  if (value.empty()) {
    statement.bind(name);
  } else {
    statement.bind(name, std::string(value));
  }
}

inline void bind_or_null(SQLite::Statement& statement, const char* name, const std::optional<std::string>& value) {
  if (value) {
    statement.bind(name, *value);
  } else {
    statement.bind(name);
  }
}

inline void bind_or_null(SQLite::Statement& statement, const char* name, std::optional<std::int64_t> value) {
  if (value) {
    statement.bind(name, *value);
  } else {
    statement.bind(name);
  }
}

inline JobKind kind_column(SQLite::Statement& row, const char* name) {
  const std::optional<JobKind> kind = kind_named(row.getColumn(name).getText());
  DL_CHECK(kind.has_value(), "the schema allows only the known kinds");
  return *kind;
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
