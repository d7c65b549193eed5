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
  const std::string name = plain(header);
  return header.starts_with("dl_") || name == "dspcampaignid" || name == "dspadgroupid" ||
         name == "dspadid";
}

}  // namespace dl
