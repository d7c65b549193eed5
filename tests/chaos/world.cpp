#include "tests/chaos/world.h"

#include <stdlib.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "storage/model/check.h"
#include "tests/chaos/operator.h"
#include "tests/chaos/verdict.h"
#include "tests/mock_dsp/sheet.h"

namespace dl::chaos {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// Nobody waits for it but a world that has come to a standstill.
constexpr std::chrono::seconds kStandstill{120};

std::string make_folder(bool on_disk) {
  std::string path = on_disk ? "/var/tmp/dl-chaos-XXXXXX" : "/dev/shm/dl-chaos-XXXXXX";
  DL_CHECK(::mkdtemp(path.data()) != nullptr, "the folder for databases is writable");
  return path;
}

// The n-th sheet of a world has campaigns of its own, and values of its own.
void write_sheet_file(const std::string& path, const Sheet& sheet, std::size_t n) {
  mock::SheetShape shape;
  shape.campaigns = sheet.campaigns;
  shape.ad_groups = sheet.ad_groups;
  shape.ads = sheet.ads;
  shape.seed = n;
  shape.format = mock::SheetFormat::jsonl;
  std::string text;
  const Status ok = mock::write_sheet(shape, [&](std::string_view piece) {
    text += piece;
    return true;
  });
  DL_CHECK(ok, "the shape of a plan makes a sheet");
  constexpr std::string_view kId = "\"campaign_id\":\"";
  const std::string own = "s" + std::to_string(n) + "_";
  for (std::size_t at = 0; (at = text.find(kId, at)) != std::string::npos;) {
    text.insert(at += kId.size(), own);
  }
  std::ofstream(path) << text;
}

}  // namespace

World::World(Plan plan, Quota& quota, const Credentials& credentials, bool trace)
    : plan_(std::move(plan)),
      quota_(quota),
      credentials_(credentials),
      trace_(trace),
      random_(plan_.seed + 1),
      folder_(make_folder(plan_.on_disk)) {}

World::~World() {
  ingest_.process.reset();
  mock_.reset();
  std::error_code ignored;
  if (report_.violations.empty()) std::filesystem::remove_all(folder_, ignored);
}

void World::violate(const std::string& what) {
  report_.violations.push_back("seed " + std::to_string(plan_.seed) + " (" +
                               name_of(plan_.account) + ", " + folder_ + "): " + what);
}

bool World::is_calm() const { return deaths_ >= plan_.deaths_max || quota_.is_met(); }

std::map<std::string, std::string> World::environment(const std::string& fault) const {
  std::map<std::string, std::string> variables = {{"DL_DB", file("jobs.db")},
                                                  {"DL_ENDPOINT", endpoint_},
                                                  {"DL_TIME_SCALE", std::to_string(kScale)},
                                                  {"DL_CONNECT_TIMEOUT", "10m"},
                                                  {"DL_HTTP_TIMEOUT", "10m"},
                                                  {"DL_UNREACHABLE_TIMEOUT", "24h"},
                                                  {"DL_FAULT", fault}};
  if (plan_.behind_tls) variables["DL_CA_FILE"] = credentials_.ca_file;
  return variables;
}

bool World::start_mock() {
  std::vector<std::string> flags = plan_.mock_flags;
  for (const std::string& flag :
       {std::string("--time-scale"), std::to_string(kScale), std::string("--ledger"),
        file("ledger.jsonl"), std::string("--port-file"), file("port")}) {
    flags.push_back(flag);
  }
  mock_ = std::make_unique<Process>(Launch{.program = "dl-mock-dsp",
                                           .arguments = flags,
                                           .environment = {},
                                           .errors_to = ErrorsTo::file});
  const auto until = SteadyClock::now() + kStandstill;
  while (text_of(file("port")).empty() && SteadyClock::now() < until) {
    if (mock_->ends_within(milliseconds{2})) break;
  }
  const std::string port = text_of(file("port"));
  if (port.empty()) {
    violate("the mock does not start: " + mock_->err());
    return false;
  }
  port_ = std::stoi(port);
  if (plan_.behind_tls) front_ = std::make_unique<TlsFront>(credentials_.server.get(), port_);
  endpoint_ = front_ ? "https://127.0.0.1:" + std::to_string(front_->port())
                     : "http://127.0.0.1:" + std::to_string(port_);
  return true;
}

Report World::run() {
  for (std::size_t i = 0; i < plan_.sheets.size(); ++i) {
    write_sheet_file(file("sheet" + std::to_string(i) + ".jsonl"), plan_.sheets[i], i);
    report_.entities += plan_.sheets[i].entities();
  }
  if (!start_mock()) return report_;
  live();
  mock_->signal(SIGTERM);
  if (!mock_->ends_within(kStandstill)) violate("the mock does not end");
  Verdict verdict =
      judge_world(file("jobs.db"), file("ledger.jsonl"), plan_.limit, report_.entities);
  report_.requests = verdict.requests;
  if (report_.violations.empty() || !verdict.is_only_unfinished) {
    for (const std::string& finding : verdict.findings) violate(finding);
  }
  return report_;
}

std::string World::ordered(Running& program) {
  if (program.fault.empty()) return "";
  program.trace = file("reached" + std::to_string(++traces_));
  return program.fault + ",trace:" + program.trace;
}

World::Running World::start_daemon(bool stands_by) {
  Running daemon;
  daemon.fault = is_calm() ? draw_daemon_delay(random_) : draw_daemon_fault(plan_, random_);
  daemon.sheets_before_it = sheets_acknowledged_;
  std::vector<std::string> flags = plan_.daemon_flags;
  if (stands_by) flags.emplace_back("--standby");
  daemon.process = std::make_unique<Process>(Launch{.program = "dl-daemon",
                                                    .arguments = std::move(flags),
                                                    .environment = environment(ordered(daemon)),
                                                    .errors_to = ErrorsTo::file});
  return daemon;
}

World::Running World::start_ingest() {
  Running ingest;
  if (is_calm()) {
    ingest.fault = draw_ingest_delay(random_);
  } else if (random_.below(6) != 0) {
    ingest.fault = draw_ingest_fault(random_, !std::filesystem::exists(file("jobs.db")));
  }
  const std::string sheet = file("sheet" + std::to_string(sheets_acknowledged_) + ".jsonl");
  ingest.process = std::make_unique<Process>(Launch{.program = "dl-ingest",
                                                    .arguments = {"--db", file("jobs.db"), sheet},
                                                    .environment = {{"DL_FAULT", ordered(ingest)}},
                                                    .errors_to = ErrorsTo::file});
  return ingest;
}

// Sheets are loaded one after the other; what was acknowledged (exit 0; 1: some of it waits behind
// what has failed) must be there in the end.
void World::look_after_ingest() {
  if (ingest_.process) {
    if (!ingest_.process->ends_within(milliseconds{0})) return;
    const int exit_code = ingest_.process->wait();
    const bool waits_for_another = exit_code == static_cast<int>(Errc::busy);
    if (exit_code == 0 || exit_code == static_cast<int>(Errc::incomplete)) {
      ++sheets_acknowledged_;
    } else if (!waits_for_another) {
      note_end(ingest_, exit_code, "dl-ingest");
    }
    ingest_ = {};
  }
  if (sheets_acknowledged_ == plan_.sheets.size()) return;
  if (sheets_acknowledged_ == 0 || is_calm() || random_.below(4) == 0) ingest_ = start_ingest();
}

// A sheet that came while it lived may have come after its last look at the tables.
bool World::is_the_last(const Running& drained, const Running& next) const {
  return drained.sheets_before_it == plan_.sheets.size() && !next.process && !signalled_;
}

void World::live() {
  Running next;
  while (report_.violations.empty()) {
    look_after_ingest();
    Running daemon = next.process ? std::exchange(next, {}) : start_daemon(false);
    if (plan_.has_standby && !is_calm()) next = start_daemon(true);
    const auto began = SteadyClock::now();
    const int exit_code = outlive(daemon);
    if (trace_) {
      std::printf("%6.3f s  ends with %3d%s  %s\n",
                  std::chrono::duration<double>(SteadyClock::now() - began).count(), exit_code,
                  signalled_ ? " (signalled)" : "", daemon.fault.c_str());
    }
    switch (exit_code) {
      case 0:
        if (is_the_last(daemon, next)) return;
        if (ingest_.process) ingest_.process->ends_within(kStandstill);
        break;
      case static_cast<int>(Errc::incomplete):
        if (plan_.account == Account::hold) {
          decide_doubts(file("jobs.db"), file("ledger.jsonl"), port_);
        } else if (!signalled_) {
          violate("a job is stuck though the DSP offers a means: " + stuck_jobs(file("jobs.db")));
        }
        break;
      case static_cast<int>(Errc::busy):
        if (!next.process) violate("a daemon found another one: " + daemon.process->err());
        break;
      default: note_end(daemon, exit_code, "dl-daemon");
    }
    if (plan_.account == Account::hold && random_.below(5) == 0) {
      decide_doubts(file("jobs.db"), file("ledger.jsonl"), port_);
    }
    if (random_.below(16) == 0) {
      const std::string damage = damage_of(file("jobs.db"));
      if (!damage.empty()) violate(damage);
    }
  }
}

int World::outlive(Running& daemon) {
  Process& process = *daemon.process;
  signalled_ = false;
  const auto until = SteadyClock::now() + kStandstill;
  if (!is_calm()) {
    if (daemon.fault.starts_with(kAsksToStop)) ask_to_stop(daemon);
    if (plan_.has_meddler && !process.ends_within(milliseconds{random_.below(30)})) meddle();
    switch (random_.below(16)) {
      case 0:
      case 1:
        if (process.ends_within(milliseconds{random_.below(60)})) break;
        signalled_ = true;
        process.signal(random_.below(2) == 0 ? SIGKILL : SIGTERM);
        break;
      case 2:  // longer than the settle time
        if (process.ends_within(milliseconds{random_.below(60)})) break;
        process.signal(SIGSTOP);
        process.ends_within(milliseconds{random_.below(2) == 0 ? 20 : 65'000 / kScale});
        process.signal(SIGCONT);
        break;
      default: break;
    }
  }
  while (!process.ends_within(milliseconds{50})) {
    if (SteadyClock::now() > until) {
      violate("a standstill with DL_FAULT=" + daemon.fault + ": " + process.err());
      process.signal(SIGKILL);
    }
    if (is_calm()) look_after_ingest();
  }
  return process.wait();
}

// Once it listens for signals; before, SIGTERM is but another death.
void World::ask_to_stop(const Running& daemon) {
  const auto until = SteadyClock::now() + kStandstill;
  while (text_of(daemon.trace).find("net.resolved") == std::string::npos &&
         SteadyClock::now() < until) {
    if (daemon.process->ends_within(milliseconds{2})) return;
  }
  if (daemon.process->ends_within(milliseconds{random_.below(20)})) return;
  signalled_ = true;
  daemon.process->signal(SIGTERM);
}

// An operator who has typed BEGIN IMMEDIATE and thinks.
void World::meddle() { hold_transaction(file("jobs.db"), milliseconds{1 + random_.below(40)}); }

void World::count_kill(const Running& program) {
  ++report_.kills;
  ++quota_.made;
  ++report_.kills_at[program.trace.empty() ? "" : killer_of(text_of(program.trace), program.fault)];
}

void World::note_end(const Running& program, int exit_code, const char* name) {
  ++deaths_;
  const bool by_us = signalled_ && (exit_code == 128 + SIGKILL || exit_code == 128 + SIGTERM);
  if (!by_us && !explains(program.fault, exit_code)) {
    return violate(std::string(name) + " ended with " + std::to_string(exit_code) +
                   " (DL_FAULT=" + program.fault + "): " + program.process->err());
  }
  switch (exit_code) {
    case 128 + SIGKILL: count_kill(program); break;
    case 128 + SIGABRT: ++report_.aborts; break;
    case static_cast<int>(Errc::io): ++report_.io_ends; break;
    default: break;  // SIGTERM before it was listened for
  }
}

}  // namespace dl::chaos
