#include "storage/fault/fault_point.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/fault/failing_files.h"
#include "storage/fault/failing_memory.h"
#include "storage/model/duration.h"

namespace dl::fault {

enum class Action { kill, abort, eio, enospc, nosync, nomem, delay, step };

struct Fault {
  std::size_t point = 0;
  std::int64_t nth = 1;
  bool and_later = false;
  Action action = Action::kill;
  Millis span = 0;  // of delay and step
};

namespace {

constexpr std::size_t kPoints = std::size(kNames);
constexpr std::string_view kAllocationsFrom = "alloc_from:";

struct State {
  std::vector<Fault> faults;
  std::array<std::atomic<std::int64_t>, kPoints> seen{};
  std::atomic<bool> is_started{false};
  std::size_t allocations_from = kPoints;  // a point; kPoints: the start
  std::atomic<FileTrouble> write_trouble{FileTrouble::none};
  std::atomic<FileTrouble> sync_trouble{FileTrouble::none};
  std::atomic<std::int64_t> wall_step_ms{0};
  int trace = -1;
};

// Made without an allocation, which would ask for it, and never destroyed, for others allocate to
// the very end.
State& state() {
  alignas(State) static std::byte room[sizeof(State)];
  static State* const the_state = new (room) State;
  return *the_state;
}

thread_local bool t_is_asking = false;  // what allocates is ourselves

[[noreturn]] void refuse(std::string_view item) {
  std::fprintf(stderr, "DL_FAULT: cannot read \"%.*s\"\n", static_cast<int>(item.size()),
               item.data());
  std::_Exit(64);
}

std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<Millis> span_of(std::string_view text) {
  const bool is_back = text.starts_with('-');
  const Result<Millis> span = parse_duration(is_back ? text.substr(1) : text);
  if (!span) return std::nullopt;
  return is_back ? -*span : *span;
}

bool read_action(std::string_view text, Fault& fault) {
  std::string_view rest = text;
  const std::string_view name = next_part(rest, '=');
  const bool has_span = name == "delay" || name == "step";
  if (has_span) {
    const std::optional<Millis> span = span_of(rest);
    if (!span) return false;
    fault.span = *span;
    fault.action = name == "delay" ? Action::delay : Action::step;
    return true;
  }
  constexpr std::pair<std::string_view, Action> kPlain[] = {
      {"kill", Action::kill},     {"abort", Action::abort},   {"eio", Action::eio},
      {"enospc", Action::enospc}, {"nosync", Action::nosync}, {"nomem", Action::nomem}};
  for (const auto& [plain, action] : kPlain) {
    if (text != plain) continue;
    fault.action = action;
    return true;
  }
  return false;
}

std::size_t point_called(std::string_view name, std::string_view item) {
  const auto at = std::find(std::begin(kNames), std::end(kNames), name);
  if (at == std::end(kNames)) refuse(item);
  return static_cast<std::size_t>(at - std::begin(kNames));
}

Fault read_fault(std::string_view item) {
  Fault fault;
  std::string_view rest = item;
  const std::string_view name = next_part(rest, ':');
  fault.point = point_called(name, item);
  if (rest.find(':') != std::string_view::npos) {
    std::string_view nth = next_part(rest, ':');
    fault.and_later = nth.ends_with('+');
    if (fault.and_later) nth.remove_suffix(1);
    const auto [end, trouble] = std::from_chars(nth.data(), nth.data() + nth.size(), fault.nth);
    if (trouble != std::errc{} || end != nth.data() + nth.size()) refuse(item);
  }
  if (!read_action(rest, fault)) refuse(item);
  if ((fault.action == Action::nomem) != name.starts_with("alloc.")) refuse(item);
  return fault;
}

void trace(const std::string& line) {
  if (state().trace < 0) return;
  if (::write(state().trace, line.data(), line.size()) < 0) std::perror("DL_FAULT: trace");
}

void order(Action action) {
  const FileTrouble trouble = action == Action::enospc ? FileTrouble::enospc : FileTrouble::eio;
  (action == Action::nosync ? state().sync_trouble : state().write_trouble) = trouble;
}

}  // namespace

void start() {
  const char* const given = std::getenv("DL_FAULT");
  std::string_view rest = given == nullptr ? "" : given;
  while (!rest.empty()) {
    const std::string_view item = next_part(rest, ',');
    if (item.starts_with("trace:")) {
      state().trace = ::open(std::string(item.substr(6)).c_str(),
                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      if (state().trace < 0) refuse(item);
    } else if (item.starts_with(kAllocationsFrom)) {
      state().allocations_from = point_called(item.substr(kAllocationsFrom.size()), item);
    } else {
      state().faults.push_back(read_fault(item));
    }
  }
  install_failing_memory();
  install_failing_files();
  state().is_started = true;
}

const Fault* due(Point point) {
  const std::int64_t now = ++state().seen[point.index()];
  if (now == 1) trace(std::string(kNames[point.index()]) + '\n');
  for (const Fault& fault : state().faults) {
    const bool is_now = fault.and_later ? now >= fault.nth : now == fault.nth;
    if (fault.point != point.index() || !is_now) continue;
    trace("fault at " + std::string(kNames[point.index()]) + '\n');
    return &fault;
  }
  return nullptr;
}

void perform(const Fault& fault) {
  switch (fault.action) {
    case Action::kill:
      ::kill(::getpid(), SIGKILL);
      while (true) ::pause();
    case Action::abort: std::abort();
    case Action::eio:
    case Action::enospc:
    case Action::nosync: return order(fault.action);
    case Action::nomem: return;  // fails_allocation() says so
    case Action::delay: return std::this_thread::sleep_for(std::chrono::milliseconds{fault.span});
    case Action::step: state().wall_step_ms += fault.span; return;
  }
}

FileTrouble take_trouble_of_write() { return state().write_trouble.exchange(FileTrouble::none); }
FileTrouble take_trouble_of_sync() { return state().sync_trouble.exchange(FileTrouble::none); }

bool fails_allocation(Point point) {
  const State& now = state();
  if (!now.is_started || (now.allocations_from < kPoints && now.seen[now.allocations_from] == 0))
    return false;
  if (std::exchange(t_is_asking, true)) return false;
  const bool fails = due(point) != nullptr;
  t_is_asking = false;
  return fails;
}

double wall_step_ms() { return static_cast<double>(state().wall_step_ms); }

}  // namespace dl::fault
