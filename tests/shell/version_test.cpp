#include "daemon/version.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/daemon.h"
#include "storage/version.h"

namespace dl {
namespace {

using testing::ContainsRegex;

TEST(Version, OfTheDaemonNamesItsLibraries) {
  const std::string text = daemon_version_text();
  EXPECT_EQ(text.rfind("dl-daemon " + std::string(program_version()) + "\n", 0), 0U);
  for (const char* library :
       {"SQLite", "Boost", "toml\\+\\+", "spdlog", "RapidJSON", "CLI11", "systemd"}) {
    EXPECT_THAT(text, ContainsRegex("\n  " + std::string(library) + " +[0-9]+")) << library;
  }
}

TEST(Version, IsToldToTheDsp) {
  Config config;
  config.endpoint = *parse_endpoint("http://127.0.0.1:8080");
  EXPECT_EQ(wire_policy(config, Clock(1.0)).user_agent,
            "DemandLink/" + std::string(program_version()));
}

}  // namespace
}  // namespace dl
