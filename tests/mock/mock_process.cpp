#include "tests/mock/mock_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "storage/model/check.h"
#include "tests/mock_dsp/json_object.h"
#include "tests/support/tree.h"

namespace dl::mock {
namespace {

// `out`, `err`: descriptors for the child's; -1: as this process's. The child dies with this
// thread.
pid_t spawn(const std::string& name, const std::vector<std::string>& arguments, int out, int err) {
  std::string path = built_program(name);
  std::vector<char*> argv = {path.data()};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const pid_t process = fork();
  DL_CHECK(process >= 0, "a process can be started");
  if (process > 0) return process;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (out >= 0) dup2(out, 1);
  if (err >= 0) dup2(err, 2);
  execv(path.c_str(), argv.data());
  _exit(127);  // the program under test is not built
}

int exit_code_of(pid_t process) {
  int status = 0;
  DL_CHECK(waitpid(process, &status, 0) == process, "a child can be waited for");
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string path = (std::filesystem::temp_directory_path() / "dl-mock-XXXXXX").string();
  DL_CHECK(mkdtemp(path.data()) != nullptr, "the temporary folder is writable");
  path_ = path;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::vector<LedgerLine> read_ledger(const std::string& path) {
  std::vector<LedgerLine> lines;
  std::ifstream file(path);
  for (std::string text; std::getline(file, text);) {
    LedgerLine line;
    const bool good = read_json_object(
        text, [&](const JsonField& field) { line[std::string(field.name)] = field.text; });
    DL_CHECK(good, "every line of a ledger is a JSON object");
    lines.push_back(std::move(line));
  }
  return lines;
}

Finish run_program(const std::string& name, const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  std::FILE* const out = std::fopen(folder.file("out").c_str(), "w");
  std::FILE* const err = std::fopen(folder.file("err").c_str(), "w");
  const int code = exit_code_of(spawn(name, arguments, fileno(out), fileno(err)));
  std::fclose(out);
  std::fclose(err);
  return {code, text_of(folder.file("out")), text_of(folder.file("err"))};
}

MockProcess::MockProcess(std::vector<std::string> flags) {
  flags.insert(flags.end(), {"--ledger", ledger_path(), "--port-file", port_path()});
  std::array<int, 2> pipe_ends{};
  DL_CHECK(pipe2(pipe_ends.data(), O_CLOEXEC) == 0, "a pipe can be made");
  process_ = spawn("dl-mock-dsp", flags, pipe_ends[1], -1);
  close(pipe_ends[1]);
  std::FILE* const out = fdopen(pipe_ends[0], "r");
  const int found = std::fscanf(out, "listening on http://127.0.0.1:%d", &port_);
  std::fclose(out);
  DL_CHECK(found == 1, "the mock says where it listens");
}

MockProcess::~MockProcess() {
  if (process_ > 0) stop();
}

int MockProcess::stop() {
  kill(process_, SIGTERM);
  const int code = exit_code_of(process_);
  process_ = -1;
  return code;
}

std::vector<LedgerLine> MockProcess::ledger() const {
  std::vector<LedgerLine> lines = read_ledger(ledger_path());
  DL_CHECK(!lines.empty() && lines[0]["event"] == "started", "a ledger begins with its start");
  lines.erase(lines.begin());
  return lines;
}

}  // namespace dl::mock
