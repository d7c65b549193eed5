// INSERT of many rows by one statement, which reads them out of memory: most of the cost of a small
// INSERT is the statement, not its row (measured, the eight b-trees of an ad: 4.8 us one by
// one, 3.7 us by VALUES of 64 rows, 2.8 us so). Thread rule: as its Database. Only for
// storage/*.cpp; SQLite's exceptions pass.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct sqlite3_context;

namespace dl {

// Where a column's value goes. Texts and bytes are borrowed until the end of the insert.
class RowValue {
 public:
  explicit RowValue(sqlite3_context* context) : context_(context) {}
  void set(std::int64_t number) const;
  void set(std::string_view text) const;
  void set(std::span<const unsigned char> bytes) const;
  // Not set at all: NULL.

 private:
  sqlite3_context* context_;
};

// The rows that are being inserted, as a virtual table of a connection. One for all its RowInserts,
// which it outlives; it must not outlive the connection.
class RowsInMemory {
 public:
  explicit RowsInMemory(SQLite::Database& db);
  ~RowsInMemory();
  RowsInMemory(const RowsInMemory&) = delete;
  RowsInMemory& operator=(const RowsInMemory&) = delete;

 private:
  friend class RowInsert;
  struct Module;  // what SQLite calls
  using Column = void (*)(const void* source, const RowValue& value, int row, int column);

  SQLite::Database& db_;
  const void* source_ = nullptr;
  Column column_ = nullptr;
  int count_ = 0;
};

class RowInsert {
 public:
  // `text`: INSERT INTO ... VALUES (:a, :b, ...) with one tuple of at most 16 parameters, and what
  // may follow.
  RowInsert(SQLite::Database& db, RowsInMemory& rows, std::string_view text);

  // Inserts `count` rows. `set(value, row, column)` sets one value: column 0 is :a, 1 is :b, ... It
  // must not throw. Returns how many rows there are more. After an exception some of them may be
  // there: only inside a transaction that is then rolled back.
  template <class Set>
  int insert(int count, const Set& set) {
    const auto column = [](const void* source, const RowValue& value, int row, int at) {
      (*static_cast<const Set*>(source))(value, row, at);
    };
    return insert_all(count, &set, column);
  }

 private:
  int insert_all(int count, const void* source, RowsInMemory::Column column);

  RowsInMemory& rows_;
  SQLite::Statement statement_;
};

}  // namespace dl
