#include "ingest/json_keys.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "storage/model/nearest_name.h"

namespace dl {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// Those of an ad group that may be absent; they stand together.
std::span<const ColumnRule> targeting_lists() {
  const std::span<const ColumnRule> all = columns_of(JobKind::ad_group);
  const auto is_list = [](const ColumnRule& rule) { return rule.rule == ValueRule::list; };
  const auto first = std::find_if(all.begin(), all.end(), is_list);
  return {first, std::find_if_not(first, all.end(), is_list)};
}

}  // namespace

std::string_view children_key(JobKind kind) {
  switch (kind) {
    case JobKind::campaign: return "ad_groups";
    case JobKind::ad_group: return "ads";
    case JobKind::ad: return "";
  }
  return "";
}

JobKind child_of(JobKind kind) {
  return kind == JobKind::campaign ? JobKind::ad_group : JobKind::ad;
}

const ColumnRule* column_inside(JobKind kind, std::string_view key) {
  for (const ColumnRule& rule : columns_of(kind)) {
    if (rule.nested == key) return &rule;
  }
  const std::optional<Column> column = column_named(key);
  if (!column) return nullptr;
  const ColumnRule& rule = rule_of(*column);
  return kind == JobKind::campaign || rule.kind == kind ? &rule : nullptr;
}

std::string likely_keys(JobKind kind, std::string_view key) {
  std::vector<std::string_view> holders;
  if (kind != JobKind::ad) holders.push_back(children_key(kind));
  std::string parts;
  for (const ColumnRule& rule : columns_of(kind)) {
    if (rule.rule == ValueRule::list) holders.push_back(rule.nested);
    if (!rule.group.empty() && rule.group == key)
      parts += (parts.empty() ? "" : ", ") + std::string(rule.nested);
  }
  if (!parts.empty()) return "; write its parts as " + parts;  // as it stands in the DSP's bodies
  if (const auto near = nearest_name(lower_case(key), holders))
    return "; write " + std::string(*near);
  return kind == JobKind::ad ? "; leave it out"
                             : "; leave it out, or write " + std::string(children_key(kind));
}

std::span<const ColumnRule> targeting_meant_by(JobKind kind, std::string_view key) {
  const std::span<const ColumnRule> lists = targeting_lists();
  const std::string typed = lower_case(key);
  std::vector<std::string_view> known;
  for (const ColumnRule& rule : kColumns) known.push_back(rule.name);
  for (const ColumnRule& rule : columns_of(kind)) known.push_back(rule.nested);
  if (kind != JobKind::ad) known.push_back(children_key(kind));
  if (kind == JobKind::ad_group) {  // as they stand in the DSP's bodies
    for (const ColumnRule& rule : lists) known.push_back(rule.field);
    known.push_back(lists.front().group);
  }
  const auto near = nearest_name(typed, known);
  if (!near) return {};
  if (*near == lists.front().group) return lists;
  for (const ColumnRule& rule : lists) {
    if (*near == rule.name || *near == rule.field) return {&rule, 1};
  }
  return {};
}

}  // namespace dl
