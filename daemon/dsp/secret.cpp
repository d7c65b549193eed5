#include "daemon/dsp/secret.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace dl {
namespace {

constexpr std::size_t kSecretBytesMax = 16 * 1024;

Error refused(const std::string& path, const char* why) {
  return {Errc::no_permission, "token file " + path + ": " + why};
}

// A process or a machine that has run out of something says nothing about the credentials.
Error unreadable(const std::string& path, int error) {
  Error what = refused(path, std::strerror(error));
  if (error == EMFILE || error == ENFILE || error == ENOMEM) what.code = Errc::io;
  return what;
}

// How many bytes at the start of `text` are `letter` as JSON may escape it, or itself; 0: they are
// not.
std::size_t spelling_of(char letter, std::string_view text) {
  if (text.size() >= 2 && text[0] == '\\') {
    const bool is_escaped_by_one = letter == '"' || letter == '\\' || letter == '/';
    if (is_escaped_by_one && text[1] == letter) return 2;
    constexpr std::size_t kUnicode = 6;  // \u002f
    unsigned code = 0;
    if (text[1] == 'u' && text.size() >= kUnicode &&
        std::from_chars(text.data() + 2, text.data() + kUnicode, code, 16).ptr ==
            text.data() + kUnicode) {
      return code == static_cast<unsigned char>(letter) ? kUnicode : 0;
    }
  }
  return !text.empty() && text[0] == letter ? 1 : 0;
}

// The length of `word`, however it is spelled, at the start of `text`; 0: it does not stand there.
std::size_t spelling_of_all(std::string_view word, std::string_view text) {
  std::size_t size = 0;
  for (const char letter : word) {
    const std::size_t step = spelling_of(letter, text.substr(size));
    if (step == 0) return 0;
    size += step;
  }
  return size;
}

void cover(std::string& text, std::size_t at, std::size_t size) {
  std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at), size, '*');
}

}  // namespace

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  text_.swap(other.text_);  // a short string is copied by its move: what is left behind is wiped
  wipe(other.text_);
  return *this;
}

void Secret::mask_in(std::string& text) const {
  if (text_.empty()) return;
  for (auto at = text.find(text_); at != std::string::npos; at = text.find(text_, at))
    cover(text, at, text_.size());
  // PHP writes / as \/, .NET + as \u002B; and what was read from JSON is written as JSON again.
  if (text.find('\\') == std::string::npos) return;
  for (std::size_t at = 0; at < text.size(); ++at)
    cover(text, at, spelling_of_all(text_, std::string_view(text).substr(at)));
}

void Secret::wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

Result<Secret> read_secret(const std::string& path) {
  const int file =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not hold us
  if (file < 0) return unreadable(path, errno);
  std::array<char, kSecretBytesMax + 1> bytes;
  std::size_t size = 0;
  ssize_t got = 0;
  do {
    got = ::read(file, bytes.data() + size, bytes.size() - size);
    if (got > 0) size += static_cast<std::size_t>(got);
  } while ((got > 0 && size < bytes.size()) || (got < 0 && errno == EINTR));
  const int error = got < 0 ? errno : 0;
  ::close(file);

  std::string_view text(bytes.data(), size);
  constexpr std::string_view kSpace = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  text = text.substr(0, text.find_last_not_of(kSpace) + 1);
  const bool is_printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  Secret secret{std::string(text)};
  OPENSSL_cleanse(bytes.data(), bytes.size());

  if (error != 0) return unreadable(path, error);
  if (secret.empty()) return refused(path, "empty");
  if (size > kSecretBytesMax) return refused(path, "longer than 16 KiB");
  if (!is_printable) return refused(path, "holds a space, a control character or a non-ASCII byte");
  return secret;
}

}  // namespace dl
