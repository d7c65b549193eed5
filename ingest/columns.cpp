#include "ingest/columns.h"

#include <algorithm>

namespace dl {
namespace {

constexpr std::string_view kIgnored = " _-";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The next letter that counts; nothing at the end.
std::optional<char> next_letter(std::string_view& text) {
  const std::size_t at = text.find_first_not_of(kIgnored);
  if (at == std::string_view::npos) return std::nullopt;
  const char letter = lower(text[at]);
  text.remove_prefix(at + 1);
  return letter;
}

bool means(std::string_view header, std::string_view name) {
  for (;;) {
    const std::optional<char> letter = next_letter(header);
    if (letter != next_letter(name)) return false;
    if (!letter) return true;
  }
}

}  // namespace

std::optional<Column> column_named(std::string_view header) {
  for (const ColumnRule& rule : kColumns) {
    if (means(header, rule.name)) return rule.column;
  }
  return std::nullopt;
}

bool is_result_column(std::string_view header) {
  return std::any_of(kResultColumns.begin(), kResultColumns.end(),
                     [&](std::string_view name) { return means(header, name); });
}

bool is_state_column(std::string_view header) { return means(header, kStateColumn); }

std::optional<JobKind> dsp_id_column_named(std::string_view header) {
  for (const KindNames& names : kKinds) {
    if (means(header, kDspIdColumns[static_cast<std::size_t>(names.kind)])) return names.kind;
  }
  return std::nullopt;
}

}  // namespace dl
