// What somebody sees who is not in the group of the database.
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "storage/database.h"
#include "storage/model/check.h"
#include "tests/support/temporary_folder.h"

namespace dl {
namespace {

// Tries it as a user whom the files' modes keep out, and ends as a program would.
[[noreturn]] void open_as_a_stranger(const std::string& path, OpenMode mode) {
  constexpr uid_t kNobody = 65534;
  if (geteuid() == 0) {
    DL_CHECK(setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
                 setresuid(kNobody, kNobody, kNobody) == 0,
             "root may become anybody");
  }
  const auto database = Database::open(path, mode);
  if (!database) std::fprintf(stderr, "%s\n", database.error().message.c_str());
  _exit(database ? 0 : static_cast<int>(database.error().code));
}

// Who is not in the group gets to know that, and not that there is no such database.
TEST(Permissions, ThatAreMissingAreNamed) {
  const TemporaryFolder folder;
  const std::string file = folder.file("jobs.db");
  using ::testing::ExitedWithCode;
  const int denied = static_cast<int>(Errc::no_permission);
  ASSERT_TRUE(Database::open(file, OpenMode::create));
  for (const OpenMode mode : {OpenMode::create, OpenMode::existing, OpenMode::read_only}) {
    ::chmod(folder.path().c_str(), 0755);
    ::chmod(file.c_str(), 0000);
    EXPECT_EXIT(open_as_a_stranger(file, mode), ExitedWithCode(denied),
                "jobs.db: Permission denied; who reads it");
    ::chmod(file.c_str(), 0444);
    EXPECT_EXIT(open_as_a_stranger(file, mode), ExitedWithCode(denied),
                "jobs.db: Permission denied; who reads it");
    ::chmod(folder.path().c_str(), 0000);
    EXPECT_EXIT(open_as_a_stranger(file, mode), ExitedWithCode(denied),
                "jobs.db: Permission denied");
    ::chmod(folder.path().c_str(), 0700);
  }
}

}  // namespace
}  // namespace dl
