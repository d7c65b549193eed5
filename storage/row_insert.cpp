#include "storage/row_insert.h"

#include "storage/model/check.h"

namespace dl {
namespace {

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

// VALUES (:a, :b) -> VALUES (?,?),(?,?),...
std::string widened(std::string_view text) {
  constexpr std::string_view kValues = "VALUES ";
  const std::size_t values = text.find(kValues);
  const std::size_t begin = values + kValues.size();
  const std::size_t end = text.find(')', begin);
  DL_CHECK(values != std::string_view::npos && end != std::string_view::npos, "not VALUES (...)");
  std::string tuple;
  for (std::size_t i = begin; i <= end; ++i) {
    if (text[i] != ':') {
      tuple += text[i];
      continue;
    }
    tuple += '?';
    while (is_name(text[i + 1])) ++i;
  }
  std::string wide(text.substr(0, begin));
  for (int i = 0; i < RowInsert::kGroup; ++i) wide.append(i > 0 ? "," : "").append(tuple);
  return wide.append(text.substr(end + 1));
}

}  // namespace

RowInsert::RowInsert(SQLite::Database& db, std::string_view text)
    : one_(db, std::string(text)),
      parameters_(one_.getBindParameterCount()),
      many_(db, widened(text)) {}

}  // namespace dl
