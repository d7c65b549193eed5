#include "tests/mock_dsp/json_object.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

namespace dl::mock {
namespace {

using rapidjson::SizeType;

struct Handler {
  const std::function<void(const JsonField&)>& field;
  std::string name{};
  int depth = 0;
  bool is_object = false;

  bool value(std::string_view text, JsonType type) {
    if (depth == 0) return false;  // not an object
    if (depth == 1) field({name, text, type});
    return true;
  }
  bool open() {
    if (depth == 1) field({name, {}, JsonType::nested});
    return ++depth <= kMaxJsonDepth;
  }
  bool close() {
    --depth;
    return true;
  }

  bool Null() { return value("null", JsonType::literal); }
  bool Bool(bool is) { return value(is ? "true" : "false", JsonType::literal); }
  bool RawNumber(const char* text, SizeType size, bool) {
    return value({text, size}, JsonType::number);
  }
  bool String(const char* text, SizeType size, bool) {
    return value({text, size}, JsonType::string);
  }
  bool Key(const char* text, SizeType size, bool) {
    if (depth == 1) name.assign(text, size);
    return true;
  }
  bool StartObject() {
    is_object |= depth == 0;
    return open();
  }
  bool EndObject(SizeType) { return close(); }
  bool StartArray() { return depth > 0 && open(); }
  bool EndArray(SizeType) { return close(); }

  // Never called with kParseNumbersAsStringsFlag; the reader wants them all the same.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
};

}  // namespace

bool read_json_object(std::string_view text, const std::function<void(const JsonField&)>& field) {
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseValidateEncodingFlag |
                              rapidjson::kParseNumbersAsStringsFlag;
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::Reader reader;
  Handler handler{field};
  return !reader.Parse<kFlags>(stream, handler).IsError() && handler.is_object;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace dl::mock
