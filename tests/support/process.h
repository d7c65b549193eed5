// A real program, run by a test: its output is kept, its end is waited for with a deadline that
// fails the test, and it never outlives its object. Thread rule: one owner. Ownership: owns the
// process and the files of its output.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace dl {

// Long enough for a build with sanitizers on a busy machine; nobody waits for it but a failing
// test.
inline constexpr std::chrono::seconds kTestDeadline{180};

// stderr; a terminal is a pseudo one of the test's own
enum class ErrorsTo { file, terminal };

struct Launch {
  std::string program;  // a name is looked for among ours, then in PATH
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // added to the test's own, without its DL_*
  ErrorsTo errors_to = ErrorsTo::file;
};

class Process {
 public:
  explicit Process(const Launch& launch);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Waits at most that long. True: it has ended.
  bool ends_within(std::chrono::milliseconds span);
  // Waits for its end. Its exit code, or 128 + the signal that ended it. After kTestDeadline: kills
  // it and fails the test with what it said.
  int wait();
  // Of one that has ended: by a signal, and with a core.
  bool left_core() const { return left_core_; }
  // What it has said until now.
  std::string out() const;
  std::string err();

 private:
  void read_terminal();

  TemporaryFolder folder_;
  ErrorsTo errors_to_;
  pid_t pid_ = -1;
  int pidfd_ = -1;
  int terminal_ = -1;  // the master's side
  std::string terminal_text_;
  std::optional<int> end_;
  bool left_core_ = false;
};

struct Finish {
  int exit_code = 0;  // 128 + the signal where one ended it
  std::string out, err;
};
// Runs a program to its end.
Finish run(const Launch& launch);

// Asks until `condition` holds. After kTestDeadline: fails the test, saying `what` was awaited, and
// returns false.
bool eventually(const std::string& what, const std::function<bool()>& condition);

// The bytes of a file; empty where there is none.
std::string text_of(const std::string& path);

}  // namespace dl
