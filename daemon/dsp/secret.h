// A text that must not outlive its use: moved, never copied, and overwritten when it dies.
// Thread rule: a value, owned by one thread at a time.
#pragma once

#include <string>
#include <string_view>

#include "storage/model/result.h"

namespace dl {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(Secret&& other) noexcept { *this = std::move(other); }
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { wipe(text_); }

  bool empty() const { return text_.empty(); }
  std::string_view text() const { return text_; }
  bool occurs_in(std::string_view text) const {
    return !text_.empty() && text.find(text_) != std::string_view::npos;
  }
  // Overwrites every occurrence of the secret in `text` with '*', also as JSON may escape it, so
  // that an answer that echoes it puts it neither into the ledger nor into the log. Of text that
  // was read already: masked before, it would say something else.
  void mask_in(std::string& text) const;

  // Overwrites and empties `text`, with all the memory it has reserved.
  static void wipe(std::string& text);

 private:
  std::string text_;
};

// Reads a credential from `path`, without the white space around it. Errors, which never show a
// byte of the content: no_permission (missing, unreadable, empty, longer than 16 KiB, or with
// anything but printable ASCII inside, which would split the request's header).
Result<Secret> read_secret(const std::string& path);

}  // namespace dl
