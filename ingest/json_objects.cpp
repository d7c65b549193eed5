#include "ingest/json_objects.h"

#include <algorithm>

namespace dl {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::string_view kErrorKey = "dl_error";

}  // namespace

std::string with_error(const ObjectText& object, std::string_view error) {
  std::string text(object.front);
  text += object.back;
  // Outside texts, where alone they may stand, they mean nothing.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (!object.has_room) return text;
  text.pop_back();
  text.resize(text.find_last_not_of(kBlank) + 1);
  if (text != "{") text += ',';
  append_json_string(text, kErrorKey);
  text += ':';
  append_json_string(text, error);
  return text += '}';
}

void JsonObjects::begin() {
  places_.clear();
  depth_ = 0;
  depth_around_ = 0;
  last_end_ = 0;
  in_error_ = false;
}

void JsonObjects::take(const JsonToken& token) {
  const bool is_begin = token.type == JsonType::object_begin || token.type == JsonType::array_begin;
  const bool is_end = token.type == JsonType::object_end || token.type == JsonType::array_end;
  if (is_begin) {
    if (token.type == JsonType::array_begin && depth_ == 0) depth_around_ = 1;
    if (token.type == JsonType::object_begin && depth_ == depth_around_)
      places_.push_back({token.end - 1, 0, 0, 0, 0});
    ++depth_;
  } else if (is_end) {
    --depth_;
    if (token.type == JsonType::object_end && depth_ == depth_around_)
      places_.back().end = token.end;
  }
  if (depth_ == depth_around_ + 1) {  // in an object, or behind a value of it
    if (token.type == JsonType::key) {
      ++places_.back().keys;
      in_error_ = token.text == kErrorKey;
      if (in_error_) places_.back().error_begin = last_end_;
    } else if (in_error_) {
      places_.back().error_end = token.end;
      in_error_ = false;
    }
  }
  last_end_ = token.end;
}

ObjectText JsonObjects::text_of(std::string_view document, std::size_t n) const {
  const Place& place = places_[n];
  const std::string_view whole = document.substr(0, place.end);
  if (place.error_end == 0) return {whole.substr(place.begin), {}, place.keys < kJsonKeysMax};
  ObjectText text{whole.substr(place.begin, place.error_begin - place.begin),
                  whole.substr(place.error_end), true};
  const std::size_t next = text.back.find_first_not_of(kBlank);
  if (text.front == "{" && text.back[next] == ',') text.back.remove_prefix(next + 1);
  return text;
}

}  // namespace dl
