#include "tests/support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include "tests/support/tree.h"

namespace dl {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string path_of(const std::string& program) {
  const std::string built = built_program(program);
  return ::access(built.c_str(), X_OK) == 0 ? built : program;
}

std::vector<std::string> environment_of(const Launch& launch) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!std::string_view(*entry).starts_with("DL_")) all.emplace_back(*entry);
  }
  for (const auto& [name, value] : launch.environment) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

int open_terminal() {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  DL_CHECK(terminal >= 0 && ::grantpt(terminal) == 0 && ::unlockpt(terminal) == 0,
           "a pseudo terminal can be made");
  return terminal;
}

pid_t spawn(const Launch& launch, const std::string& out, const std::string& err) {
  std::vector<std::string> arguments = launch.arguments;
  arguments.insert(arguments.begin(), path_of(launch.program));
  std::vector<std::string> environment = environment_of(launch);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, 0600);
  // Where nohup started the tests, SIGHUP is ignored; what a program under test makes of it is the
  // test's.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t by_default;
  sigemptyset(&by_default);
  sigaddset(&by_default, SIGHUP);
  posix_spawnattr_setsigdefault(&attributes, &by_default);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int trouble =
      ::posix_spawnp(&pid, arguments[0].c_str(), &actions, &attributes,
                     pointers_to(arguments).data(), pointers_to(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  DL_CHECK(trouble == 0, "the program under test is built beside its tests");
  return pid;
}

}  // namespace

Process::Process(const Launch& launch) : errors_to_(launch.errors_to) {
  std::string err = folder_.file("err");
  if (errors_to_ == ErrorsTo::terminal) {
    terminal_ = open_terminal();
    err = ::ptsname(terminal_);
  }
  pid_ = spawn(launch, folder_.file("out"), err);
  pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));  // glibc's header is C only
  DL_CHECK(pidfd_ >= 0, "a child has a descriptor");
}

Process::~Process() {
  if (!end_) {
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(pidfd_);
  if (terminal_ >= 0) ::close(terminal_);
}

void Process::signal(int number) const {
  if (!end_) ::kill(pid_, number);
}

bool Process::ends_within(std::chrono::milliseconds span) {
  const auto until = SteadyClock::now() + span;
  while (!end_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
    const int wait_ms = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    pollfd watched[] = {{.fd = pidfd_, .events = POLLIN, .revents = 0},
                        {.fd = terminal_, .events = POLLIN, .revents = 0}};  // -1 is passed over
    ::poll(watched, 2, wait_ms);
    if (watched[1].revents != 0) read_terminal();
    if (watched[0].revents != 0) {
      int status = 0;
      DL_CHECK(::waitpid(pid_, &status, 0) == pid_, "a child can be waited for");
      end_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      left_core_ = WIFSIGNALED(status) && WCOREDUMP(status);
    } else if (wait_ms == 0) {
      return false;
    }
  }
  return true;
}

int Process::wait() {
  if (!ends_within(kTestDeadline)) {
    signal(SIGKILL);
    DL_CHECK(ends_within(kTestDeadline), "nothing survives SIGKILL");
    ADD_FAILURE() << "it did not end within " << kTestDeadline.count() << " s; it said:\n" << err();
  }
  return *end_;
}

void Process::read_terminal() {
  char bytes[4096];
  for (ssize_t n = 0; (n = ::read(terminal_, bytes, sizeof bytes)) > 0;) {
    terminal_text_.append(bytes, static_cast<std::size_t>(n));
  }
}

std::string Process::out() const { return text_of(folder_.file("out")); }

std::string Process::err() {
  if (errors_to_ == ErrorsTo::file) return text_of(folder_.file("err"));
  read_terminal();
  return terminal_text_;
}

Finish run(const Launch& launch) {
  Process process(launch);
  const int exit_code = process.wait();
  return {exit_code, process.out(), process.err()};
}

bool eventually(const std::string& what, const std::function<bool()>& condition) {
  const auto until = SteadyClock::now() + kTestDeadline;
  while (!condition()) {
    if (SteadyClock::now() > until) {
      ADD_FAILURE() << "in vain, for " << kTestDeadline.count() << " s: " << what;
      return false;
    }
    ::poll(nullptr, 0, 5);
  }
  return true;
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace dl
