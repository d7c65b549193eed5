// Enumerators and the words by which settings, tables and people know them: pairs in one table, so
// that neither their order nor a second list decides what a word means. Pure; callable from any
// thread.
#pragma once

#include <optional>
#include <string_view>

namespace dl {

template <class Enum>
struct Named {
  Enum value;
  std::string_view name;
};

// `table`: an array of Named.
constexpr std::string_view name_in(const auto& table, auto value) {
  for (const auto& each : table) {
    if (each.value == value) return each.name;
  }
  return "?";
}

// Nothing where no value is called so.
template <class Table>
constexpr auto value_in(const Table& table, std::string_view name) {
  std::optional<decltype(table.front().value)> value;
  for (const auto& each : table) {
    if (each.name == name) value = each.value;
  }
  return value;
}

}  // namespace dl
