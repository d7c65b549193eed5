#include "daemon/version.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <openssl/crypto.h>
#include <rapidjson/rapidjson.h>
#include <spdlog/version.h>
#include <sqlite3.h>

#include <boost/version.hpp>

namespace dl {
namespace {

constexpr int kFixedSqlite = 3'051'003;

std::string line(std::string_view name, const std::string& version) {
  std::string text = "  " + std::string(name);
  text.resize(13, ' ');
  return text + version + '\n';
}

std::string boost_version() {
  return std::to_string(BOOST_VERSION / 100'000) + '.' +
         std::to_string(BOOST_VERSION / 100 % 1'000) + '.' + std::to_string(BOOST_VERSION % 100);
}

std::string spdlog_version() {
  return std::to_string(SPDLOG_VER_MAJOR) + '.' + std::to_string(SPDLOG_VER_MINOR) + '.' +
         std::to_string(SPDLOG_VER_PATCH);
}

}  // namespace

std::string_view program_version() { return DL_VERSION; }

std::string version_text() {
  std::string text = "dl-daemon " + std::string(program_version()) + '\n';
  text += line("SQLite", sqlite3_libversion());
  text += line("SQLiteCpp", SQLITECPP_VERSION);
  text += line("Boost", boost_version());
  text += line("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING));
  text += line("spdlog", spdlog_version());
  text += line("RapidJSON", RAPIDJSON_VERSION_STRING);
  text += line("systemd", DL_SYSTEMD_VERSION);
  if (const auto warning = sqlite_warning()) text += "warning: " + *warning + '\n';
  return text;
}

std::optional<std::string> sqlite_warning(int version_number) {
  if (version_number >= kFixedSqlite) return std::nullopt;
  return "SQLite " + std::to_string(version_number / 1'000'000) + '.' +
         std::to_string(version_number / 1'000 % 1'000) + '.' +
         std::to_string(version_number % 1'000) +
         " is older than 3.51.3 and can lose a transaction when two programs restart the WAL at "
         "once; "
         "DemandLink keeps clear of it (automatic checkpoints are off, one program checkpoints), "
         "and so "
         "must other programs that open the database: PRAGMA wal_autocheckpoint = 0";
}

std::optional<std::string> sqlite_warning() { return sqlite_warning(sqlite3_libversion_number()); }

}  // namespace dl
