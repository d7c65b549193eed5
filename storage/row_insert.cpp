#include "storage/row_insert.h"

#include <sqlite3.h>

#include <string>

#include "storage/model/check.h"

namespace dl {
namespace {

constexpr const char* kTable = "dl_rows_in_memory";
constexpr const char* kDeclaration =
    "CREATE TABLE x (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15)";

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

// INSERT ... VALUES (:a, :b) ... -> INSERT OR FAIL ... SELECT c0, c1 FROM dl_rows_in_memory WHERE
// true ... OR FAIL: else SQLite would copy each page that it changes into a file beside, to undo
// the statement alone; we undo the transaction. "WHERE true": else the ON of ON CONFLICT would be
// taken for that of a join.
std::string reading_memory(std::string_view text) {
  constexpr std::string_view kInsert = "INSERT INTO ";
  constexpr std::string_view kValues = "VALUES (";
  const std::size_t insert = text.find(kInsert);
  const std::size_t values = text.find(kValues);
  const std::size_t begin = values + kValues.size();
  const std::size_t end = text.find(')', begin);
  DL_CHECK(insert < values && values != std::string_view::npos && end != std::string_view::npos,
           "not INSERT INTO ... VALUES (...)");
  std::string select(text.substr(0, values));
  select.replace(insert, kInsert.size(), "INSERT OR FAIL INTO ");
  select += "SELECT ";
  int column = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (text[i] != ':') {
      select += text[i];
      continue;
    }
    select += "c" + std::to_string(column++);
    while (is_name(text[i + 1])) ++i;
  }
  return select.append(" FROM ").append(kTable).append(" WHERE true").append(text.substr(end + 1));
}

}  // namespace

void RowValue::set(std::int64_t number) const { sqlite3_result_int64(context_, number); }
void RowValue::set(std::string_view text) const {
  sqlite3_result_text64(context_, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}
void RowValue::set(std::span<const unsigned char> bytes) const {
  sqlite3_result_blob64(context_, bytes.data(), bytes.size(), SQLITE_STATIC);
}

// A table without a name of its own in the schema, to be read from the first row to the last one.
struct RowsInMemory::Module {
  struct Table {
    sqlite3_vtab base;
    const RowsInMemory* rows;
  };
  struct Cursor {
    sqlite3_vtab_cursor base;
    int row;
  };

  static const RowsInMemory& rows_of(sqlite3_vtab_cursor* cursor) {
    return *reinterpret_cast<Table*>(cursor->pVtab)->rows;
  }
  static int& row_of(sqlite3_vtab_cursor* cursor) { return reinterpret_cast<Cursor*>(cursor)->row; }

  static int connect(sqlite3* db, void* rows, int, const char* const*, sqlite3_vtab** table,
                     char**) {
    const int code = sqlite3_declare_vtab(db, kDeclaration);
    if (code == SQLITE_OK) *table = &(new Table{{}, static_cast<const RowsInMemory*>(rows)})->base;
    return code;
  }
  static int disconnect(sqlite3_vtab* table) {
    delete reinterpret_cast<Table*>(table);
    return SQLITE_OK;
  }
  static int best_index(sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; }
  static int open(sqlite3_vtab*, sqlite3_vtab_cursor** cursor) {
    *cursor = &(new Cursor{{}, 0})->base;
    return SQLITE_OK;
  }
  static int close(sqlite3_vtab_cursor* cursor) {
    delete reinterpret_cast<Cursor*>(cursor);
    return SQLITE_OK;
  }
  static int filter(sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
    row_of(cursor) = 0;
    return SQLITE_OK;
  }
  static int next(sqlite3_vtab_cursor* cursor) {
    ++row_of(cursor);
    return SQLITE_OK;
  }
  static int eof(sqlite3_vtab_cursor* cursor) {
    return row_of(cursor) >= rows_of(cursor).count_ ? 1 : 0;
  }
  static int column(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
    const RowsInMemory& rows = rows_of(cursor);
    rows.column_(rows.source_, RowValue(context), row_of(cursor), column);
    return SQLITE_OK;
  }
  static int rowid(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
    *id = row_of(cursor);
    return SQLITE_OK;
  }

  static const sqlite3_module* functions() {
    static const sqlite3_module module = [] {
      sqlite3_module all{};
      all.xConnect = connect;  // and no xCreate: the table is there by its name alone
      all.xBestIndex = best_index;
      all.xDisconnect = disconnect;
      all.xOpen = open;
      all.xClose = close;
      all.xFilter = filter;
      all.xNext = next;
      all.xEof = eof;
      all.xColumn = column;
      all.xRowid = rowid;
      return all;
    }();
    return &module;
  }
};

RowsInMemory::RowsInMemory(SQLite::Database& db) : db_(db) {
  const int code = sqlite3_create_module(db_.getHandle(), kTable, Module::functions(), this);
  DL_CHECK(code == SQLITE_OK, "SQLite took no virtual table");
}

RowsInMemory::~RowsInMemory() { sqlite3_create_module(db_.getHandle(), kTable, nullptr, nullptr); }

RowInsert::RowInsert(SQLite::Database& db, RowsInMemory& rows, std::string_view text)
    : rows_(rows), statement_(db, reading_memory(text)) {}

int RowInsert::insert_all(int count, const void* source, RowsInMemory::Column column) {
  rows_.source_ = source;
  rows_.column_ = column;
  rows_.count_ = count;
  const int added = statement_.exec();
  statement_.reset();
  rows_.count_ = 0;
  return added;
}

}  // namespace dl
