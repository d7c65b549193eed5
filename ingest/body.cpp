#include "ingest/body.h"

#include <utility>

#include "ingest/json_reader.h"
#include "ingest/look_alike.h"

namespace dl {

void render_body(JobKind kind, std::span<const std::string_view> values, std::string& body) {
  body = "{";
  std::string_view group;
  std::size_t i = 0;
  for (const ColumnRule& rule : columns_of(kind)) {
    if (!group.empty() && rule.group != group) body += '}';
    if (i > 0) body += ',';
    if (!rule.group.empty() && rule.group != group)
      body.append("\"").append(rule.group).append("\":{");
    group = rule.group;
    body.append("\"").append(rule.field).append("\":");
    if (rule.rule == ValueRule::money) {
      body += values[i];  // decimal text is a JSON number as it is
    } else {
      append_json_string(body, values[i]);
    }
    ++i;
  }
  body += group.empty() ? "}" : "}}";
}

void read_body(JobKind kind, std::string_view body, RowValues& values) {
  for (const ColumnRule& rule : columns_of(kind)) values[index_of(rule.column)].clear();
  std::string group;
  std::string key;
  int depth = 0;
  read_json(body, 1, [&](const JsonToken& token) {
    if (token.type == JsonType::object_begin && ++depth == 2) group = key;
    if (token.type == JsonType::object_end && --depth == 1) group.clear();
    if (token.type == JsonType::key) key = token.text;
    if (token.type != JsonType::text && token.type != JsonType::number) return;
    for (const ColumnRule& rule : columns_of(kind)) {
      if (rule.field == key && rule.group == group) values[index_of(rule.column)] = token.text;
    }
  });
}

std::vector<ValueChange> value_changes(JobKind kind, std::string_view body_before,
                                       std::string_view body) {
  RowValues before;
  RowValues now;
  read_body(kind, body_before, before);
  read_body(kind, body, now);
  std::vector<ValueChange> changes;
  for (const ColumnRule& rule : columns_of(kind)) {
    const std::size_t i = index_of(rule.column);
    if (before[i] == now[i]) continue;
    auto [a, b] = told_apart(before[i], now[i]);
    changes.push_back({rule.column, std::move(a), std::move(b)});
  }
  return changes;
}

}  // namespace dl
