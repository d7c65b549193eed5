// The dispatcher against tables and a DSP that answer at random: what goes in is written down, and
// going in again it gives the same commands. On the way every run keeps the rules and comes to its
// end.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <tuple>

#include "daemon/core/dispatcher.h"

namespace dl {
namespace {

struct Spoken {  // an input, and the commands it led to
  Moment now;
  Input input;
  std::string commands;
};

std::string text_of(const AnyCommand& what) {
  std::string text = std::to_string(what.index());
  const auto add = [&text](std::int64_t n) { text += ' ' + std::to_string(n); };
  if (const auto* work = std::get_if<command::CommitWork>(&what)) {
    for (const Outcome& o : work->batch.outcomes) {
      add(o.request.value);
      add(o.event ? static_cast<int>(*o.event) : -1);
      add(o.due_in_ms.value_or(-1));
      text += o.error + o.hold.value_or("");
    }
    for (const JobId job : work->batch.due) add(job.value);
    for (const Permit& permit : work->batch.permits) {
      add(permit.job.value);
      add(static_cast<int>(permit.purpose));
      add(permit.tag);
      add(permit.worker);
    }
    if (work->batch.account) add(work->batch.account->gate_boot_ms);
  } else if (const auto* wake = std::get_if<command::WakeAt>(&what)) {
    add(wake->boot_ms);
  } else if (const auto* send = std::get_if<command::Send>(&what)) {
    add(send->id.serial);
    add(send->request.id.value);
  } else if (const auto* connect = std::get_if<command::Connect>(&what)) {
    add(connect->id.serial);
  } else if (const auto* say = std::get_if<command::Say>(&what)) {
    text += say->text;
  } else if (const auto* finish = std::get_if<command::Finish>(&what)) {
    add(static_cast<int>(finish->ending));
  }
  return text + ";";
}

std::string text_of(const std::vector<AnyCommand>& commands) {
  std::string text;
  for (const AnyCommand& what : commands) text += text_of(what);
  return text;
}

class Play {
 public:
  Play(std::uint64_t seed, const DispatcherPolicy& policy, int jobs)
      : random_(seed), policy_(policy), dispatcher_(policy, {}, now_) {
    for (int i = 1; i <= jobs; ++i) rows_[JobId{i}].job.id = JobId{i};
  }

  void run() {
    carry_out(dispatcher_.start(now_));
    while (!ending_ && !events_.empty() && now_.boot_ms < 100LL * 86'400'000) {
      const Event event = events_.top();
      events_.pop();
      now_.boot_ms = std::max(now_.boot_ms, event.at);
      event.act();
    }
  }
  std::optional<Ending> ending() const { return ending_; }
  const std::vector<Spoken>& spoken() const { return spoken_; }
  int unfinished() const {
    int n = 0;
    for (const auto& [id, row] : rows_) n += is_resting(row.state) || row.is_held ? 0 : 1;
    return n;
  }

 private:
  struct Row {
    JobRef job;
    JobState state = JobState::ready;
    std::int64_t due_at = 0;
    int tries = 0, setbacks = 0, looks = 0;
    bool is_held = false, is_leased = false, was_refused = false;
  };
  struct Event {
    std::int64_t at = 0, order = 0;
    std::function<void()> act;
    bool operator<(const Event& o) const { return std::tie(at, order) > std::tie(o.at, o.order); }
  };

  std::int64_t below(std::int64_t n) {
    return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random_);
  }
  void in(Millis delay, std::function<void()> act) {
    events_.push({now_.boot_ms + delay, ++order_, std::move(act)});
  }
  void feed_in(Millis delay, Input input) {
    in(delay, [this, input = std::move(input)] { feed(input); });
  }
  void feed(const Input& input) {
    if (ending_) return;
    std::vector<AnyCommand> commands = dispatcher_.handle(input, now_);
    spoken_.push_back({now_, input, text_of(commands)});
    carry_out(commands);
  }
  void carry_out(const std::vector<AnyCommand>& commands);
  LoadedWork load();
  WorkResult commit(const WorkBatch& batch);
  DspReply reply_to(const DspRequest& request);

  std::mt19937_64 random_;
  Moment now_{1'000'000, 1'790'000'000'000};
  DispatcherPolicy policy_;
  Dispatcher dispatcher_;
  std::map<JobId, Row> rows_;
  std::priority_queue<Event> events_;
  std::int64_t order_ = 0, store_free_at_ = 0, wakes_ = 0, next_request_ = 1;
  std::set<std::int64_t> granted_;
  std::vector<Spoken> spoken_;
  std::optional<Ending> ending_;
};

LoadedWork Play::load() {
  LoadedWork work;
  for (const auto& [id, row] : rows_) {
    if (row.is_leased || row.is_held) continue;
    if (row.state == JobState::ready) work.ready.push_back(row.job);
    const bool timed = row.state == JobState::waiting || row.state == JobState::confirming ||
                       row.state == JobState::in_doubt;
    if (timed) {
      TimedJob job{row.job, row.state};
      job.due_in_ms = std::max<Millis>(0, row.due_at - now_.boot_ms);
      work.timed.push_back(job);
    }
  }
  return work;
}

WorkResult Play::commit(const WorkBatch& batch) {
  WorkResult result;
  for (const Outcome& outcome : batch.outcomes) {
    Row& row = rows_.at(outcome.job);
    EXPECT_TRUE(row.is_leased && row.state == outcome.from);
    row.is_leased = false;
    if (outcome.event) row.state = rule_for(outcome.from, *outcome.event)->to;
    row.tries += outcome.spends_attempt ? 1 : 0;
    row.setbacks = outcome.setbacks;
    row.looks = outcome.looks;
    row.is_held = outcome.hold.has_value();
    row.due_at = now_.boot_ms + outcome.due_in_ms.value_or(0);
    EXPECT_LE(row.tries, 4);
    result.applied.push_back({outcome.request, outcome.job, true, {}});
  }
  for (const JobId id : batch.due) {
    rows_.at(id).state = JobState::ready;
    result.ready.push_back(rows_.at(id).job);
  }
  for (const Permit& permit : batch.permits) {
    Row& row = rows_.at(permit.job);
    row.was_refused = !row.was_refused && below(50) == 0;  // twice in a row would shelve it
    if (row.is_leased || row.was_refused) {
      result.refused.push_back({permit.tag, permit.job, "not now"});
      continue;
    }
    Granted granted;
    granted.tag = permit.tag;
    granted.request = RequestId{next_request_++};
    granted.job = row.job;
    granted.purpose = permit.purpose;
    granted.permitted_boot_ms = now_.boot_ms;
    granted.tries = row.tries;
    granted.setbacks = row.setbacks;
    granted.looks = row.looks;
    row.is_leased = true;
    if (is_post(permit.purpose)) row.state = JobState::submitting;
    granted_.insert(granted.request.value);
    result.granted.push_back(granted);
  }
  return result;
}

DspReply Play::reply_to(const DspRequest& request) {
  constexpr int kStatuses[] = {201, 201, 201, 201, 201, 200, 400, 412, 429, 500, 503};
  DspReply reply;
  reply.fresh_connection = true;
  const std::int64_t luck = below(20);
  if (luck == 0) reply.wire = Wire::not_sent;
  if (luck < 2) return reply;
  reply.wire = Wire::answered;
  reply.answer.readable = true;
  if (is_post(request.purpose)) {
    reply.http_status = kStatuses[below(std::ssize(kStatuses))];
    if (reply.http_status == 201) reply.answer.ids = {"dsp"};
    if (reply.http_status == 429) reply.retry_after = "3";
    return reply;
  }
  reply.http_status = below(10) == 0 ? 404 : 200;
  reply.answer.status = luck < 5 ? "processing" : luck < 7 ? "failed" : "success";
  if (request.purpose == Purpose::lookup && luck < 12) reply.answer.ids = {"dsp"};
  return reply;
}

void Play::carry_out(const std::vector<AnyCommand>& commands) {
  for (const AnyCommand& what : commands) {
    if (const auto* work = std::get_if<command::CommitWork>(&what)) {
      store_free_at_ = std::max(store_free_at_, now_.boot_ms) + 1 + below(20);
      in(store_free_at_ - now_.boot_ms,
         [this, batch = work->batch] { feed(input::Committed{commit(batch)}); });
    } else if (std::get_if<command::LoadWork>(&what) != nullptr) {
      store_free_at_ = std::max(store_free_at_, now_.boot_ms) + 1 + below(20);
      in(store_free_at_ - now_.boot_ms, [this] { feed(input::Loaded{load()}); });
    } else if (const auto* connect = std::get_if<command::Connect>(&what)) {
      const bool fails = below(10) == 0;
      if (fails) feed_in(below(500), input::ConnectFailed{connect->id, "refused"});
      if (!fails) feed_in(below(200), input::Connected{connect->id});
      if (!fails && below(20) == 0) feed_in(200 + below(20), input::Closed{connect->id});
    } else if (const auto* send = std::get_if<command::Send>(&what)) {
      EXPECT_EQ(granted_.erase(send->request.id.value), 1U) << "one permit is one request";
      if (below(100) == 0) continue;  // its worker never reports
      feed_in(1 + below(5'000),
              input::Replied{send->id, send->request.id, reply_to(send->request), below(3) > 0});
    } else if (const auto* wake = std::get_if<command::WakeAt>(&what)) {
      const std::int64_t mine = ++wakes_;
      in(wake->boot_ms - now_.boot_ms, [this, mine] {
        if (mine == wakes_) feed(input::Woke{});
      });
    } else if (const auto* finish = std::get_if<command::Finish>(&what)) {
      ending_ = finish->ending;
    }
  }
}

constexpr UnknownOutcome kUnknowns[] = {UnknownOutcome::hold, UnknownOutcome::resubmit,
                                        UnknownOutcome::lookup};

TEST(DispatcherReplay, GivesTheSameCommandsForTheSameInputs) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    DispatcherPolicy policy;
    if (seed % 4 != 0) policy.limiter.tiers = {{40, 60'000}};
    policy.decision.unknown_outcome = kUnknowns[seed % 3];
    policy.lifetime = Lifetime::drain;
    policy.in_flight_max = 1 + static_cast<int>(seed % 8);
    policy.nearby_ms = 10'000;  // however far it is
    Play play(seed, policy, 60);
    play.run();
    EXPECT_EQ(play.ending(), Ending::drained) << "seed " << seed;
    EXPECT_EQ(play.unfinished(), 0) << "seed " << seed;
    const std::vector<Spoken>& spoken = play.spoken();
    Dispatcher again(policy, {}, Moment{1'000'000, 1'790'000'000'000});
    again.start(Moment{1'000'000, 1'790'000'000'000});
    for (std::size_t i = 0; i < spoken.size(); ++i) {
      const std::string commands = text_of(again.handle(spoken[i].input, spoken[i].now));
      ASSERT_EQ(commands, spoken[i].commands) << "seed " << seed << ", input " << i;
    }
  }
}

}  // namespace
}  // namespace dl
