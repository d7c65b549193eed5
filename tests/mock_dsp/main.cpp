// dl-mock-dsp: wires flags, ledger, DSP and server together, or judges a ledger.
#include <sys/resource.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "tests/mock_dsp/flags.h"
#include "tests/mock_dsp/judge.h"
#include "tests/mock_dsp/server.h"

namespace dl::mock {
namespace {

int complain(const Error& error) {
  std::cerr << "dl-mock-dsp: " << error.message << "\n";
  return static_cast<int>(error.code);
}

// By rename, so that whoever sees the file sees the whole port.
Status write_port_file(const std::string& path, int port) {
  if (path.empty()) return Done{};
  const std::string unfinished = path + ".new";
  std::ofstream(unfinished) << port << "\n";
  if (std::rename(unfinished.c_str(), path.c_str()) == 0) return Done{};
  return Error{Errc::cant_create, "port file " + path + ": " + std::strerror(errno)};
}

void block_ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
}

void allow_many_connections() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int run(ServeFlags flags) {
  block_ending_signals();
  allow_many_connections();
  Result<Ledger> ledger = Ledger::open(flags.ledger);
  if (!ledger) return complain(ledger.error());
  const Result<Listener> listener = listen_on(flags.listen);
  if (!listener) return complain(listener.error());
  const Clock clock(flags.time_scale);
  ledger->started(flags.time_scale, format_rate_spec(flags.dsp.limit), flags.as_typed);
  const Status recorded = ledger->flush();
  if (!recorded) return complain(recorded.error());
  Dsp dsp(std::move(flags.dsp));
  Server server(dsp, *ledger, clock, *listener);
  const Status port_written = write_port_file(flags.port_file, listener->port);
  if (!port_written) return complain(port_written.error());
  std::cout << "listening on " << listener->url << std::endl;
  const Status served = server.run();
  return served ? 0 : complain(served.error());
}

int run(const JudgeFlags& flags) {
  std::ifstream file(flags.ledger);
  if (!file) return complain({Errc::no_input, flags.ledger + ": " + std::strerror(errno)});
  const Result<Judgement> judgement = judge(file, flags.limit);
  if (!judgement) {
    return complain({judgement.error().code, flags.ledger + ": " + judgement.error().message});
  }
  print(*judgement, std::cout);
  for (const std::string& finding : judgement->findings) std::cerr << finding << "\n";
  return judgement->passes(flags.entities_expected) ? 0 : static_cast<int>(Errc::incomplete);
}

int run(Finished finished) { return finished.exit_code; }

}  // namespace
}  // namespace dl::mock

int main(int argc, char** argv) {
  return std::visit([](auto&& flags) { return dl::mock::run(std::move(flags)); },
                    dl::mock::parse_flags(argc, argv));
}
