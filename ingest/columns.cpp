#include "ingest/columns.h"

namespace dl {
namespace {

std::string plain(std::string_view header) {
  std::string text;
  for (const char c : header) {
    if (c == ' ' || c == '_' || c == '-') continue;
    text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

}  // namespace

std::optional<Column> column_named(std::string_view header) {
  const std::string wanted = plain(header);
  for (const ColumnRule& rule : kColumns) {
    if (plain(rule.name) == wanted) return rule.column;
  }
  return std::nullopt;
}

bool is_result_column(std::string_view header) {
  return header.starts_with("dl_") || dsp_id_column_named(header);
}

std::optional<JobKind> dsp_id_column_named(std::string_view header) {
  const std::string wanted = plain(header);
  for (const KindNames& names : kKinds) {
    if (plain(kDspIdColumns[static_cast<std::size_t>(names.kind)]) == wanted) return names.kind;
  }
  return std::nullopt;
}

}  // namespace dl
