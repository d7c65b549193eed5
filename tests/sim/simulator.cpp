#include "tests/sim/simulator.h"

#include <cstdio>
#include <filesystem>
#include <queue>
#include <tuple>

#include "daemon/dsp/codec.h"
#include "tests/sim/graph.h"

namespace dl::sim {
namespace {

constexpr std::int64_t kWallStart = 1'790'000'000'000;
constexpr std::int64_t kBootStart = 1'000'000;       // the machine has been up for a while
constexpr std::int64_t kCalmAfter = 40 * 60'000;     // faults and crashes end: a run must end too
constexpr std::int64_t kEndAfter = 48LL * 3'600'000;
constexpr Millis kHttpTimeout = 120'000;
constexpr Millis kLateArrival = 60'000;

std::string create_body(std::string_view payload, const std::vector<std::pair<JobKind, std::string>>& parents,
                        std::string_view external_id) {
  std::vector<ParentId> ids;
  for (const auto& [kind, dsp_id] : parents) ids.push_back({kind, dsp_id});
  return render_create_body(payload, ids, external_id.empty() ? std::nullopt : std::optional(external_id));
}

UnknownOutcome policy_for(Honours honours) {
  switch (honours) {
    case Honours::keys: return UnknownOutcome::resubmit;
    case Honours::lookups: return UnknownOutcome::lookup;
    case Honours::nothing: return UnknownOutcome::hold;
  }
  return UnknownOutcome::hold;
}

class Simulator {
 public:
  explicit Simulator(const SimOptions& options)
      : options_(options), random_(options.seed), dsp_({.honours = options.honours}, options.seed * 31 + 7) {}

  SimReport run();

 private:
  struct Event {
    std::int64_t at;
    std::int64_t order;
    std::int64_t life;  // 0: of the world; else of the process with this number
    std::function<void()> act;
    bool operator<(const Event& other) const { return std::tie(at, order) > std::tie(other.at, other.order); }
  };

  Moment now() const { return {kBootStart + time_, kWallStart + time_}; }
  bool calm() const { return time_ > kCalmAfter; }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  void at(std::int64_t time, std::int64_t life, std::function<void()> act) {
    events_.push({time, ++order_, life, std::move(act)});
  }
  void input_in(std::int64_t delay, Input input) {
    at(time_ + delay, life_, [this, input = std::move(input)] { feed(input); });
  }
  void start_process();
  void crash();
  void feed(const Input& input);
  void carry_out(AnyCommand& command);
  void store_soon(std::function<void()> act);
  void send(const command::Send& command);
  void check_end();
  void wrong(std::string what) { report_.violations.push_back(std::move(what)); }

  SimOptions options_;
  std::mt19937_64 random_;
  ModelDsp dsp_;
  std::int64_t time_ = 0;
  std::int64_t order_ = 0;
  std::int64_t life_ = 0;        // of the running process; grows with each start
  std::int64_t store_free_at_ = 0;
  std::int64_t wake_ = 0;        // only the newest WakeAt counts
  std::priority_queue<Event> events_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Dispatcher> dispatcher_;
  bool finished_ = false;
  SimReport report_;
};

void Simulator::start_process() {
  ++life_;
  store_free_at_ = time_;
  Result<std::unique_ptr<Database>> database = Database::open(options_.folder + "/sim.db", OpenMode::create);
  if (!database) return wrong("open: " + database.error().message);
  StorePolicy policy;
  policy.tiers = options_.limit;
  policy.unknown_outcome = policy_for(options_.honours);
  store_ = std::make_unique<Store>(std::move(*database), RequestFormat{create_target, status_target, lookup_target, create_body}, policy);
  InstanceFacts facts;
  facts.uuid = std::to_string(life_);
  facts.host = "sim";
  facts.version = "sim";
  facts.boot_key = "boot-1";
  facts.machine_id = "machine-1";
  Result<Recovery> recovery = store_->take_over(facts, now());
  if (!recovery) return wrong("take_over: " + recovery.error().message);
  DispatcherPolicy brain;
  brain.limiter.tiers = options_.limit;
  brain.decision.unknown_outcome = policy.unknown_outcome;
  brain.in_flight_max = 4;
  brain.http_timeout_ms = kHttpTimeout;
  brain.lifetime = Lifetime::drain;
  dispatcher_ = std::make_unique<Dispatcher>(brain, *recovery, now());
  for (AnyCommand& command : dispatcher_->start(now())) carry_out(command);
}

void Simulator::crash() {
  ++report_.crashes;
  if (options_.trace) std::printf("%10lld CRASH %d\n", static_cast<long long>(time_), report_.crashes);
  ++life_;  // every event of the old process is void
  dispatcher_.reset();
  store_.reset();
  at(time_ + between(0, 90'000), 0, [this] { start_process(); });
}

void Simulator::feed(const Input& input) {
  if (!calm() && report_.crashes < options_.crashes_max && std::uniform_real_distribution<double>(0, 1)(random_) < options_.crash_chance) {
    return crash();
  }
  ++report_.inputs;
  if (options_.trace) std::printf("%10lld input %zu\n", static_cast<long long>(time_), input.index());
  const std::int64_t life = life_;
  for (AnyCommand& command : dispatcher_->handle(input, now())) {
    carry_out(command);
    if (life != life_ || finished_) return;
  }
}

// The store's queue: one thing after the other, each durable before its result is seen. A crash may fall
// before, between and after.
void Simulator::store_soon(std::function<void()> act) {
  store_free_at_ = std::max(store_free_at_, time_) + between(1, 20);
  at(store_free_at_, life_, std::move(act));
}

void Simulator::carry_out(AnyCommand& command) {
  if (options_.trace) std::printf("%10lld   command %zu\n", static_cast<long long>(time_), command.index());
  if (auto* work = std::get_if<command::CommitWork>(&command)) {
    store_soon([this, batch = std::move(work->batch)] {
      Result<std::vector<WorkResult>> results = store_->commit(std::span(&batch, 1), now());
      if (!results) return wrong("commit: " + results.error().message);
      store_free_at_ = std::max(store_free_at_, time_ + 1);
      input_in(1, input::Committed{std::move(results->front())});
    });
  } else if (auto* load = std::get_if<command::LoadWork>(&command)) {
    store_soon([this, limits = load->limits] {
      Result<LoadedWork> loaded = store_->load(limits, now());
      if (!loaded) return wrong("load: " + loaded.error().message);
      store_free_at_ = std::max(store_free_at_, time_ + 1);
      input_in(1, input::Loaded{std::move(*loaded)});
    });
  } else if (auto* connect = std::get_if<command::Connect>(&command)) {
    const bool fails = !calm() && between(0, 99) < 3;
    if (fails) {
      input_in(between(1, 2'000), input::ConnectFailed{connect->id, "connection refused", false});
    } else {
      input_in(between(1, 100), input::Connected{connect->id});
    }
  } else if (auto* close = std::get_if<command::Close>(&command)) {
    input_in(1, input::Closed{close->id});
  } else if (auto* sending = std::get_if<command::Send>(&command)) {
    send(*sending);
  } else if (auto* wake = std::get_if<command::WakeAt>(&command)) {
    const std::int64_t mine = ++wake_;
    at(std::max(time_, wake->boot_ms - kBootStart), life_, [this, mine] {
      if (mine == wake_) feed(input::Woke{});
    });
  } else if (auto* say = std::get_if<command::Say>(&command)) {
    if (options_.trace) std::printf("%10lld   says: %s\n", static_cast<long long>(time_), say->text.c_str());
  } else if (auto* finish = std::get_if<command::Finish>(&command)) {
    finished_ = true;
    if (finish->ending != Ending::drained) wrong("the drain ended for another reason: " + std::to_string(static_cast<int>(finish->ending)));
  }
}

void Simulator::send(const command::Send& command) {
  const std::int64_t process = life_;
  const auto reply_later = [this, process, command](std::int64_t delay, DspReply reply, bool reusable) {
    at(time_ + delay, process, [this, command, reply = std::move(reply), reusable] {
      feed(input::Replied{command.id, command.request.id, reply, reusable});
    });
  };
  DspReply silence;
  silence.wire = Wire::no_answer;
  silence.latency_us = kHttpTimeout * 1'000;
  silence.trouble = "no answer";
  if (!calm() && between(0, 99) < 2) return reply_later(kHttpTimeout, silence, false);  // lost on the way
  if (!calm() && between(0, 99) < 2) {  // delayed on the way: it is counted after we gave it up, at most D later
    at(time_ + kHttpTimeout + between(0, kLateArrival), 0, [this, command] { dsp_.arrive(command.request, time_, calm()); });
    return reply_later(kHttpTimeout, silence, false);
  }
  // On the wire: it arrives whatever becomes of us.
  at(time_ + between(1, 3'000), 0, [this, command, silence, reply_later] {
    ModelAnswer answer = dsp_.arrive(command.request, time_, calm());
    if (answer.applies_at) {
      at(*answer.applies_at, 0, [this, request = command.request] { dsp_.apply_late(request, time_); });
    }
    if (answer.reply) return reply_later(between(1, 3'000), *answer.reply, true);
    const bool reset = between(0, 1) == 0;  // the connection dies at once, or the deadline ends it
    reply_later(reset ? 10 : kHttpTimeout, silence, false);
  });
}

void Simulator::check_end() {
  if (!finished_) wrong("the run does not end");
  for (std::string& what : dsp_.violations(options_.limit.front().count, options_.limit.front().window_ms)) wrong(std::move(what));
  report_.requests = dsp_.arrivals();
  report_.virtual_ms = time_;
  dispatcher_.reset();
  store_.reset();
  GraphCheck check = check_graph(options_.folder + "/sim.db", options_.honours == Honours::nothing ? Doubt::may_stay : Doubt::must_resolve);
  for (std::string& what : check.violations) wrong(std::move(what));
  report_.jobs = check.jobs;
  report_.succeeded = check.succeeded;
  for (const std::string& own_id : check.succeeded_ids) {
    if (!dsp_.has_alive(own_id, time_)) wrong("succeeded here, unknown there: " + own_id);
  }
}

SimReport Simulator::run() {
  make_graph(options_.folder + "/sim.db", options_.campaigns, options_.ad_groups, options_.ads);
  start_process();
  while (!finished_ && !events_.empty() && time_ < kEndAfter && report_.violations.empty()) {
    const Event event = events_.top();
    events_.pop();
    time_ = std::max(time_, event.at);
    if (event.life == 0 || event.life == life_) event.act();
  }
  check_end();
  return report_;
}

}  // namespace

SimReport simulate(const SimOptions& options) {
  std::filesystem::create_directories(options.folder);
  SimReport report = Simulator(options).run();
  std::filesystem::remove_all(options.folder);
  return report;
}

}  // namespace dl::sim
