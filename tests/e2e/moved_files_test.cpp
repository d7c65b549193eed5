// Somebody moves, deletes or replaces the files under a daemon that has work left: it notices,
// stops before it sends what nobody would find in the tables, and nothing is lost or sent twice
// once the files are back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <ostream>
#include <string>

#include "tests/e2e/site.h"

namespace dl::e2e {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr std::int64_t kEntities = entities(3, 2, 4);
// a DSP that honours keys: what was on the wire resolves itself
const Flags kFlags = {"--unknown-outcome", "resubmit"};

void move_away(const std::string& path) { fs::rename(path, path + ".moved"); }
void remove_it(const std::string& path) { fs::remove(path); }
void replace_by_a_copy(const std::string& path) {
  fs::copy_file(path, path + ".copy");
  fs::rename(path + ".copy", path);
}

struct Mishap {
  const char* name;
  const char* suffix;  // of the file, behind the database's name
  void (*befalls)(const std::string& path);
  int exit_code;
  const char* says;
};
void PrintTo(const Mishap& mishap, std::ostream* out) { *out << mishap.name; }

class MovedFiles : public ::testing::TestWithParam<Mishap> {};

TEST_P(MovedFiles, StopTheDaemonAndNothingIsLost) {
  const Mishap& mishap = GetParam();
  const Site site;
  site.load_sheet(shape(3, 2, 4));
  const std::string path = site.db() + mishap.suffix;
  const std::string second_name = site.file("second-name");
  Process daemon(site.daemon(kFlags));
  eventually("it works", [&] { return site.ledger().size() >= 5; });
  fs::create_hard_link(path, second_name);  // for an operator who finds what was deleted
  mishap.befalls(path);
  EXPECT_EQ(daemon.wait(), mishap.exit_code) << daemon.err();
  EXPECT_THAT(daemon.err(), HasSubstr(path + mishap.says));
  site.let_mock_catch_up();
  const std::size_t sent = site.ledger().size();
  EXPECT_LT(sent, 2 * kEntities) << "it stopped in the middle";

  if (path == site.db()) {
    const std::string log = text_of(path + "-wal");
    if (!fs::exists(path)) {
      const Finish without = site.drain(kFlags);
      EXPECT_EQ(without.exit_code, 66) << without.err;
      EXPECT_THAT(without.err, HasSubstr(path + "-wal"));
    }
    EXPECT_TRUE(text_of(path + "-wal") == log) << "the log has a part of what was recorded";
    EXPECT_EQ(site.ledger().size(), sent);
    fs::rename(second_name, path);
    fs::remove(path + ".moved");  // a database with two names is refused
  }
  const Finish rest = site.drain(kFlags);
  EXPECT_EQ(rest.exit_code, 0) << rest.err;
  site.expect_promises_kept("40/60s", kEntities);
}

constexpr const char* kGone = ": is not there any more";
constexpr const char* kAnother = ": is not the file any more";
constexpr const char* kLock = " is not there any more or another file";

INSTANTIATE_TEST_SUITE_P(
    Every, MovedFiles,
    ::testing::Values(Mishap{"DatabaseMovedAway", "", move_away, 65, kGone},
                      Mishap{"DatabaseDeleted", "", remove_it, 65, kGone},
                      Mishap{"DatabaseReplacedByACopy", "", replace_by_a_copy, 65, kAnother},
                      Mishap{"LogDeleted", "-wal", remove_it, 65, kGone},
                      Mishap{"LogReplacedByACopy", "-wal", replace_by_a_copy, 65, kAnother},
                      Mishap{"IndexOfTheLogDeleted", "-shm", remove_it, 65, kGone},
                      Mishap{"LockMovedAway", ".lock", move_away, 75, kLock},
                      Mishap{"LockDeleted", ".lock", remove_it, 75, kLock},
                      Mishap{"LockReplacedByACopy", ".lock", replace_by_a_copy, 75, kLock}),
    [](const auto& mishap) { return std::string(mishap.param.name); });

TEST(MovedFilesOfAnIdleDaemon, StopIt) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  Process daemon(site.daemon(kFlags));
  eventually("all is done", [&] { return site.unfinished() == 0; });
  move_away(site.db());
  EXPECT_EQ(daemon.wait(), 65) << daemon.err();
  EXPECT_THAT(daemon.err(), HasSubstr(site.db() + kGone));
}

}  // namespace
}  // namespace dl::e2e
