// Reading one JSON object and writing JSON strings; the mock's only door to RapidJSON.
// Pure; callable from any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace dl::mock {

// literal: true, false or null
enum class JsonType { string, number, literal, nested };

// A field of the object itself, not of objects inside it.
struct JsonField {
  std::string_view name;
  std::string_view text;  // decoded string, number or literal as written; empty for nested
  JsonType type;
};

inline constexpr int kMaxJsonDepth = 64;

// Calls `field` for each field in order; the views live until it returns. False: `text` is not one
// JSON object in valid UTF-8 within kMaxJsonDepth (fields before the mistake were reported).
bool read_json_object(std::string_view text, const std::function<void(const JsonField&)>& field);

// Appends `text` (valid UTF-8) as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

}  // namespace dl::mock
