// One world of chaos: a mock DSP that misbehaves and lives on, a database, sheets that are loaded
// beside the daemon, and daemons that die at fault points one after the other until all is done.
// The DSP's own ledger is the judge.
//
// Thread rule: one owner; worlds share nothing but the counter of kills. Ownership: owns its folder
// and its processes; the folder stays where a promise was broken.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/dsp/tls.h"
#include "tests/chaos/plan.h"
#include "tests/chaos/tls_front.h"
#include "tests/support/process.h"

namespace dl::chaos {

struct Report {
  std::int64_t kills = 0;                        // SIGKILL, by ourselves or by the harness
  std::map<std::string, std::int64_t> kills_at;  // by fault point; "": from outside
  std::int64_t aborts = 0;
  std::int64_t io_ends = 0;   // exit 74 for a fault that was ordered
  std::int64_t requests = 0;  // that the DSP took down
  std::int64_t entities = 0;
  std::vector<std::string> violations;
};

// Kills asked for and made so far, of all worlds.
struct Quota {
  std::int64_t wanted = 0;
  std::atomic<std::int64_t> made{0};
  bool is_met() const { return made >= wanted; }
};

// What a DSP behind TLS proves itself by: a server's context, and the file of the authority that
// has signed its certificate.
struct Credentials {
  SslContext server;
  std::string ca_file;
};

class World {
 public:
  // `trace`: prints how each daemon ended. `credentials` of the DSP, where the plan puts it behind
  // TLS; borrowed.
  World(Plan plan, Quota& quota, const Credentials& credentials, bool trace);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Lives to the end and judges.
  Report run();
  const std::string& folder() const { return folder_; }

 private:
  struct Running {  // a program with its DL_FAULT
    std::unique_ptr<Process> process;
    std::string fault;
    std::string trace;                 // a file; empty: none
    std::size_t sheets_before_it = 0;  // acknowledged when it was started
  };

  bool start_mock();
  void live();
  // It has drained, and there is nothing else to come.
  bool is_the_last(const Running& drained, const Running& next) const;
  bool is_calm() const;
  // In the program's environment: the fault, if there is one, and the trace of it.
  std::string ordered(Running& program);
  Running start_daemon(bool stands_by);
  Running start_ingest();
  void look_after_ingest();
  // Waits for its end, and does to it from outside what fate wants. 128 + the signal that ended it.
  int outlive(Running& daemon);
  void ask_to_stop(const Running& daemon);
  void meddle();
  void count_kill(const Running& program);
  void note_end(const Running& program, int exit_code, const char* name);
  void violate(const std::string& what);
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  std::map<std::string, std::string> environment(const std::string& fault) const;

  Plan plan_;
  Quota& quota_;
  const Credentials& credentials_;
  bool trace_;
  mock::Random random_;
  std::string folder_;
  // ends after the mock and the daemons, so it stands before them
  std::unique_ptr<TlsFront> front_;
  std::unique_ptr<Process> mock_;
  std::string endpoint_;
  int port_ = 0;
  Running ingest_;
  std::size_t sheets_acknowledged_ = 0;
  std::int64_t deaths_ = 0;
  std::int64_t traces_ = 0;
  bool signalled_ = false;  // the harness itself sent the last daemon a signal
  Report report_;
};

}  // namespace dl::chaos
