// A reject file is whole or not there.
#include "ingest/new_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "program.h"
#include "tests/support/temporary_folder.h"

namespace dl {
namespace {

using Create = Result<std::unique_ptr<NewFile>> (*)(const std::string&);

class NewFiles : public ::testing::TestWithParam<Create> {
 protected:
  std::size_t files() const {
    const auto all = std::filesystem::directory_iterator(folder_.path());
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
  static std::string text_of(const std::string& path) {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.file("rest.csv");
};

TEST_P(NewFiles, HaveTheirNameOnceTheyAreWhole) {
  {
    auto file = GetParam()(path_);
    ASSERT_TRUE(file);
    std::fputs("all of it", (*file)->stream());
    EXPECT_FALSE(std::filesystem::exists(path_));
    ASSERT_TRUE((*file)->publish());
    EXPECT_EQ(text_of(path_), "all of it");
    (*file)->keep();
  }
  EXPECT_EQ(text_of(path_), "all of it");
  EXPECT_EQ(files(), 1U);
  struct stat found {};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_nlink, 1U);
  const mode_t mask = ::umask(0);
  ::umask(mask);
  EXPECT_EQ(found.st_mode & 0777U, 0660U & ~mask);
}

TEST_P(NewFiles, LeaveNothingUnlessKept) {
  for (const bool publish : {false, true}) {
    auto file = GetParam()(path_);
    ASSERT_TRUE(file);
    std::fputs("some of it", (*file)->stream());
    ASSERT_TRUE(!publish || (*file)->publish());
    file->reset();
    EXPECT_EQ(files(), 0U);
  }
}

TEST_P(NewFiles, TakeNoNameThatIsThereWheneverItCame) {
  auto late = GetParam()(path_);
  ASSERT_TRUE(late);
  std::ofstream(path_) << "another's";
  const auto early = GetParam()(path_);
  ASSERT_FALSE(early);
  for (const Error& error : {early.error(), (*late)->publish().error()}) {
    EXPECT_EQ(error.code, Errc::cant_create);
    EXPECT_EQ(error.message, path_ + ": File exists; move it away, it is not written over");
  }
  late->reset();
  EXPECT_EQ(text_of(path_), "another's");
  EXPECT_EQ(files(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Ways, NewFiles,
                         ::testing::Values(&NewFile::create, &NewFile::create_under_other_name));

TEST(NewFile, NeedsItsFolder) {
  const TemporaryFolder folder;
  const auto file = NewFile::create(folder.file("none/rest.csv"));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::cant_create);
  EXPECT_EQ(file.error().message, folder.file("none/rest.csv") + ": No such file or directory");
}

// It was there with the first row that was left out, and empty, and in the way of the next load.
TEST(Rejects, OfALoadThatIsStoppedAreNotThere) {
  for (const int signal : {SIGTERM, SIGKILL}) {
    const Program program;
    program.write("in", sheet_of({row_with(1, "bid", "x")}) +
                            big_sheet(300).substr(sample_lines()[0].size() + 1));
    const std::vector<std::string> load = {"in", "--on-error", "skip-row", "--rejects", "rest"};
    const pid_t pid = program.start(load);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
    const auto is_loading = [&] {
      try {
        return program.has_database() && program.ask("SELECT 1 FROM job LIMIT 1") == "1";
      } catch (const SQLite::Exception&) {
        return false;  // it is just being made
      }
    };
    while (!is_loading() && std::chrono::steady_clock::now() < deadline) {
      ASSERT_EQ(::waitpid(pid, nullptr, WNOHANG), 0) << "it was done before it could be stopped";
    }
    ASSERT_EQ(::kill(pid, signal), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(std::filesystem::exists(program.path("rest")));
    const Ran again = program.run(load);
    EXPECT_EQ(again.exit_code, 1) << again.err;
    EXPECT_NE(program.read("rest").find(",bid: bad_number: "), std::string::npos);
  }
}

}  // namespace
}  // namespace dl
