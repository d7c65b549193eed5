#include "ingest/json_reader.h"

#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <vector>

#include "storage/model/surrogate.h"

namespace dl {
namespace {

constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseNumbersAsStringsFlag;

// RapidJSON's idea of an input stream, over a view, counting lines as it goes.
class TextStream {
 public:
  using Ch = char;
  TextStream(std::string_view text, std::int64_t first_line) : text_(text), line_(first_line) {}

  Ch Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  Ch Take() {
    if (at_ >= text_.size()) return '\0';
    if (text_[at_] == '\n') ++line_;
    return text_[at_++];
  }
  std::size_t Tell() const { return at_; }
  Ch* PutBegin() { return nullptr; }  // only for parsing in place
  void Put(Ch) {}
  void Flush() {}
  std::size_t PutEnd(Ch*) { return 0; }

  std::int64_t line() const { return line_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_;
};

class Handler {
 public:
  Handler(const TextStream& stream, const JsonSink& sink) : stream_(stream), sink_(sink) {}

  bool Null() { return give(JsonType::null, ""); }
  bool Bool(bool value) { return give(JsonType::boolean, value ? "true" : "false"); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    return give(JsonType::number, {text, length});
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (has_surrogate({text, length})) return stop_at_surrogate();
    return give(JsonType::text, {text, length});
  }
  // Numbers come as text, never as these.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  bool StartObject() { return enter(JsonType::object_begin); }
  bool StartArray() { return enter(JsonType::array_begin); }
  bool EndObject(rapidjson::SizeType) { return leave(JsonType::object_end); }
  bool EndArray(rapidjson::SizeType) { return leave(JsonType::array_end); }

  bool Key(const char* text, rapidjson::SizeType length, bool) {
    const std::string_view key(text, length);
    if (has_surrogate(key)) return stop_at_surrogate();
    std::vector<std::string>& keys = keys_.back();
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) {
      return stop("repeated_key", "stands twice in one object", key);
    }
    if (keys.size() == kJsonKeysMax) {
      return stop("too_many_keys", "more than 256 keys in one object", key);
    }
    keys.emplace_back(key);
    return give(JsonType::key, key);
  }

  std::optional<JsonFault> fault;

 private:
  bool give(JsonType type, std::string_view text) {
    sink_({type, text, stream_.line(), stream_.Tell()});
    return true;
  }
  // RapidJSON tells of a bracket before it takes it.
  bool give_bracket(JsonType type) {
    sink_({type, "", stream_.line(), stream_.Tell() + 1});
    return true;
  }
  bool enter(JsonType type) {
    if (keys_.size() == static_cast<std::size_t>(kJsonDepthMax)) {
      return stop("too_deep", "nested more than 32 levels deep", "");
    }
    keys_.emplace_back();
    return give_bracket(type);
  }
  bool leave(JsonType type) {
    keys_.pop_back();
    return give_bracket(type);
  }
  bool stop_at_surrogate() {
    return stop("bad_json", "half a surrogate pair, \\uDC00 to \\uDFFF, is no character", "");
  }
  bool stop(std::string_view code, std::string message, std::string_view value) {
    fault = JsonFault{stream_.line(), code, std::move(message), std::string(value)};
    return false;
  }

  const TextStream& stream_;
  const JsonSink& sink_;
  std::vector<std::vector<std::string>> keys_;  // one element a level
};

}  // namespace

std::optional<JsonFault> read_json(std::string_view text, std::int64_t first_line,
                                   const JsonSink& sink) {
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    const auto breaks =
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(nul), '\n');
    return JsonFault{first_line + breaks, "nul_byte",
                     "contains a NUL byte; this is not a text file, or it is damaged", ""};
  }
  TextStream stream(text, first_line);
  Handler handler(stream, sink);
  rapidjson::Reader reader;
  const rapidjson::ParseResult result = reader.Parse<kParseFlags>(stream, handler);
  if (!result.IsError()) return std::nullopt;
  if (handler.fault) return handler.fault;
  const std::string_view rest = text.substr(std::min(result.Offset(), text.size()));
  const std::string_view near = rest.substr(0, rest.find('\n'));
  std::string message = rapidjson::GetParseError_En(result.Code());
  if (message.ends_with('.')) message.pop_back();
  return JsonFault{stream.line(), "bad_json", std::move(message), std::string(near.substr(0, 24))};
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  // nearly always; without a way out of the loop it takes many bytes at a time
  bool is_plain = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    is_plain = is_plain & (byte >= 0x20) & (byte != '"') & (byte != '\\');
  }
  if (is_plain) {
    out.append(text) += '"';
    return;
  }
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text.substr(done, i - done));
    done = i + 1;
    out += '\\';
    switch (byte) {
      case '"':
      case '\\': out += text[i]; break;
      case '\n': out += 'n'; break;
      case '\r': out += 'r'; break;
      case '\t': out += 't'; break;
      default:
        out += "u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
  }
  out.append(text.substr(done));
  out += '"';
}

std::string_view json_library_version() { return RAPIDJSON_VERSION_STRING; }

}  // namespace dl
