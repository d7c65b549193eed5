// Plain values put one behind the other into a string, and taken out again in the same order:
// records of temporary files, which no other program reads. Pure; callable from any thread.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace dl {

template <class Number>
void pack_number(std::string& out, Number number) {
  static_assert(std::is_trivially_copyable_v<Number>);
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof number);
}

inline void pack_text(std::string& out, std::string_view text) {
  pack_number(out, static_cast<std::uint32_t>(text.size()));
  out.append(text);
}

class Unpacker {
 public:
  explicit Unpacker(std::string_view record) : rest_(record) {}

  template <class Number>
  Number number() {
    Number number;
    std::memcpy(&number, bytes(sizeof number).data(), sizeof number);
    return number;
  }
  std::string_view text() { return bytes(number<std::uint32_t>()); }
  std::string_view bytes(std::size_t size) {
    const std::string_view part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }

  bool is_empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

}  // namespace dl
