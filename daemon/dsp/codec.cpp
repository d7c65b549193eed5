#include "daemon/dsp/codec.h"

#define RAPIDJSON_HAS_STDSTRING 1
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <set>

#include "storage/model/check.h"
#include "storage/model/surrogate.h"

namespace dl {
namespace {

// The numbers stay text: RapidJSON 1.1's conversion reads out of bounds (CVE-2024-38517), and an id
// of 20 digits would lose some. Iterative: a recursive parser is a stack overflow for whoever
// answers.
constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag |
                                 rapidjson::kParseValidateEncodingFlag |
                                 rapidjson::kParseNumbersAsStringsFlag;

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Of the UTF-8 at the front of `text`, how many bytes are a character that a terminal may obey or
// that turns lines and directions round: C1 controls, U+2028 to U+202E, U+2066 to U+2069 (as
// daemon/escape.cpp).
std::size_t disguise_at_front(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool is_separator_or_override = byte(1) == 0x80 && byte(2) >= 0xA8 && byte(2) <= 0xAE;
  const bool is_isolate = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return is_separator_or_override || is_isolate ? 3 : 0;
}

// For a person's eyes and a TEXT column, which sqlite3 prints as it is: one line of what it looks
// like, at most kErrorTextBytesMax bytes of whole characters.
std::string clipped(std::string_view text) {
  std::size_t size = std::min(text.size(), kErrorTextBytesMax);
  while (size > 0 && size < text.size() &&
         (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) {
    --size;
  }
  std::string out(text.substr(0, size));
  std::replace_if(out.begin(), out.end(), is_control, ' ');
  for (std::size_t at = 0; at < out.size(); ++at) {
    const std::size_t length = disguise_at_front(std::string_view(out).substr(at));
    out.replace(at, length, length, ' ');
  }
  return out;
}

// Takes the events of the parse and keeps the few values that matter. Returning false ends the
// parse.
class AnswerHandler : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, AnswerHandler> {
 public:
  AnswerHandler(std::string_view id_field, Purpose purpose, const Secret& token)
      : id_field_(id_field), purpose_(purpose), token_(token) {}

  bool ids_are_complete() const {
    if (purpose_ == Purpose::lookup) return !entity_without_id_;
    return !is_post(purpose_) || !answer_.id_withheld;
  }
  DspAnswer take() && { return std::move(answer_); }

  bool Default() { return false; }  // numbers come as text only
  bool Null() { return captures() ? writer_.Null() : value(Type::other, {}); }
  bool Bool(bool b) { return captures() ? writer_.Bool(b) : value(Type::other, {}); }
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    if (captures()) return writer_.RawValue(text, size, rapidjson::kNumberType);
    return value(Type::number, {text, size});
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (has_surrogate({text, size})) return false;
    if (captures()) return writer_.String(text, size);
    return value(Type::string, {text, size});
  }
  bool Key(const char* text, rapidjson::SizeType size, bool) {
    if (has_surrogate({text, size})) return false;
    if (captures()) return writer_.Key(text, size);
    if (depth_ == entity_depth_) return enter_field({text, size});
    return true;
  }
  bool StartObject() {
    if (!descend(Shape::object)) return false;
    return !captures() || writer_.StartObject();
  }
  bool StartArray() {
    if (!descend(Shape::array)) return false;
    return !captures() || writer_.StartArray();
  }
  bool EndObject(rapidjson::SizeType) {
    if (captures()) writer_.EndObject();
    if (depth_ == entity_depth_ && !has_id_) entity_without_id_ = true;
    ascend();
    return true;
  }
  bool EndArray(rapidjson::SizeType) {
    if (captures()) writer_.EndArray();
    ascend();
    return true;
  }

 private:
  enum class Shape { object, array };
  enum class Type { string, number, other };
  enum class Field { id, external_id, status, error, other };

  bool captures() const { return captured_from_ != 0; }

  bool descend(Shape shape) {
    if (++depth_ > kAnswerDepthMax) return false;
    if (depth_ == 1) {
      entity_depth_ = shape == Shape::object ? 1 : 2;
      if (shape == Shape::array && purpose_ != Purpose::lookup) return false;
    }
    if (depth_ == entity_depth_) {
      if (shape != Shape::object) return false;
      keys_.clear();
      has_id_ = false;
    }
    if (depth_ == entity_depth_ + 1 && field_ == Field::error) captured_from_ = depth_;
    if (depth_ == entity_depth_ + 1 && field_ == Field::external_id) note_external_id({});
    return true;
  }

  void ascend() {
    if (captured_from_ == depth_) {
      answer_.error = kept({buffer_.GetString(), buffer_.GetSize()});
      captured_from_ = 0;
      buffer_.Clear();
      writer_.Reset(buffer_);
    }
    --depth_;
  }

  bool enter_field(std::string_view name) {
    // RapidJSON takes a key twice and lets the first win; others let the last win. Neither is a
    // proof.
    if (!keys_.emplace(name).second) return false;
    field_ = name == id_field_       ? Field::id
             : name == "external_id" ? Field::external_id
             : name == "status"      ? Field::status
             : name == "error"       ? Field::error
                                     : Field::other;
    return true;
  }

  // Masked before it is clipped, or a part of the token would stay.
  std::string kept(std::string_view text) const {
    std::string masked(text);
    token_.mask_in(masked);
    return clipped(masked);
  }

  void note_external_id(std::string_view text) {
    if (purpose_ == Purpose::lookup) answer_.external_ids.push_back(kept(text));
  }

  // A value that is neither object nor array, outside a captured error.
  bool value(Type type, std::string_view text) {
    if (depth_ < entity_depth_ || depth_ == 0)
      return false;  // not an object, or not an array of them
    if (depth_ > entity_depth_) return true;
    switch (field_) {
      case Field::id:
        // An integer has digits alone; a sign, a fraction or an exponent is no id.
        if (type == Type::other || !is_legal_dsp_id(text)) break;
        if (type == Type::number && !std::all_of(text.begin(), text.end(), is_digit)) break;
        if (token_.occurs_in(text)) {
          answer_.id_withheld = true;
          break;
        }
        answer_.ids.emplace_back(text);
        has_id_ = true;
        break;
      case Field::external_id:  // our keys are texts
        note_external_id(type == Type::string ? text : std::string_view());
        break;
      case Field::status:
        if (type == Type::string) answer_.status = kept(text);
        break;
      case Field::error:
        if (type == Type::string) answer_.error = kept(text);
        break;
      case Field::other: break;
    }
    return true;
  }

  std::string_view id_field_;
  Purpose purpose_;
  const Secret& token_;
  bool has_id_ = false;             // the entity being read
  bool entity_without_id_ = false;  // any of them
  int depth_ = 0;
  int entity_depth_ = 1;
  int captured_from_ = 0;  // depth where an error that is no string began; 0: not in one
  Field field_ = Field::other;
  std::set<std::string, std::less<>> keys_;  // of the entity being read
  DspAnswer answer_;
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

// Appends "name":"text", to `out`.
void append_member(std::string& out, std::string_view name, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out.append("\"").append(name).append("\":\"");
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (is_control(c)) {
      out.append("\\u00");
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    } else {
      out += c;
    }
  }
  out.append("\",");
}

}  // namespace

DspAnswer parse_answer(std::string_view body, JobKind kind, Purpose purpose, const Secret& token) {
  if (body.empty() || body.size() > kAnswerBytesMax) return {};
  // Not by RapidJSON, which passes over each of its three bytes alone as well.
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  rapidjson::MemoryStream bytes(body.data(), body.size());
  AnswerHandler handler(names_of(kind).id_field, purpose, token);
  rapidjson::Reader reader;
  const bool parsed = !reader.Parse<kParseFlags>(bytes, handler).IsError();
  // A NUL byte looks like the end of the stream to RapidJSON: whatever hides behind it is not read.
  if (!parsed || bytes.Tell() != body.size()) return {};
  const bool ids_are_complete = handler.ids_are_complete();
  DspAnswer answer = std::move(handler).take();
  if (!ids_are_complete) {
    answer.ids.clear();
    answer.external_ids.clear();
  }
  answer.readable = ids_are_complete;
  return answer;
}

bool is_legal_dsp_id(std::string_view id) {
  constexpr std::string_view kPunctuation = "._:-~@+=/";
  if (id.empty() || id.size() > kDspIdBytesMax || id == "." || id == "..") return false;
  return std::all_of(id.begin(), id.end(), [&](char c) {
    return is_letter(c) || is_digit(c) || kPunctuation.find(c) != std::string_view::npos;
  });
}

std::string render_create_body(std::string_view payload, std::span<const ParentId> parents,
                               std::optional<std::string_view> external_id) {
  DL_CHECK(payload.size() >= 2 && payload.front() == '{' && payload.back() == '}',
           "a payload is a JSON object without space around it");
  std::string body = "{";
  body.reserve(payload.size() + 128);
  for (const ParentId& parent : parents) {
    append_member(body, names_of(parent.kind).id_field, parent.dsp_id);
  }
  if (external_id) append_member(body, "external_id", *external_id);
  const std::string_view rest = payload.substr(1);
  const bool rest_is_empty = rest.find_first_not_of(" \t\r\n") == rest.size() - 1;
  if (rest_is_empty && body.back() == ',') body.pop_back();
  return body.append(rest);
}

std::string create_target(JobKind kind) {
  return std::string("/").append(names_of(kind).collection);
}

std::string status_target(JobKind kind, std::string_view dsp_id) {
  return create_target(kind) + "/" + percent_encode_segment(dsp_id) + "/status";
}

std::string lookup_target(JobKind kind, std::string_view key) {
  return create_target(kind) + "?external_id=" + percent_encode_segment(key);
}

std::string percent_encode_segment(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  const bool is_dots = text == "." || text == "..";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '~' || (c == '.' && !is_dots)) {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

}  // namespace dl
