#include <algorithm>
#include <string_view>

#include "tests/tidy/rules.h"
#include "tests/tidy/source_file.h"

namespace dl::tidy {
namespace {

struct Direction {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};

// The first that fits a file's path is its ring.
const std::vector<Direction>& directions() {
  static const std::vector<Direction> table = {
      {"storage/model/", {"storage/model/"}},
      {"storage/", {"storage/", "queries_sql.h", "migrations_sql.h"}},  // the two are made at build
      {"daemon/core/", {"daemon/core/", "storage/model/"}},
      // storage/fault: points where tests fail the programs; nothing in any other build.
      {"daemon/dsp/",
       {"daemon/dsp/", "daemon/core/", "storage/model/", "storage/fault/fault_point.h"}},
      {"daemon/", {"daemon/", "storage/"}},
      {"ingest/", {"ingest/", "storage/", "queries_sql.h"}},
      {"tests/", {""}},
  };
  return table;
}

struct Door {
  std::string_view library;              // what its headers start with
  std::vector<std::string_view> places;  // files, or what their paths start with
};

// The first that fits a header is its library. What only says a library's version has a door too.
const std::vector<Door>& doors() {
  static const std::vector<Door> table = {
      {"gtest/", {"tests/"}},
      {"gmock/", {"tests/"}},
      {"boost/beast", {"daemon/dsp/", "tests/"}},  // and in one .cpp only, see below
      {"boost/asio", {"daemon/dsp/", "daemon/daemon.cpp", "daemon/store_thread.cpp", "tests/"}},
      {"boost/url", {"daemon/dsp/endpoint.cpp"}},
      {"boost/uuid/", {"storage/idempotency_key.cpp", "daemon/host.cpp"}},
      {"boost/version.hpp", {"storage/version.cpp"}},
      {"rapidjson/rapidjson.h", {"daemon/version.cpp", "ingest/json_"}},
      {"rapidjson/", {"daemon/dsp/codec", "ingest/json_", "tests/mock_dsp/json_object.cpp"}},
      {"SQLiteCpp/", {"storage/", "tests/"}},
      // A process sets SQLite up once, in main; the store's thread tells a full disk by SQLite's
      // codes.
      {"sqlite3.h",
       {"storage/", "daemon/store_thread.cpp", "daemon/main.cpp", "ingest/main.cpp", "tests/"}},
      {"spdlog/version.h", {"daemon/version.cpp"}},
      {"spdlog/", {"daemon/log", "tests/shell/"}},
      {"toml++/impl/version.h", {"storage/version.cpp"}},
      {"toml++/", {"storage/config_file.cpp"}},
      {"CLI/Version.hpp", {"daemon/version.cpp"}},
      {"CLI/", {"daemon/config", "ingest/options.cpp", "tests/"}},
      {"csv.h", {"ingest/csv_reader.cpp"}},
      {"openssl/crypto.h", {"storage/version.cpp", "daemon/dsp/secret.cpp"}},
      {"openssl/evp.h", {"storage/digest.cpp", "ingest/line_reader.cpp", "tests/wire/"}},
      {"openssl/", {"daemon/dsp/tls", "tests/wire/", "tests/chaos/tls_front"}},
      {"systemd/", {"daemon/systemd_notify.cpp"}},
  };
  return table;
}

bool starts_with_one_of(std::string_view text, const std::vector<std::string_view>& beginnings) {
  return std::ranges::any_of(beginnings,
                             [text](std::string_view b) { return text.starts_with(b); });
}

// The C++ library's headers have no ending, the system's are <name.h> or in a folder of its own.
bool is_of_the_system(std::string_view name) {
  const bool has_ending = name.find('.') != std::string_view::npos;
  const bool in_folder = name.find('/') != std::string_view::npos;
  if (!has_ending && !in_folder) return true;
  if (!in_folder) return name.ends_with(".h");
  return starts_with_one_of(name, {"sys/", "netinet/", "arpa/", "linux/", "net/", "asm/"});
}

}  // namespace

Complaints include_directions(const std::vector<SourceFile>& files) {
  Complaints complaints;
  for (const SourceFile& file : files) {
    const auto ring = std::ranges::find_if(
        directions(), [&file](const Direction& d) { return is_below(file.path, d.folder); });
    if (!is_cpp(file) || ring == directions().end()) continue;
    for (const Include& include : includes_of(file)) {
      if (!include.is_ours || starts_with_one_of(include.name, ring->may_include)) continue;
      complaints.push_back(complaint(file, include.line,
                                     "includes " + std::string(include.name) +
                                         ", which is not below " + std::string(ring->folder) +
                                         " in the order of the rings"));
    }
  }
  return complaints;
}

Complaints library_doors(const std::vector<SourceFile>& files) {
  Complaints complaints;
  std::vector<std::string> beast_files;
  for (const SourceFile& file : files) {
    if (!is_cpp(file)) continue;
    bool has_beast = false;
    for (const Include& include : includes_of(file)) {
      if (include.is_ours) continue;
      has_beast |= include.name.starts_with("boost/beast");
      const auto door = std::ranges::find_if(
          doors(), [&include](const Door& d) { return include.name.starts_with(d.library); });
      const std::string name(include.name);
      if (door != doors().end()) {
        if (starts_with_one_of(file.path, door->places)) continue;
        complaints.push_back(complaint(file, include.line, "is no door for <" + name + ">"));
      } else if (!is_of_the_system(include.name)) {
        complaints.push_back(
            complaint(file, include.line, "<" + name + "> has no door; name one in " __FILE__));
      }
    }
    if (has_beast && !is_below(file.path, "tests/")) beast_files.push_back(file.path);
  }
  const bool in_one_cpp =
      beast_files.size() <= 1 && std::ranges::all_of(beast_files, [](const std::string& path) {
        return path.ends_with(".cpp");
      });
  if (!in_one_cpp) {
    for (const std::string& path : beast_files) {
      complaints.push_back(path + ":1: Beast belongs into exactly one .cpp");
    }
  }
  return complaints;
}

}  // namespace dl::tidy
