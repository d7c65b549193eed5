// What a person sees on the screen, and what nobody may see anywhere.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <utility>

#include "tests/e2e/site.h"
#include "tests/support/tree.h"

namespace dl::e2e {
namespace {

TEST(Output, SaysProgressInPlainLinesWithoutATerminal) {
  const Site site;
  site.load_sheet(shape(2, 2, 3));
  const Finish drain = site.drain({"--rate-limit", "20/30s"});
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  EXPECT_NE(drain.err.find("progress: "), std::string::npos) << drain.err;
  EXPECT_NE(drain.err.find("ETA "), std::string::npos) << drain.err;
  EXPECT_EQ(drain.err.find('\x1b'), std::string::npos) << "a file is no terminal";
  EXPECT_EQ(drain.out, "");
}

TEST(Output, KeepsALiveLineOnATerminal) {
  const Site site;
  site.load_sheet(shape(2, 2, 3));
  Launch launch = site.daemon({"--drain", "--rate-limit", "20/30s"});
  launch.errors_to = ErrorsTo::terminal;
  const Finish drain = run(launch);
  EXPECT_EQ(drain.exit_code, 0) << drain.err;
  const std::size_t drawn = drain.err.find("\r\x1b[K");
  ASSERT_NE(drawn, std::string::npos) << drain.err;
  EXPECT_NE(drain.err.find("ETA ", drawn), std::string::npos) << drain.err;
  EXPECT_EQ(drain.err.find("progress: "), std::string::npos) << "one kind of progress is enough";
}

TEST(Output, SaysAtDebugWhatInfoKeepsToItself) {
  for (const std::string level : {"debug", "info"}) {
    const Site site;
    site.load_sheet(shape(1, 1, 1));
    const Finish drain = site.drain({"--log-level", level});
    EXPECT_EQ(drain.exit_code, 0) << drain.err;
    for (const char* const line :
         {" debug   loading work ", " debug   work loaded ready=1 ",
          " debug   connecting worker=", " debug   connection opened worker=",
          " debug   sending request=1 purpose=create target=/campaigns ",
          " debug   request ended request=1 wire=answered status="}) {
      EXPECT_EQ(drain.err.find(line) != std::string::npos, level == "debug") << line << " in\n"
                                                                             << drain.err;
    }
  }
}

std::string mode_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "missing";
  char octal[8];
  std::snprintf(octal, sizeof octal, "%o", info.st_mode & 07777U);
  return octal;
}

// Operators of the group ingest and query beside the daemon; nobody else reads anything.
TEST(Files, AreTheGroupsAndNobodyElsesWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{0022}, mode_t{0077}}) {
    const mode_t before = ::umask(mask);
    const Site site;
    site.load_sheet(shape(1, 1, 1));
    EXPECT_EQ(mode_of(site.db()), "660") << "made by dl-ingest under umask " << mask;
    std::filesystem::remove(site.db());
    Process daemon(site.daemon());
    ::umask(before);
    eventually("it has taken over", [&] {
      return daemon.err().find("limit") != std::string::npos &&
             site.number("SELECT count(*) FROM sqlite_schema WHERE name = 'instance'") == 1 &&
             site.number("SELECT count(*) FROM instance") == 1;
    });
    for (const char* const ending : {"", "-wal", "-shm", ".lock"}) {
      EXPECT_EQ(mode_of(site.db() + ending), "660") << ending << " under umask " << mask;
    }
  }
}

TEST(Files, ThatEverybodyMayReadAreWarnedOf) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  namespace fs = std::filesystem;
  for (const auto& [mode, may] :
       {std::pair{fs::perms::others_read, "read"}, std::pair{fs::perms::others_write, "change"}}) {
    const std::string warning = site.db() + ": everybody on this machine may " + may +
                                " it, for that is its mode; chmod o= " + site.db() + "*\n";
    fs::permissions(site.db(), mode, fs::perm_options::add);
    const Finish load = site.ingest({site.file("sheet.csv")});
    EXPECT_TRUE(load.err.ends_with("\nwarning: " + warning)) << load.err;
    const Finish drain = site.drain();
    EXPECT_NE(drain.err.find(warning), std::string::npos) << drain.err;
  }
  fs::permissions(site.db(), fs::perms::others_all, fs::perm_options::remove);
  EXPECT_EQ(site.ingest({site.file("sheet.csv")}).err.find("everybody"), std::string::npos);
  EXPECT_EQ(site.drain().err.find("everybody"), std::string::npos);
}

TEST(Output, SaysAtTheStartOfWhatItIsMade) {
  const Site site;
  const Finish drain = site.drain();
  const std::string first = drain.err.substr(0, drain.err.find('\n'));
  for (const std::string part : {"dl-daemon ", "SQLite ", "OpenSSL ", "Boost "})
    EXPECT_NE(first.find(part), std::string::npos) << first;
}

TEST(Secrets, AppearInNoFileLogCommandLineOrEnvironment) {
  const std::string canary = "canary-5d0c1f7e9b";
  const Site site({"--faults", "bad_json:@2,400:@5,cut_body:@7,401:@9,garbage:@11,slow:0.5:5s"});
  site.load_sheet(shape(2, 2, 3));
  const TemporaryFolder elsewhere;
  const std::string token_file = elsewhere.file("token");
  std::ofstream(token_file) << canary << "\n";
  Process daemon(site.daemon({"--token-file", token_file, "--log-level", "debug", "--rate-limit",
                              "none", "--unknown-outcome", "resubmit"}));
  eventually("it has sent a lot", [&] { return site.ledger().size() >= 20; });
  const std::string proc = "/proc/" + std::to_string(daemon.pid());
  EXPECT_NE(text_of(proc + "/cmdline").find("--token-file"), std::string::npos);
  EXPECT_EQ(text_of(proc + "/cmdline").find(canary), std::string::npos);
  // empty where the tests are not root's: nobody else may look
  EXPECT_EQ(text_of(proc + "/environ").find(canary), std::string::npos);
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(site.file(""))) {
    EXPECT_EQ(text_of(entry.path()).find(canary), std::string::npos) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 5) << "database, WAL, index, lock and the DSP's ledger";
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0);
  EXPECT_EQ(daemon.err().find(canary), std::string::npos);
  EXPECT_NE(daemon.err().find("401"), std::string::npos) << "the log has the troubles in it";
}

// By a shell that allows cores, whatever the tests were started with; what leaves one leaves it in
// `folder`.
Launch with_cores(const TemporaryFolder& folder, const std::string& command, Flags arguments,
                  Launch launch = {}) {
  arguments.insert(
      arguments.begin(),
      {"-c", "cd \"$0\" && ulimit -S -c \"$(ulimit -H -c)\" && " + command, folder.path()});
  launch.program = "sh";
  launch.arguments = std::move(arguments);
  return launch;
}

TEST(Secrets, AreInNoCore) {
  const TemporaryFolder folder;
  Process other(with_cores(folder, "kill -ABRT $$", {}));
  EXPECT_EQ(other.wait(), 128 + SIGABRT);
  if (!other.left_core())
    GTEST_SKIP() << "no program leaves a core here: ulimit -H -c, kernel.core_pattern or a "
                    "sanitizer's doing";
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  std::ofstream(folder.file("token")) << "canary-5d0c1f7e9b\n";
  const Launch sender = site.daemon({"--token-file", folder.file("token")});
  Process daemon(with_cores(folder, "exec \"$@\"",
                            joined({built_program(sender.program)}, sender.arguments), sender));
  eventually("it has sent with its token", [&] { return !site.ledger().empty(); });
  daemon.signal(SIGABRT);
  EXPECT_EQ(daemon.wait(), 128 + SIGABRT) << daemon.err();
  EXPECT_FALSE(daemon.left_core());
}

TEST(Secrets, MustBeReadable) {
  const Site site;
  site.load_sheet(shape(1, 1, 1));
  const Finish drain = site.drain({"--token-file", site.file("none")});
  EXPECT_EQ(drain.exit_code, 77) << drain.err;
  EXPECT_TRUE(site.ledger().empty()) << "without its token nothing is sent";
}

}  // namespace
}  // namespace dl::e2e
