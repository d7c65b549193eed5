#include "tests/bench/policy_sim.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>

#include "daemon/core/dispatcher.h"
#include "daemon/core/eta.h"
#include "storage/model/check.h"
#include "tests/bench/memory_store.h"
#include "tests/bench/model_server.h"
#include "tests/mock_dsp/random.h"

namespace dl::bench {
namespace {

constexpr std::int64_t kBootStart = 1'000'000;  // the machine has been up for a while
constexpr std::int64_t kWallStart = 1'790'000'000'000;
constexpr Millis kNeverLonger = 400LL * 24 * 3'600'000;
constexpr Millis kEtaEvery = 60'000;

ServerLimit limit_of(const SimSettings& settings, const Tier& tier) {
  Result<ServerLimit> limit = make_server_limit(settings.server, tier);
  DL_CHECK(limit.has_value(), "the caller has checked the name");
  return std::move(*limit);
}

DispatcherPolicy policy_of(const SimSettings& settings) {
  DispatcherPolicy policy;
  policy.limiter = settings.limiter;
  policy.decision.unknown_outcome = UnknownOutcome::resubmit;
  policy.http_timeout_ms = settings.http_timeout_ms;
  policy.lifetime = Lifetime::drain;
  for (const Tier& tier : settings.limiter.tiers) {
    policy.decision.window_ms = std::max(policy.decision.window_ms, tier.window_ms);
  }
  return policy;
}

class PolicySim {
 public:
  PolicySim(const Workload& workload, const SimSettings& settings)
      : workload_(workload),
        settings_(settings),
        random_(settings.seed * 77 + 5),
        store_(workload),
        server_(workload, limit_of(settings, settings.server_phases.empty()
                                                 ? Tier{1, 1}
                                                 : settings.server_phases.front().limit)) {}

  SimRun run();

 private:
  struct Event {
    Millis at;
    std::int64_t order;
    std::int64_t life;  // 0: of the world; else of the process with this number
    std::function<void()> act;
    static bool later(const Event& a, const Event& b) {
      return std::tie(a.at, a.order) > std::tie(b.at, b.order);
    }
  };

  Moment now() const { return {kBootStart + time_, kWallStart + time_}; }
  void at(Millis time, std::int64_t life, std::function<void()> act) {
    events_.push_back({std::max(time, time_), ++order_, life, std::move(act)});
    std::ranges::push_heap(events_, Event::later);
  }
  void input_in(Millis delay, Input input) {
    at(time_ + delay, life_, [this, input = std::move(input)] { feed(input); });
  }
  Millis one_way();
  void start_process();
  void plan_kill();
  void kill();
  void feed(const Input& input);
  void obey(std::vector<AnyCommand> commands);
  void carry_out(command::CommitWork& work);
  void carry_out(command::LoadWork& load);
  void carry_out(command::Connect& connect) {
    input_in(settings_.round_trip_ms / 2, input::Connected{connect.id});
  }
  void carry_out(command::Close& close) { input_in(0, input::Closed{close.id}); }
  void carry_out(command::Send& sending);
  void carry_out(command::WakeAt& wake);
  void carry_out(command::Record&) {}
  void carry_out(command::Say&) {}
  void carry_out(command::Finish& finish) { run_.drained = finish.ending == Ending::drained; }
  void note_eta();
  void note(const Exchange& exchange);

  const Workload& workload_;
  const SimSettings& settings_;
  mock::Random random_;
  MemoryStore store_;
  ModelServer server_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::vector<Event> events_;  // a heap
  Millis time_ = 0;
  std::int64_t order_ = 0;
  std::int64_t life_ = 0;
  std::int64_t wake_ = 0;  // only the newest WakeAt counts
  SimRun run_;
};

// With spikes: about 80 ms, right-skewed, and one in a hundred 1 to 8 s.
Millis PolicySim::one_way() {
  if (!settings_.spikes) return settings_.round_trip_ms / 2;
  if (random_.uniform() < 0.01) return 1'000 + static_cast<Millis>(random_.below(7'000));
  return 20 + std::llround(std::exp(-3 + 0.7 * random_.normal()) * 1'000);
}

void PolicySim::start_process() {
  ++life_;
  const LimiterPolicy& limiter = settings_.limiter;
  const Recovery recovery = store_.take_over(now(), limiter.late_arrival_ms, limiter.tiers.front());
  dispatcher_ = std::make_unique<Dispatcher>(policy_of(settings_), recovery, now());
  obey(dispatcher_->start(now()));
  plan_kill();
}

void PolicySim::plan_kill() {
  if (settings_.kill_every_ms == 0) return;
  const double lives =
      -std::log(1 - random_.uniform()) * static_cast<double>(settings_.kill_every_ms);
  at(time_ + std::llround(lives), life_, [this] { kill(); });
}

// The brain goes, and every event of its process; what is on the wire stays.
void PolicySim::kill() {
  dispatcher_.reset();
  ++life_;
  ++run_.kills;
  const Millis down =
      static_cast<Millis>(random_.below(static_cast<std::uint64_t>(settings_.down_max_ms)));
  run_.down_ms += down;
  at(time_ + down, 0, [this] { start_process(); });
}

void PolicySim::feed(const Input& input) { obey(dispatcher_->handle(input, now())); }

void PolicySim::obey(std::vector<AnyCommand> commands) {
  for (AnyCommand& command : commands) {
    std::visit([this](auto& what) { carry_out(what); }, command);
  }
}

void PolicySim::carry_out(command::CommitWork& work) {
  at(time_ + settings_.commit_ms, life_, [this, batch = std::move(work.batch)] {
    input_in(0, input::Committed{store_.commit(batch, now())});
  });
}

void PolicySim::carry_out(command::LoadWork& load) {
  at(time_ + settings_.commit_ms, life_,
     [this, limits = load.limits] { input_in(0, input::Loaded{store_.load(limits, now())}); });
}

void PolicySim::carry_out(command::WakeAt& wake) {
  const std::int64_t mine = ++wake_;
  at(wake.boot_ms - kBootStart, life_, [this, mine] {
    if (mine == wake_) feed(input::Woke{});
  });
}

void PolicySim::carry_out(command::Send& sending) {
  const ConnectionId connection = sending.id;
  const RequestId request = sending.request.id;
  const int entity = store_.entity_of(request);
  const auto asks =
      is_post(sending.request.purpose) ? ModelServer::Asks::creation : ModelServer::Asks::status;
  const std::int64_t process = life_;
  const bool is_lost = settings_.lost_answers > 0 && random_.uniform() < settings_.lost_answers;
  const Millis there =
      is_lost ? static_cast<Millis>(random_.below(static_cast<std::uint64_t>(settings_.late_ms)))
              : one_way();
  const Millis back = one_way();
  const Millis sent_at = time_;
  at(time_ + there, 0, [=, this] {
    ModelServer::Answer answer = server_.arrive(entity, asks, time_);
    const bool is_heard = !is_lost && there + back < settings_.http_timeout_ms;
    note({static_cast<double>(time_), static_cast<double>(time_ + (is_heard ? back : 0)),
          workload_.entities[static_cast<std::size_t>(entity)].campaign, answer.refused,
          answer.finished && is_heard});
    if (!is_heard) return;
    at(time_ + back, process, [=, this, reply = std::move(answer.reply)]() mutable {
      reply.latency_us = (time_ - sent_at) * 1'000;
      feed(input::Replied{connection, request, std::move(reply), true});
    });
  });
  if (!is_lost && there + back < settings_.http_timeout_ms) return;
  at(time_ + settings_.http_timeout_ms, process, [=, this] {
    DspReply silence;
    silence.latency_us = settings_.http_timeout_ms * 1'000;
    silence.trouble = "no answer";
    feed(input::Replied{connection, request, std::move(silence), false});
  });
}

void PolicySim::note(const Exchange& exchange) {
  run_.exchanges.push_back(exchange);
  const auto mix = [this](double value) {
    run_.fingerprint = mock::mixed(run_.fingerprint ^ static_cast<std::uint64_t>(value));
  };
  mix(exchange.arrived);
  mix(exchange.answered);
  mix(exchange.campaign);
  mix(exchange.finished ? 1 : 0);
}

void PolicySim::note_eta() {
  at(time_ + kEtaEvery, 0, [this] { note_eta(); });
  if (!dispatcher_) return;
  const std::optional<Millis> left = dispatcher_->standing(now()).outlook.left_ms;
  if (left) run_.etas.push_back({time_, *left});
}

SimRun PolicySim::run() {
  const Millis end = settings_.end_ms > 0 ? settings_.end_ms : kNeverLonger;
  for (const ServerPhase& phase : settings_.server_phases) {
    at(phase.from_ms, 0, [this, phase] { server_.allow(limit_of(settings_, phase.limit)); });
  }
  start_process();
  note_eta();
  while (!run_.drained && !events_.empty() && events_.front().at <= end) {
    std::ranges::pop_heap(events_, Event::later);
    const Event event = std::move(events_.back());
    events_.pop_back();
    time_ = event.at;
    if (event.life == 0 || event.life == life_) event.act();
  }
  return std::move(run_);
}

}  // namespace

SimRun simulate(const Workload& workload, const SimSettings& settings) {
  return PolicySim(workload, settings).run();
}

double worst_eta_error(const SimRun& run, Millis makespan_ms, Millis window_ms) {
  double worst = 0;
  for (const EtaPoint& point : run.etas) {
    const Millis left = makespan_ms - point.at_ms;
    if (point.at_ms < makespan_ms / 10 || left < window_ms) continue;
    const auto off = static_cast<double>(std::abs(point.left_ms - left));
    worst = std::max(worst, off / static_cast<double>(left));
  }
  return worst;
}

}  // namespace dl::bench
