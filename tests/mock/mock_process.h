// A real dl-mock-dsp on a free port for one test, with its ledger in a folder of its own; and other
// runs of the programs under test. Thread rule: one owner. Ownership: the process ends with the
// object.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace dl::mock {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

using LedgerLine = std::map<std::string, std::string>;  // decoded values; nested ones are empty
std::vector<LedgerLine> read_ledger(const std::string& path);

// Runs a program of ours to its end.
struct Finish {
  int exit_code = 0;  // -1: ended by a signal
  std::string out, err;
};
Finish run_program(const std::string& name, const std::vector<std::string>& arguments);

class MockProcess {
 public:
  // Returns when the mock listens. `flags` may not hold --ledger.
  explicit MockProcess(std::vector<std::string> flags = {});
  ~MockProcess();
  MockProcess(const MockProcess&) = delete;
  MockProcess& operator=(const MockProcess&) = delete;

  int port() const { return port_; }
  // SIGTERM, once. Returns its exit code; -1: ended by a signal.
  int stop();
  // Lines of requests and late applications; without the first one, of the start.
  std::vector<LedgerLine> ledger() const;
  std::string ledger_path() const { return folder_.file("ledger.jsonl"); }
  std::string port_path() const { return folder_.file("port"); }

 private:
  TemporaryFolder folder_;
  pid_t process_ = -1;
  int port_ = 0;
};

}  // namespace dl::mock
