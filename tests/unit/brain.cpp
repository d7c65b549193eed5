#include "tests/unit/brain.h"

#include <gtest/gtest.h>

#include <utility>

namespace dl {

DispatcherPolicy brain_policy(Lifetime lifetime, UnknownOutcome unknown_outcome) {
  DispatcherPolicy policy;
  policy.limiter.tiers = {{40, 60'000}};
  policy.decision.unknown_outcome = unknown_outcome;
  policy.lifetime = lifetime;
  return policy;
}

JobRef a_job(std::int64_t id, JobKind kind) {
  JobRef job;
  job.id = JobId{id};
  job.root_id = id;
  job.kind = kind;
  job.level = static_cast<int>(kind);
  return job;
}

LoadedWork ready_work(std::vector<JobRef> ready) {
  LoadedWork work;
  work.ready = std::move(ready);
  return work;
}

DspReply answer(int http_status, std::vector<std::string> ids) {
  DspReply reply;
  reply.wire = Wire::answered;
  reply.fresh_connection = true;
  reply.http_status = http_status;
  reply.answer.readable = true;
  reply.answer.ids = std::move(ids);
  return reply;
}

DspReply silence() {
  DspReply reply;
  reply.trouble = "no answer";
  return reply;
}

DspReply status_answer(const std::string& status) {
  DspReply reply = answer(200);
  reply.answer.status = status;
  return reply;
}

Brain::Brain(const DispatcherPolicy& policy, const Recovery& recovery)
    : dispatcher_(policy, recovery, now_) {
  keep(dispatcher_.start(now_));
}

void Brain::keep(std::vector<AnyCommand> commands) {
  for (AnyCommand& what : commands) {
    if (auto* work = std::get_if<command::CommitWork>(&what)) {
      batches_.push_back(std::move(work->batch));
    } else if (auto* load = std::get_if<command::LoadWork>(&what)) {
      ++loads_asked_;
      last_limits_ = load->limits;
    } else if (auto* connect = std::get_if<command::Connect>(&what)) {
      connects_.push_back(connect->id);
    } else if (auto* close = std::get_if<command::Close>(&what)) {
      EXPECT_TRUE(hung_up_.insert(close->id).second) << "a connection is closed once";
    } else if (auto* send = std::get_if<command::Send>(&what)) {
      const JobId job{send->request.id.value % 1'000};
      EXPECT_TRUE(flights_.emplace(job, std::move(*send)).second) << "one request a job at a time";
    } else if (auto* wake = std::get_if<command::WakeAt>(&what)) {
      EXPECT_GT(wake->boot_ms, now_.boot_ms);
      wake_at_ = wake->boot_ms;
    } else if (auto* say = std::get_if<command::Say>(&what)) {
      said_.push_back(std::move(*say));
    } else if (auto* finish = std::get_if<command::Finish>(&what)) {
      EXPECT_FALSE(ending_) << "it ends once";
      ending_ = finish->ending;
    } else if (std::get_if<command::Record>(&what) != nullptr) {
      ++recorded_;
    }
  }
}

void Brain::feed(const Input& input) { keep(dispatcher_.handle(input, now_)); }

void Brain::load(const LoadedWork& work) {
  ASSERT_GT(loads_asked_, 0) << "no LoadWork to answer";
  --loads_asked_;
  for (const JobRef& job : work.ready) known_[job.id] = job;
  for (const TimedJob& timed : work.timed) known_[timed.job.id] = timed.job;
  feed(input::Loaded{work});
}

void Brain::connect() {
  for (const ConnectionId id : std::exchange(connects_, {})) feed(input::Connected{id});
}

void Brain::refuse_connections(const std::string& trouble) {
  for (const ConnectionId id : std::exchange(connects_, {})) {
    feed(input::ConnectFailed{id, trouble});
  }
}

void Brain::connect_only(int n, ConnectTrouble lack) {
  for (const ConnectionId id : std::exchange(connects_, {})) {
    if (n-- > 0) {
      feed(input::Connected{id});
    } else {
      feed(input::ConnectFailed{id, "too many open files", lack});
    }
  }
}

// A request's id tells its job, so that the test can find its flight.
Granted Brain::granted_for(const Permit& permit) {
  Granted granted;
  granted.tag = permit.tag;
  granted.request = RequestId{next_request_++ * 1'000 + permit.job.value};
  granted.job = known_.at(permit.job);
  granted.purpose = permit.purpose;
  granted.permitted_boot_ms = now_.boot_ms - commits_take_;
  granted.setbacks = setbacks_[permit.job];
  granted.idempotency_key = "key";
  granted.target = "/ads";
  if (permit.with_look) granted.look = RequestId{next_request_++ * 1'000 + permit.job.value};
  return granted;
}

void Brain::answer_batch(Answer how, const std::string& why) {
  ASSERT_FALSE(batches_.empty()) << "no CommitWork to answer";
  const WorkBatch batch = std::move(batches_.front());
  batches_.pop_front();
  WorkResult result;
  for (const Outcome& outcome : batch.outcomes) {
    setbacks_[outcome.job] = outcome.setbacks;
    result.applied.push_back({outcome.request, outcome.job, how != Answer::unmatched, {}});
  }
  for (const JobId job : batch.due) {
    if (how != Answer::none_due) result.ready.push_back(known_.at(job));
  }
  for (const Permit& permit : batch.permits) {
    if (how == Answer::refuse) {
      result.refused.push_back({permit.tag, permit.job, why});
    } else {
      result.granted.push_back(granted_for(permit));
    }
  }
  feed(input::Committed{result});
}

void Brain::commit() { answer_batch(Answer::grant, ""); }
void Brain::commit_refusing(const std::string& why) { answer_batch(Answer::refuse, why); }
void Brain::commit_unmatched() { answer_batch(Answer::unmatched, ""); }

void Brain::commit_none_due() { answer_batch(Answer::none_due, ""); }

void Brain::commit_all() {
  for (int i = 0; !batches_.empty(); ++i) {
    ASSERT_LT(i, 1'000) << "it asks without end";
    commit();
  }
}

void Brain::reply(JobId job, const DspReply& reply, bool reusable) {
  ASSERT_TRUE(flights_.contains(job)) << "job " << job.value << " has no request out";
  const command::Send sent = flights_.at(job);
  flights_.erase(job);
  feed(input::Replied{sent.id, sent.request.id, reply, reusable});
}

void Brain::wake() {
  ASSERT_TRUE(wake_at_) << "it asked for no time";
  advance(*wake_at_ - now_.boot_ms);
  wake_at_.reset();
  feed(input::Woke{});
}

void Brain::start_with(std::vector<JobRef> jobs) {
  load(ready_work(std::move(jobs)));
  connect();
  commit_all();
}

std::vector<JobId> Brain::permits_asked() const {
  std::vector<JobId> jobs;
  for (const WorkBatch& batch : batches_) {
    for (const Permit& permit : batch.permits) jobs.push_back(permit.job);
  }
  return jobs;
}

std::vector<JobId> Brain::on_the_wire() const {
  std::vector<JobId> jobs;
  for (const auto& [job, sent] : flights_) jobs.push_back(job);
  return jobs;
}

std::vector<std::string> Brain::said(command::Say::Level level) const {
  std::vector<std::string> texts;
  for (const command::Say& say : said_) {
    if (say.level == level) texts.push_back(say.text);
  }
  return texts;
}

}  // namespace dl
