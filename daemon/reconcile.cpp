#include "daemon/reconcile.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "daemon/core/backoff.h"
#include "daemon/core/limiter.h"
#include "daemon/core/outcome.h"
#include "daemon/core/rate_limit_headers.h"
#include "daemon/core/retry_after.h"
#include "daemon/daemon.h"
#include "daemon/dsp/worker_pool.h"
#include "storage/model/check.h"

namespace dl {
namespace {

// of one inquiry, before it counts as not answered
constexpr int kTries = 5;
constexpr std::int64_t kJobsAtOnce = 256;  // read from the tables
constexpr std::chrono::milliseconds kProgressEvery{250};

// One connection, one request at a time: what the hand reports is waited for.
class Line {
 public:
  explicit Line(const WirePolicy& policy) : pool_(policy, 1, events()) {}

  // What went wrong; empty: connected.
  std::string connect() {
    if (is_open_) return "";
    ++id_.serial;
    connected_ = {};
    std::future<std::string> end = connected_.get_future();
    pool_.connect(id_);
    std::string trouble = end.get();
    is_open_ = trouble.empty();
    return trouble;
  }
  DspReply send(DspRequest request) {
    replied_ = {};
    auto end = replied_.get_future();
    pool_.send(id_, std::move(request));
    auto [reply, reusable] = end.get();
    is_open_ = reusable;
    return std::move(reply);
  }
  // The next connect() makes a new one: what is idle for long the DSP may close just as a request
  // leaves on it.
  void hang_up() {
    if (std::exchange(is_open_, false)) pool_.close(id_);
  }

 private:
  WireEvents events() {
    WireEvents events;
    events.connected = [this](ConnectionId) { connected_.set_value(""); };
    events.connect_failed = [this](ConnectionId, std::string trouble, ConnectTrouble) {
      connected_.set_value(std::move(trouble));
    };
    events.closed = [](ConnectionId) {};  // the next send says so
    events.replied = [this](ConnectionId, RequestId, DspReply reply, bool reusable) {
      replied_.set_value({std::move(reply), reusable});
    };
    return events;
  }

  ConnectionId id_;
  bool is_open_ = false;
  std::promise<std::string> connected_;
  std::promise<std::pair<DspReply, bool>> replied_;
  WorkerPool pool_;  // last: its events use what is above
};

// Should be there, and no look has found it so far. All else is read anew for the next look.
struct Absent {
  JobId job;
  int attempt = 1;
  int looks = 1;  // that have not found it
  std::int64_t looked_boot_ms = 0;
};

enum class WaitsFor { dsp, next_look };

class Reconciler {
 public:
  Reconciler(Store& store, const Recovery& recovery, const Config& config, Clock clock,
             const ReconcileEvents& events)
      : store_(store),
        clock_(clock),
        events_(events),
        limiter_(limiter_policy(config), recovery, clock.now()),
        line_(wire_policy(config, clock)) {
    policy_.not_applied_statuses = config.not_applied_status;
  }

  Result<Reconciled> run();

 private:
  Status look_at_all();
  Status look_again();
  Status look_again_at(const Absent& absent);
  void name_the_absent();
  Status look(const Inquiry& inquiry);
  void wait_until(std::int64_t boot_ms);
  void wait(Millis span, WaitsFor what = WaitsFor::dsp);
  Ticket take_a_permit();
  Result<DspReply> exchange(const Inquiry& inquiry);
  std::optional<AccountState> settle(const DspReply& reply, OutcomeClass what,
                                     const Granted& granted, const Ticket& ticket, Moment now);
  Result<std::string> anothers(const Inquiry& inquiry, const DspAnswer& answer);
  void judge(const Inquiry& inquiry, const std::vector<std::string>& ids);
  void report(const Inquiry& inquiry, Finding::Kind kind, const std::string& what) {
    events_.found({kind, inquiry.job.value, inquiry.job_key,
                   "attempt " + std::to_string(inquiry.attempt) + ", external_id " + inquiry.key +
                       ": " + what});
  }

  Store& store_;
  Clock clock_;
  const ReconcileEvents& events_;
  OutcomePolicy policy_;
  Limiter limiter_;
  Line line_;
  Reconciled reconciled_;
  ReconcileProgress progress_;
  std::vector<Absent> absent_;  // at this look
};

Result<Reconciled> Reconciler::run() {
  Status looked = look_at_all();
  while (looked && !absent_.empty()) looked = look_again();
  if (looked) return reconciled_;
  name_the_absent();
  return looked.error();
}

// Where the looking ends early. What was absent so far is no verdict, but worth more than silence.
void Reconciler::name_the_absent() {
  for (const Absent& absent : absent_) {
    const auto inquiries = store_.inquiries(absent.job, absent.job);
    if (!inquiries) return;
    const auto inquiry = std::ranges::find(*inquiries, absent.attempt, &Inquiry::attempt);
    if (inquiry == inquiries->end()) continue;
    report(*inquiry, Finding::Kind::unasked,
           "the DSP did not know it at " + std::to_string(absent.looks) + " of " +
               std::to_string(kAbsentLooks) +
               " looks, and could not be asked again; we have the id " + inquiry->dsp_id);
  }
}

Status Reconciler::look_at_all() {
  const Result<std::int64_t> last = store_.last_job();
  if (!last) return last.error();
  progress_.all = *last;
  for (std::int64_t from = 1; from <= *last; from += kJobsAtOnce) {
    const auto inquiries = store_.inquiries(JobId{from}, JobId{from + kJobsAtOnce - 1});
    if (!inquiries) return inquiries.error();
    for (const Inquiry& inquiry : *inquiries) {
      progress_.done = inquiry.job.value;
      if (!inquiry.can_be_asked) {
        ++reconciled_.not_askable;
      } else if (Status looked = look(inquiry); !looked) {
        return looked.error();
      }
    }
  }
  return Done{};
}

// In the order of the look before: while one waits, no other could go.
Status Reconciler::look_again() {
  const std::vector<Absent> round = std::exchange(absent_, {});
  ++progress_.look;
  progress_.done = 0;
  progress_.all = std::ssize(round);
  progress_.absent = 0;
  events_.progress(progress_, reconciled_);
  for (auto absent = round.begin(); absent != round.end(); ++absent) {
    wait_until(absent->looked_boot_ms + kAbsentLooksApart);
    if (Status looked = look_again_at(*absent); !looked) {
      absent_.insert(absent_.end(), absent, round.end());
      return looked;
    }
    ++progress_.done;
  }
  return Done{};
}

// One that has left the tables meanwhile is compared with nothing.
Status Reconciler::look_again_at(const Absent& absent) {
  const auto inquiries = store_.inquiries(absent.job, absent.job);
  if (!inquiries) return inquiries.error();
  const auto inquiry = std::ranges::find(*inquiries, absent.attempt, &Inquiry::attempt);
  return inquiry == inquiries->end() ? Done{} : look(*inquiry);
}

void Reconciler::wait_until(std::int64_t boot_ms) {
  for (Moment now = clock_.now(); now.boot_ms < boot_ms; now = clock_.now()) {
    line_.hang_up();
    wait(boot_ms - now.boot_ms, WaitsFor::next_look);
  }
}

// A span of this clock, with progress shown meanwhile.
void Reconciler::wait(Millis span, WaitsFor what) {
  using std::chrono::duration_cast;
  const auto end = std::chrono::steady_clock::now() + clock_.real(span);
  while (true) {
    const auto left = end - std::chrono::steady_clock::now();
    const bool is_over = left <= std::chrono::steady_clock::duration::zero();
    const std::int64_t left_us =
        is_over ? 0 : duration_cast<std::chrono::microseconds>(left).count();
    progress_.wait = what == WaitsFor::next_look ? clock_.scaled_us(left_us) / 1'000 : 0;
    events_.progress(progress_, reconciled_);
    if (is_over) return;
    std::this_thread::sleep_for(
        std::min<std::chrono::steady_clock::duration>(left, kProgressEvery));
  }
}

Ticket Reconciler::take_a_permit() {
  while (true) {
    const Moment now = clock_.now();
    limiter_.age(now);
    const std::optional<std::int64_t> at = limiter_.next_permit_at(now);
    DL_CHECK(at, "one request at a time: a slot becomes free by time alone");
    if (*at <= now.boot_ms) return limiter_.take(now);
    wait(*at - now.boot_ms);
  }
}

Result<DspReply> Reconciler::exchange(const Inquiry& inquiry) {
  for (int i = 1;; ++i) {
    const std::string trouble = line_.connect();
    if (trouble.empty()) break;
    if (i == kTries) return Error{Errc::unavailable, "the DSP is out of reach: " + trouble};
    wait(retry_backoff(inquiry.job.value, i));
  }
  const Ticket ticket = take_a_permit();
  const Result<Granted> granted = store_.permit_inquiry(inquiry, clock_.now());
  if (!granted) return granted.error();
  if (Status kept = store_.keep_generation(clock_.now()); !kept) return kept.error();
  DspRequest request;
  request.id = granted->request;
  request.purpose = Purpose::lookup;
  request.kind = inquiry.kind;
  request.target = granted->target;
  DspReply reply = line_.send(std::move(request));
  disbelieve_anothers(reply, inquiry.key);
  const Moment now = clock_.now();
  const OutcomeClass what = classify(Purpose::lookup, reply, policy_);
  WorkBatch batch;
  batch.account = settle(reply, what, *granted, ticket, now);
  Outcome outcome;
  outcome.request = granted->request;
  outcome.job = inquiry.job;
  outcome.purpose = Purpose::lookup;
  outcome.from = JobState::in_doubt;
  outcome.slot = slot_end(reply, policy_);
  outcome.http_status = reply.http_status;
  outcome.outcome_class = name_of(what);
  outcome.latency_us = clock_.scaled_us(reply.latency_us);
  outcome.dsp_request_id = reply.dsp_request_id;
  outcome.error = reply.trouble;
  batch.outcomes.push_back(std::move(outcome));
  const auto recorded = store_.commit(std::span(&batch, 1), now);
  if (!recorded) return recorded.error();
  if (Status short_log = store_.database().checkpoint_if_longer_than(1'000); !short_log)
    return short_log.error();
  return reply;
}

// Closes the slot. What the next daemon must know of the account.
std::optional<AccountState> Reconciler::settle(const DspReply& reply, OutcomeClass what,
                                               const Granted& granted, const Ticket& ticket,
                                               Moment now) {
  switch (slot_end(reply, policy_)) {
    case SlotEnd::answered: limiter_.answered(now); break;
    case SlotEnd::unsure: limiter_.unsure(now); break;
    case SlotEnd::not_sent: limiter_.not_sent(); break;
  }
  const bool was_behind_a_gate = limiter_.refusals() > 0;
  if (reply.wire == Wire::answered)
    limiter_.told(parse_rate_limit(reply, now.wall_ms), ticket, now);
  if (what == OutcomeClass::throttled || what == OutcomeClass::unavailable) {
    std::optional<Millis> wait;
    if (reply.retry_after) wait = parse_retry_after(*reply.retry_after, reply.date, now.wall_ms);
    limiter_.refused(now, wait, jitter(granted.request.value, limiter_.refusals()));
    return limiter_.state(now);
  }
  if (reply.wire == Wire::answered && reply.http_status < 500) limiter_.accepted(now);
  const bool says_nothing_is_left = limiter_.exhausted_until_boot_ms() > now.boot_ms;
  if (was_behind_a_gate || says_nothing_is_left) return limiter_.state(now);
  return std::nullopt;
}

// One look, asked for until it has an answer. What should be there and is absent is kept for the
// next one.
Status Reconciler::look(const Inquiry& inquiry) {
  std::string trouble;
  for (int i = 0; i < kTries; ++i) {
    const Result<DspReply> reply = exchange(inquiry);
    if (!reply) return reply.error();
    const std::string status = "HTTP " + std::to_string(reply->http_status);
    const OutcomeClass what = classify(Purpose::lookup, *reply, policy_);
    const bool is_absent = what == OutcomeClass::not_found;
    if (is_absent && inquiry.believed == Believed::there && progress_.look < kAbsentLooks) {
      absent_.push_back({inquiry.job, inquiry.attempt, progress_.look, clock_.now().boot_ms});
      ++progress_.absent;
      return Done{};
    }
    if (is_absent || what == OutcomeClass::found || what == OutcomeClass::found_many) {
      const Result<std::string> another = anothers(inquiry, reply->answer);
      if (!another) return another.error();
      if (trouble = *another; !trouble.empty()) break;
      ++reconciled_.asked;
      if (!is_absent && progress_.look > 1) ++reconciled_.found_later;
      judge(inquiry, is_absent ? std::vector<std::string>{} : reply->answer.ids);
      return Done{};
    }
    if (what == OutcomeClass::unauthorized) {
      return Error{Errc::no_permission, "the DSP refuses our credentials (" + status + ")"};
    }
    const bool is_success = reply->http_status >= 200 && reply->http_status <= 299;
    trouble = reply->http_status == 0 ? reply->trouble
              : is_success            ? status + ": " + reply->trouble
                                      : status;
    if (reply->http_status == 405 || reply->http_status == 501) {
      return Error{Errc::config,
                   "unknown_outcome is lookup, but the DSP offers none (" + status + ")"};
    }
  }
  report(inquiry, Finding::Kind::unasked, trouble);
  return Done{};
}

// An entity that does not say whose it is, and is not the one that we expect, may be another job's:
// then the question was not answered. In words; empty: it was.
Result<std::string> Reconciler::anothers(const Inquiry& inquiry, const DspAnswer& answer) {
  const bool may_be = answer.ids.size() == 1 && answer.external_ids.empty();
  if (!may_be || answer.ids.front() == inquiry.dsp_id) return std::string();
  Result<std::string> job = store_.other_with_id(inquiry.job, answer.ids.front());
  if (!job || job->empty()) return job;
  return "the DSP has " + answer.ids.front() + ", which is " + *job +
         " (does it ignore the query?)";
}

void Reconciler::judge(const Inquiry& inquiry, const std::vector<std::string>& ids) {
  using Kind = Finding::Kind;
  std::string list;
  for (const std::string& id : ids) list += (list.empty() ? "" : ", ") + id;
  if (ids.size() > 1) {
    return report(inquiry, Kind::duplicate,
                  "the DSP has " + std::to_string(ids.size()) + " under this key: " + list);
  }
  switch (inquiry.believed) {
    case Believed::dead: return;
    case Believed::declared:  // it may be there, or another is, made by a person: not both
      if (ids.empty() || ids.front() == inquiry.dsp_id) return;
      return report(
          inquiry, Kind::duplicate,
          "the DSP has " + list + " under this key; an operator said that it is " + inquiry.dsp_id);
    case Believed::there:
      if (ids.empty())
        return report(inquiry, Kind::missing,
                      "the DSP does not know it; we have the id " + inquiry.dsp_id);
      if (ids.front() == inquiry.dsp_id) return;
      return report(inquiry, Kind::missing,
                    "the DSP has " + list + " under this key; we have the id " + inquiry.dsp_id);
    case Believed::not_there:
      if (ids.empty()) return;
      return report(inquiry, Kind::duplicate,
                    "the DSP has " + list + ", which by our tables was never created");
    case Believed::unknown: break;
  }
  // What is in state in_doubt, or waits for the settle time, was counted by verify(); a cancelled
  // job is nobody's doubt any more.
  const bool is_counted = inquiry.state == JobState::in_doubt ||
                          inquiry.state == JobState::waiting ||
                          inquiry.state == JobState::cancelled;
  report(inquiry, is_counted ? Kind::remark : Kind::in_doubt,
         ids.empty() ? "the DSP does not know it (a late request may still be applied until the "
                       "settle time is over)"
                     : "the DSP has it: " + list);
}

}  // namespace

Result<Reconciled> reconcile(Store& store, const Recovery& recovery, const Config& config,
                             Clock clock, const ReconcileEvents& events) {
  return Reconciler(store, recovery, config, clock, events).run();
}

}  // namespace dl
