// Where the objects of a document (itself, or those of its list) stand in its text, so that one of
// which something was refused can be given back as a whole. Pure; callable from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/json_reader.h"

namespace dl {

// The text of an object in two parts, between which its dl_error of an earlier load stood.
struct ObjectText {
  std::string_view front;  // begins with {
  std::string_view back;   // ends with }
  bool has_room = true;    // for one more key
};

// In one line, with `error` as its last member if there is room.
std::string with_error(const ObjectText& object, std::string_view error);

class JsonObjects {
 public:
  void begin();
  void take(const JsonToken& token);  // each of the document

  // `document`: whose tokens were taken; `n`: 0 = its first object.
  ObjectText text_of(std::string_view document, std::size_t n) const;

 private:
  struct Place {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t error_begin = 0;  // behind what stands before it
    std::size_t error_end = 0;    // 0: none
    std::size_t keys = 0;
  };

  std::vector<Place> places_;
  std::size_t depth_ = 0;
  std::size_t depth_around_ = 0;  // of the objects
  std::size_t last_end_ = 0;      // of the token before
  bool in_error_ = false;
};

}  // namespace dl
