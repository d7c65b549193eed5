#include "tests/sim/daemon_process.h"

#include <algorithm>

#include "daemon/dsp/codec.h"
#include "storage/batch_writer.h"
#include "storage/model/planted.h"
#include "tests/sim/trace.h"

namespace dl::sim {
namespace {

constexpr Millis kTryAgain = 100;     // as StoreThread, after SQLITE_BUSY
constexpr int kCheckpointPages = 40;  // often, so that crashes fall into it

std::string create_body(std::string_view payload,
                        const std::vector<std::pair<JobKind, std::string>>& parents,
                        std::string_view external_id) {
  std::vector<ParentId> ids;
  for (const auto& [kind, dsp_id] : parents) ids.push_back({kind, dsp_id});
  const std::optional<std::string_view> external =
      external_id.empty() ? std::nullopt : std::optional<std::string_view>(external_id);
  return render_create_body(payload, ids, external);
}

UnknownOutcome means_against_doubt(Honours honours) {
  switch (honours) {
    case Honours::keys: return UnknownOutcome::resubmit;
    case Honours::lookups: return UnknownOutcome::lookup;
    case Honours::nothing: return UnknownOutcome::hold;
  }
  return UnknownOutcome::hold;
}

DispatcherPolicy dispatcher_policy(const World& world, Lifetime lifetime) {
  const Scenario& scenario = world.scenario;
  DispatcherPolicy policy;
  policy.limiter.tiers = world.limit;
  policy.limiter.late_arrival_ms = kLateArrival;
  policy.decision.unknown_outcome = means_against_doubt(scenario.dsp.honours);
  policy.decision.max_retries = scenario.max_retries;
  policy.decision.settle_ms = kSettle;
  policy.decision.confirm_timeout_ms = 3'600'000;
  policy.in_flight_max = scenario.in_flight;
  policy.http_timeout_ms = kHttpTimeout;
  policy.status_target = status_target;
  policy.nearby_ms = 10'000;  // however far it is: permits ahead are what is to be crashed
  policy.lifetime = lifetime;
  return policy;
}

DspReply silence() {
  DspReply reply;
  reply.wire = Wire::no_answer;
  reply.trouble = "no answer";
  return reply;
}

}  // namespace

StorePolicy store_policy(const World& world) {
  const Scenario& scenario = world.scenario;
  StorePolicy policy;
  policy.tiers = world.limit;
  policy.unknown_outcome = means_against_doubt(scenario.dsp.honours);
  policy.max_retries = scenario.max_retries;
  policy.settle_ms = kSettle;
  policy.key_lifetime_ms = scenario.dsp.key_lifetime_ms;
  policy.http_timeout_ms = kHttpTimeout;
  policy.late_arrival_ms = kLateArrival;
  return policy;
}

RequestFormat request_format() {
  return {create_target, status_target, lookup_target, create_body};
}

DaemonProcess::DaemonProcess(World& world, Pid pid, std::unique_ptr<Store> store, Lifetime lifetime,
                             Acknowledged& acknowledged, DaemonEvents events)
    : world_(world),
      pid_(pid),
      store_(std::move(store)),
      lifetime_(lifetime),
      acknowledged_(acknowledged),
      events_(std::move(events)) {}

Status DaemonProcess::start() {
  InstanceFacts facts;
  facts.uuid = std::to_string(pid_.value);
  facts.pid = pid_.value;
  facts.host = facts.version = "sim";
  facts.boot_key = world_.boot_key();
  facts.machine_id = "machine-1";
  Result<Recovery> recovery = store_->take_over(facts, world_.now());
  if (!recovery) return recovery.error();
  if (world_.is_traced()) world_.say(trace_name(pid_), "takes over: " + describe(*recovery));
  store_free_at_ = world_.time();
  dispatcher_ =
      std::make_unique<Dispatcher>(dispatcher_policy(world_, lifetime_), *recovery, world_.now());
  for (AnyCommand& command : dispatcher_->start(world_.now())) {
    std::visit([this](auto& what) { carry_out(what); }, command);
  }
  return Done{};
}

void DaemonProcess::feed(const Input& input) {
  if (is_over_ || events_.about_to_feed()) return;
  if (world_.is_traced()) world_.say(trace_name(pid_), "<- " + describe(input, world_));
  for (AnyCommand& command : dispatcher_->handle(input, world_.now())) {
    if (world_.is_traced()) {
      const std::string text = describe(command, world_);
      if (!text.empty()) world_.say(trace_name(pid_), "   -> " + text);
    }
    std::visit([this](auto& what) { carry_out(what); }, command);
    if (is_over_) return;
  }
}

void DaemonProcess::feed_in(std::int64_t delay, Input input) {
  world_.after(delay, pid_, [this, input = std::move(input)] { feed(input); });
}

void DaemonProcess::ask_to_stop() { feed(input::StopAsked{}); }

void DaemonProcess::look_at_tables() {
  if (store_->tables_changed()) feed(input::TablesChanged{});
}

std::unique_ptr<Store> DaemonProcess::die() {
  is_over_ = true;
  world_.end(pid_);
  for (const DspRequest& request : std::exchange(delayed_, {})) arrive_late(request);
  return std::move(store_);
}

// The store's queue: one thing after the other, each durable before its result is seen.
void DaemonProcess::when_store_is_free(std::function<void()> act) {
  const std::int64_t cost = world_.dice.between(1, world_.is_calm() ? 20 : world_.scenario.disk_ms);
  store_free_at_ = std::max(store_free_at_, world_.time()) + cost;
  world_.at(store_free_at_, pid_, std::move(act));
}

void DaemonProcess::carry_out(command::CommitWork& command) {
  group_.push_back(std::move(command.batch));
  if (group_.size() > 1) return;
  when_store_is_free([this] { commit_group(); });
}

void DaemonProcess::commit_group() {
  if (group_.empty()) return;
  if (planted(Fault::intent_after_the_send))
    before_commit_ = {world_.time(), world_.vfs.disk().image()};
  Result<std::vector<WorkResult>> results = store_->commit(group_, world_.now());
  if (is_dead()) return events_.died();
  if (!results) {
    // SQLite's alone: who was taken over is busy, too.
    if (results.error().code != Errc::busy || results.error().sqlite_code == 0)
      return give_up(results.error());
    world_.after(kTryAgain, pid_, [this] { commit_group(); });  // again, and never the request
    return;
  }
  const std::vector<WorkBatch> batches = std::exchange(group_, {});
  check_gate(*results);
  acknowledge(batches, *results);
  for (WorkResult& result : *results) feed_in(0, input::Committed{std::move(result)});
  if (Status ok = store_->database().checkpoint_if_longer_than(kCheckpointPages); !ok) {
    if (is_dead()) return events_.died();
    give_up(ok.error());
  }
}

void DaemonProcess::check_gate(const std::vector<WorkResult>& results) {
  const bool grants = std::ranges::any_of(
      results, [](const WorkResult& result) { return !result.granted.empty(); });
  const bool is_shut = acknowledged_.gate_boot_key == world_.boot_key() &&
                       world_.now().boot_ms < acknowledged_.gate_boot_ms;
  if (grants && is_shut) world_.wrong("gate: a permit although the DSP asked to wait");
}

void DaemonProcess::acknowledge(const std::vector<WorkBatch>& batches,
                                const std::vector<WorkResult>& results) {
  std::vector<RequestId> finished;
  for (const WorkBatch& batch : batches) {
    for (const Outcome& outcome : batch.outcomes) finished.push_back(outcome.request);
    if (!batch.account) continue;
    acknowledged_.gate_boot_key = world_.boot_key();
    acknowledged_.gate_boot_ms = batch.account->gate_boot_ms;
  }
  if (!finished.empty()) acknowledged_.finished = std::move(finished);
  for (const WorkResult& result : results) {
    for (const Granted& granted : result.granted) {
      acknowledged_.last_granted = std::max(acknowledged_.last_granted, granted.request);
    }
  }
}

void DaemonProcess::give_up(const Error& error) {
  world_.say(trace_name(pid_), "gives up: " + error.message);
  world_.vfs.kill(pid_);
  events_.died();
}

void DaemonProcess::carry_out(command::LoadWork& command) {
  when_store_is_free([this, limits = command.limits] {
    commit_group();
    if (is_over_ || is_dead()) return;
    Result<LoadedWork> loaded = store_->load(limits, world_.now());
    if (is_dead()) return events_.died();
    if (!loaded) return give_up(loaded.error());
    feed_in(0, input::Loaded{std::move(*loaded)});
  });
}

void DaemonProcess::carry_out(command::Connect& command) {
  if (!world_.is_calm() && world_.dice.happens(world_.scenario.connect_fails)) {
    return feed_in(world_.dice.between(1, 2'000),
                   input::ConnectFailed{command.id, "connection refused"});
  }
  feed_in(world_.dice.between(1, 100), input::Connected{command.id});
}

void DaemonProcess::carry_out(command::Close& command) {
  used_.erase(command.id);
  feed_in(1, input::Closed{command.id});
}

void DaemonProcess::carry_out(command::WakeAt& command) {
  const std::int64_t mine = ++wake_;
  world_.at(world_.true_time_of(command.boot_ms), pid_, [this, mine] {
    if (mine == wake_) feed(input::Woke{});
  });
}

void DaemonProcess::carry_out(command::Say&) {}

void DaemonProcess::carry_out(command::Finish& command) {
  is_over_ = true;
  const Status told = store_->stop(world_.now());
  if (is_dead()) return events_.died();
  if (!told) return give_up(told.error());
  events_.ended(command.ending);
}

// The wire
// ------------------------------------------------------------------------------------------

void DaemonProcess::carry_out(command::Send& command) {
  busy_.insert(command.id);
  const std::int64_t sent_at = world_.time();
  const bool faulty = !world_.is_calm();
  const bool is_slow = faulty && world_.dice.happens(world_.scenario.lost_on_the_wire);
  const bool is_lost = is_slow && world_.dice.happens(0.3);
  if (!is_lost) set_out(command.request);
  if (!is_slow) return travel(command);
  // So slow that the DSP sees it only after we have given it up, at most D later.
  if (!is_lost) delayed_.push_back(command.request);
  world_.after(kHttpTimeout, pid_, [this, command, sent_at] {
    const auto at = std::ranges::find(delayed_, command.request.id, &DspRequest::id);
    if (at != delayed_.end()) {
      arrive_late(*at);
      delayed_.erase(at);
    }
    reply(command, sent_at, silence());
  });
}

void DaemonProcess::set_out(const DspRequest& request) {
  if (is_post(request.purpose)) world_.set_out(field_of(request.body, "id"));
}

void DaemonProcess::arrive_late(const DspRequest& request) {
  World& world = world_;
  world.after(world.dice.between(0, kLateArrival), World::kWorld,
              [&world, request] { arrive(world, request); });
}

// Whatever has become of us.
ModelAnswer DaemonProcess::arrive(World& world, const DspRequest& request) {
  ModelAnswer answer = world.dsp.arrive(request, world.time(), world.is_calm());
  if (world.is_traced()) world.say("DSP", describe(request, world) + describe(answer));
  if (!is_post(request.purpose)) return answer;
  const std::string own = field_of(request.body, "id");
  if (!answer.applies_at) {
    world.arrived(own);
    return answer;
  }
  world.at(*answer.applies_at, World::kWorld, [&world, request, own] {
    world.dsp.apply_late(request, world.time());
    world.arrived(own);
  });
  return answer;
}

void DaemonProcess::travel(const command::Send& command) {
  World& world = world_;
  const std::int64_t sent_at = world.time();
  const std::int64_t slowest = world.dice.happens(0.1) ? 3'000 : 150;
  const std::int64_t to = world.dice.between(1, slowest);
  const std::int64_t back = world.dice.between(1, slowest);
  // `this` is used by events of this process alone, and they are void once it is dead.
  world.after(to, World::kWorld, [&world, this, pid = pid_, command, sent_at, back] {
    const ModelAnswer answer = arrive(world, command.request);
    const bool is_reset = world.dice.happens(0.5);  // or the deadline ends it
    const std::int64_t wait =
        answer.reply || is_reset ? back : sent_at + kHttpTimeout - world.time();
    world.after(wait, pid, [this, command, sent_at, got = answer.reply.value_or(silence())] {
      reply(command, sent_at, got);
    });
  });
}

void DaemonProcess::reply(const command::Send& command, std::int64_t sent_at, DspReply reply) {
  busy_.erase(command.id);
  reply.fresh_connection = used_.insert(command.id).second;
  reply.latency_us = (world_.time() - sent_at) * 1'000;
  const bool reusable = reply.wire == Wire::answered && world_.dice.happens(0.9);
  if (!reusable) used_.erase(command.id);
  if (reusable && !world_.is_calm() && world_.dice.happens(0.1)) {
    world_.after(world_.dice.between(0, 20'000), pid_, [this, id = command.id] {
      if (used_.contains(id) && !busy_.contains(id)) feed(input::Closed{id});
    });
  }
  feed(input::Replied{command.id, command.request.id, std::move(reply), reusable});
}

}  // namespace dl::sim
