#include "storage/version.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <toml++/impl/version.h>

#include <boost/version.hpp>

namespace dl {
namespace {

constexpr int kFixedSqlite = 3'051'003;

std::string line(std::string_view name, std::string_view version) {
  std::string text = "  " + std::string(name);
  text.resize(13, ' ');
  return text + std::string(version) + '\n';
}

std::string of_three(int major, int minor, int patch) {
  return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
}

}  // namespace

std::string_view program_version() { return DL_VERSION; }

std::string version_text(std::string_view program, std::span<const LibraryVersion> its_own) {
  std::string text = std::string(program) + ' ' + std::string(program_version()) + '\n';
  text += line("SQLite", sqlite3_libversion());
  text += line("SQLiteCpp", SQLITECPP_VERSION);
  text += line("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
  text += line("Boost",
               of_three(BOOST_VERSION / 100'000, BOOST_VERSION / 100 % 1'000, BOOST_VERSION % 100));
  text += line("toml++", of_three(TOML_LIB_MAJOR, TOML_LIB_MINOR, TOML_LIB_PATCH));
  for (const LibraryVersion& library : its_own) text += line(library.name, library.version);
  if (const auto warning = sqlite_warning()) text += "warning: " + *warning + '\n';
  return text;
}

std::optional<std::string> sqlite_warning(int version_number) {
  if (version_number >= kFixedSqlite) return std::nullopt;
  return "SQLite " +
         of_three(version_number / 1'000'000, version_number / 1'000 % 1'000,
                  version_number % 1'000) +
         " is older than 3.51.3 and can lose a transaction when two programs restart the WAL at "
         "once; "
         "DemandLink keeps clear of it (automatic checkpoints are off, one program checkpoints), "
         "and so "
         "must other programs that open the database: PRAGMA wal_autocheckpoint = 0";
}

std::optional<std::string> sqlite_warning() { return sqlite_warning(sqlite3_libversion_number()); }

}  // namespace dl
