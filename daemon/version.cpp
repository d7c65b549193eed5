#include "daemon/version.h"

#include <rapidjson/rapidjson.h>
#include <spdlog/version.h>

#include <CLI/Version.hpp>
#include <array>

#include "storage/version.h"

namespace dl {
namespace {

std::string spdlog_version() {
  return std::to_string(SPDLOG_VER_MAJOR) + '.' + std::to_string(SPDLOG_VER_MINOR) + '.' +
         std::to_string(SPDLOG_VER_PATCH);
}

}  // namespace

std::string daemon_version_text() {
  const std::array<LibraryVersion, 4> its_own = {{{"spdlog", spdlog_version()},
                                                  {"RapidJSON", RAPIDJSON_VERSION_STRING},
                                                  {"CLI11", CLI11_VERSION},
                                                  {"systemd", DL_SYSTEMD_VERSION}}};
  return version_text("dl-daemon", its_own);
}

}  // namespace dl
