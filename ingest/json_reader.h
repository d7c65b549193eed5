// JSON as a stream of tokens with their lines. The only file that includes RapidJSON, always with
// an iterative parser, validated UTF-8 and numbers left as text, within limits of depth and of
// keys; a key that is repeated in one object is refused. And the other way: text as a JSON string.
// Pure; callable from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace dl {

inline constexpr int kJsonDepthMax = 32;
inline constexpr std::size_t kJsonKeysMax = 256;  // in one object

enum class JsonType {
  object_begin,
  object_end,
  array_begin,
  array_end,
  key,
  text,
  number,
  boolean,
  null,
};

struct JsonToken {
  JsonType type = JsonType::null;
  std::string_view text;  // of key, text, number and boolean (true, false); valid during the call
  std::int64_t line = 0;  // where the token ends
  std::size_t end = 0;    // the same in the text: behind its last byte
};

struct JsonFault {
  std::int64_t line = 0;
  std::string_view code;  // bad_json, too_deep, too_many_keys, repeated_key, nul_byte
  std::string message;
  std::string value;
};

// Called for every token, in order.
using JsonSink = std::function<void(const JsonToken&)>;

// Reads one JSON value that fills `text` but for white space. `first_line`: of the text in its
// file. Tokens before a fault have been given out.
std::optional<JsonFault> read_json(std::string_view text, std::int64_t first_line,
                                   const JsonSink& sink);

// Appends `text`, which is valid UTF-8, as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

std::string_view json_library_version();

}  // namespace dl
