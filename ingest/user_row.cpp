#include "ingest/user_row.h"

#include "ingest/json_reader.h"

namespace dl {

std::string json_array_of(const std::vector<std::string>& texts) {
  std::string json = "[";
  for (const std::string& text : texts) {
    if (json.size() > 1) json += ',';
    append_json_string(json, text);
  }
  return json + "]";
}

std::vector<std::string> texts_of(const std::string& json_array) {
  std::vector<std::string> texts;
  read_json(json_array, 1, [&](const JsonToken& token) {
    if (token.type == JsonType::text) texts.emplace_back(token.text);
  });
  return texts;
}

UserRows::UserRows(const std::optional<std::string>& header) {
  if (header) {
    header_ = texts_of(*header);
  } else {
    for (const ColumnRule& rule : kColumns) header_.emplace_back(rule.name);
  }
  for (const std::string& name : header_) columns_.push_back(column_named(name));
}

std::vector<std::string> UserRows::fields(const std::optional<std::string>& raw,
                                          const std::array<std::string, 3>& bodies) {
  if (raw) {
    std::vector<std::string> kept = texts_of(*raw);
    kept.resize(header_.size());
    return kept;
  }
  for (const KindNames& names : kKinds) {
    const auto level = static_cast<std::size_t>(names.kind);
    if (bodies[level] == bodies_[level]) continue;  // neighbours share their campaign and ad group
    read_body(names.kind, bodies[level], values_);
    bodies_[level] = bodies[level];
  }
  std::vector<std::string> fields;
  fields.reserve(columns_.size());
  for (const std::optional<Column>& column : columns_) {
    fields.push_back(column ? values_[index_of(*column)] : std::string());
  }
  return fields;
}

}  // namespace dl
