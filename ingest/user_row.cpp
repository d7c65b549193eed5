#include "ingest/user_row.h"

#include <charconv>

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

UserRows::UserRows(const std::optional<std::string>& header)
    : UserRows(header ? texts_of(*header) : std::vector<std::string>()) {}

UserRows::UserRows(std::vector<std::string> header) : header_(std::move(header)) {
  if (header_.empty()) {
    for (const ColumnRule& rule : kColumns) header_.emplace_back(rule.name);
  }
  for (const std::string& name : header_) columns_.push_back(column_named(name));
}

void UserRows::differences(const std::vector<std::string_view>& fields,
                           const std::bitset<kColumnCount>& altered, std::string& object) const {
  object.clear();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool differs = columns_[i] ? altered[index_of(*columns_[i])] : !fields[i].empty();
    if (!differs) continue;
    object.append(object.empty() ? "{\"" : ",\"").append(std::to_string(i)).append("\":");
    append_json_string(object, fields[i]);
  }
  if (!object.empty()) object += '}';
}

void UserRows::replace(const std::string& differences, std::vector<std::string>& fields) const {
  std::size_t at = fields.size();
  read_json(differences, 1, [&](const JsonToken& token) {
    if (token.type == JsonType::key) {
      at = fields.size();
      std::from_chars(token.text.data(), token.text.data() + token.text.size(), at);
    }
    if (token.type == JsonType::text && at < fields.size()) fields[at] = token.text;
  });
}

std::vector<std::string> UserRows::fields(const std::optional<std::string>& raw,
                                          const std::array<std::string, 3>& bodies) {
  if (raw && raw->starts_with('[')) {
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
  if (raw) replace(*raw, fields);
  return fields;
}

std::string UserRows::whole(const std::optional<std::string>& raw,
                            const std::array<std::string, 3>& bodies) {
  return json_array_of(fields(raw, bodies));
}

}  // namespace dl
