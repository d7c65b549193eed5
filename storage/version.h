// Which version this is, of what it is made, and what of that is known to be dangerous.
// Pure; callable from any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dl {

std::string_view program_version();  // "0.1.0"

struct LibraryVersion {
  std::string_view name;
  std::string version;
};
// The text of --version: the program, a line for each library of both programs and for each of its
// own, with the version in use (SQLite and OpenSSL as loaded, the others as built with), then
// sqlite_warning's, if any.
std::string version_text(std::string_view program, std::span<const LibraryVersion> its_own);

// What to say, at start and in --version, where the SQLite in use has the WAL-reset bug; nothing
// where it has not. `version_number`: as sqlite3_libversion_number() gives it, 3040001 for 3.40.1.
std::optional<std::string> sqlite_warning(int version_number);
std::optional<std::string> sqlite_warning();  // of the SQLite in use

}  // namespace dl
