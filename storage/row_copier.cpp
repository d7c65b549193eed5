#include "storage/row_copier.h"

#include <sqlite3.h>

namespace dl {
namespace {

// a, b, c and ?1, ?2, ?3
struct Columns {
  std::string names;
  std::string parameters;
};

Columns columns_of(SQLite::Database& db, const std::string& table) {
  Columns columns;
  SQLite::Statement info(db, "SELECT name FROM pragma_table_info(?1) ORDER BY cid");
  info.bind(1, table);
  for (int n = 1; info.executeStep(); ++n) {
    const std::string comma = n == 1 ? "" : ", ";
    columns.names += comma + info.getColumn(0).getString();
    columns.parameters += comma + "?" + std::to_string(n);
  }
  return columns;
}

std::string reading(SQLite::Database& db, const std::string& table, const std::string& condition) {
  return "SELECT " + columns_of(db, table).names + " FROM " + table + " WHERE " + condition;
}

std::string writing(SQLite::Database& db, const std::string& table, SameKey same_key) {
  const Columns columns = columns_of(db, table);
  return std::string(same_key == SameKey::replace ? "INSERT OR REPLACE" : "INSERT OR IGNORE") +
         " INTO " + table + " (" + columns.names + ") VALUES (" + columns.parameters + ")";
}

void bind(SQLite::Statement& statement, int at, const SQLite::Column& value) {
  switch (value.getType()) {
    case SQLITE_INTEGER: return statement.bind(at, value.getInt64());
    case SQLITE_FLOAT: return statement.bind(at, value.getDouble());
    case SQLITE_BLOB: return statement.bind(at, value.getBlob(), value.getBytes());
    case SQLITE_TEXT: return statement.bind(at, value.getString());
    default: return statement.bind(at);
  }
}

}  // namespace

RowCopier::RowCopier(Database& from, Database& to, const std::string& table,
                     const std::string& condition, SameKey same_key)
    : read_(from.handle(), reading(from.handle(), table, condition)),
      write_(to.handle(), writing(from.handle(), table, same_key)) {}

int RowCopier::copy(std::int64_t key) {
  int copied = 0;
  read_.bind(1, key);
  for (; read_.executeStep(); ++copied) {
    for (int i = 0; i < read_.getColumnCount(); ++i) bind(write_, i + 1, read_.getColumn(i));
    write_.exec();
    write_.reset();
  }
  read_.reset();
  return copied;
}

}  // namespace dl
