// What answers, and their absence, say about the account rather than about a job: refusals,
// credentials, and whether the DSP can be reached at all.
#include <algorithm>
#include <utility>

#include "daemon/core/backoff.h"
#include "daemon/core/dispatcher.h"
#include "daemon/core/retry_after.h"

namespace dl {
namespace {

using Level = command::Say::Level;

constexpr Millis kConnectBackoffMax = 30'000;
// closed so soon: nobody was behind the door; later it is a server's idle timeout
constexpr Millis kDoorstep = 10'000;
// requests in a row without an answer: it is not the network's odd loss any more
constexpr int kSilent = 3;
constexpr Millis kSilenceBackoffMax = 300'000;  // each try may cost a doubt
// or a window, where that is longer: a wrong token may not use the limit up
constexpr Millis kCredentialProbe = 60'000;
// jobs that met 401 or 403: then it is believed to be the credentials
constexpr int kOpinions = 2;
constexpr Millis kMoreFilesAfter = 5'000;  // whether there are more descriptors is tried again
constexpr int kFilesLeftAlone = 2;         // of those we had: for the token file and the database
constexpr Millis kFilesToldEvery = 60'000;

}  // namespace

// What the DSP says is left. That nothing is left is kept: a restart must not knock before.
void Dispatcher::heed_headers(const DspReply& reply, const Ticket& ticket, Moment now) {
  if (reply.wire != Wire::answered) return;
  if (!reply.rate_limit && !reply.rate_limit_remaining) return;
  const std::int64_t before = limiter_.exhausted_until_boot_ms();
  limiter_.told(parse_rate_limit(reply, now.wall_ms), ticket, now);
  const std::int64_t until = limiter_.exhausted_until_boot_ms();
  if (until > now.boot_ms && until > before) account_changed_ = true;
}

void Dispatcher::settle_account(const DspReply& reply, OutcomeClass what, const Flight& flight,
                                bool others_pass, Moment now) {
  const bool refused = what == OutcomeClass::throttled || what == OutcomeClass::unavailable;
  if (refused) return settle_refusal(reply, flight, now);
  if (what == OutcomeClass::unauthorized)
    return settle_unauthorized(reply, flight, others_pass, now);
  if (reply.wire != Wire::answered || reply.http_status >= 500) return;
  if (limiter_.refusals() > 0) account_changed_ = true;
  limiter_.accepted(now);
  ++accepted_count_;
  unauthorized_ = 0;
  if (account_.is_paused_by_daemon()) {
    account_.paused_by.reset();
    account_.paused_reason.clear();
    account_changed_ = pause_changed_ = true;
    say(Level::info, "the DSP takes our credentials again; resumed");
  }
}

// A look that is refused once more says nothing about the rate; a second job or a POST does.
void Dispatcher::settle_refusal(const DspReply& reply, const Flight& flight, Moment now) {
  std::optional<Millis> wait;
  if (reply.retry_after) wait = parse_retry_after(*reply.retry_after, reply.date, now.wall_ms);
  const About about = is_set_back(flight.granted.job.id) && !is_post(flight.granted.purpose)
                          ? About::entity
                          : About::account;
  const bool is_about_entity = about == About::entity;
  if (is_about_entity) wait.reset();  // the wait that it asks for is its own: decide()
  limiter_.refused(now, wait, jitter(flight.connection.serial, limiter_.refusals()), about);
  account_changed_ = true;
  if (wait == kLongestWait) {
    say(Level::warning, "the DSP asks to wait for an hour or longer (Retry-After: " +
                            *reply.retry_after + "); one request will ask again after an hour");
  }
  say(Level::warning,
      "the DSP refused " +
          (is_about_entity ? "a look at " + flight.granted.job_key + " once more " : "") + "with " +
          std::to_string(reply.http_status) + "; pausing for " +
          std::to_string((limiter_.gate_until_boot_ms() - now.boot_ms + 999) / 1'000) + " s");
}

// The credentials, or this one entity: the first time the account pauses to be safe. Where others
// have passed since, it is the entity, and only its job is set back.
void Dispatcher::settle_unauthorized(const DspReply& reply, const Flight& flight, bool others_pass,
                                     Moment now) {
  if (connections_.is_retired(flight.connection)) return;  // that was of the old token
  const std::string said =
      (reply.http_status == 0 ? reply.trouble
                              : "the DSP answered HTTP " + std::to_string(reply.http_status)) +
      " to " + flight.granted.job_key;
  if (others_pass && !account_.paused_by)
    return say(Level::warning, said + ", while others pass; check this entity's permissions");
  if (!is_set_back(flight.granted.job.id)) ++unauthorized_;
  pause_for_credentials(said + "; check the token file and the account's permissions", now);
}

// Whether it is the credentials or the one entity, another job tells, and at once. Then a daemon
// probes now and then.
bool Dispatcher::asks_another() const {
  return unauthorized_ < kOpinions &&
         work_.has_other([this](JobId job) { return is_set_back(job); });
}

bool Dispatcher::probes_credentials(Moment now) const {
  return policy_.lifetime == Lifetime::for_ever && now.boot_ms >= probe_credentials_at_;
}

void Dispatcher::pause_for_credentials(const std::string& reason, Moment now) {
  probe_credentials_at_ = now.boot_ms + std::max(kCredentialProbe, policy_.decision.window_ms);
  if (account_.paused_by) return;
  retire_connections();  // the probe reads the token file anew
  account_.paused_by = kPausedByDaemon;
  account_.paused_reason = reason;
  account_changed_ = pause_changed_ = true;
  say(Level::error, "paused: " + reason);
}

// A connection keeps the token with which it was made, and a DSP that revokes that one keeps the
// connection.
void Dispatcher::on(const input::TokenChanged&, Moment now) {
  retire_connections();
  accepted_at_setback_.clear();  // the old token's
  unauthorized_ = 0;
  if (account_.is_paused_by_daemon()) probe_credentials_at_ = now.boot_ms;
}

void Dispatcher::retire_connections() {
  for (const ConnectionId id : connections_.retire()) hang_up(id);
}

void Dispatcher::note_whether_answered(const DspReply& reply, ConnectionId id, Moment now) {
  switch (reply.wire) {
    case Wire::answered: return note_reached();
    case Wire::not_sent:
      if (reply.fresh_connection) note_slammed(reply.trouble, id, now);
      return;
    case Wire::no_answer: break;
  }
  ++unanswered_;
  if (!is_silent()) return;
  note_failed_knock(
      std::to_string(unanswered_) + " requests in a row without an answer (" + reply.trouble + ")",
      id, now);
  if (unanswered_ < 2 * kSilent) unreachable_ = false;  // that much patience a drain has
}

// Only an answer says that somebody is there: what accepts connections may be a proxy that has
// nobody behind it. So the backoff stays; but where nothing is sent meanwhile, nobody has been out
// of reach either.
void Dispatcher::note_connected() {
  if (is_silent()) return;
  unreachable_before_ = std::exchange(unreachable_since_, std::nullopt);
  unreachable_ = false;
}

// The door was opened, and shut again.
void Dispatcher::note_slammed(const std::string& trouble, ConnectionId id, Moment now) {
  if (connections_.is_older_than(kDoorstep, id, now.boot_ms)) return;
  if (!unreachable_since_) unreachable_since_ = unreachable_before_;
  note_failed_knock(trouble, id, now);
}

bool Dispatcher::is_silent() const { return unanswered_ >= kSilent; }

void Dispatcher::note_reached() {
  unanswered_ = 0;
  connect_failures_ = 0;
  unreachable_since_.reset();
  unreachable_before_.reset();
  unreachable_ = false;
}

void Dispatcher::note_unreached(Moment now) {
  if (!unreachable_since_) unreachable_since_ = now.boot_ms;
  unreachable_ = now.boot_ms - *unreachable_since_ >= policy_.unreachable_timeout_ms;
}

// The DSP is not to blame, so nothing backs off: as many connections as there are have to do for a
// while, and each that ends makes room for the next.
void Dispatcher::make_do_with_fewer(const std::string& trouble, Moment now) {
  files_allow_ = std::max(1, connections_.total() - kFilesLeftAlone);
  files_allow_until_ = now.boot_ms + kMoreFilesAfter;
  if (connections_.total() == 0) {
    note_unreached(now);
    connect_again_at_ = files_allow_until_;
  }
  if (trouble != last_trouble_ || now.boot_ms - files_told_at_ >= kFilesToldEvery) {
    say(Level::warning, trouble);
    files_told_at_ = now.boot_ms;
  }
  last_trouble_ = trouble;
}

int Dispatcher::connections_max(Moment now) const {
  return now.boot_ms < files_allow_until_ ? std::min(files_allow_, policy_.in_flight_max)
                                          : policy_.in_flight_max;
}

void Dispatcher::on(const input::ConnectFailed& failed, Moment now) {
  connections_.lost(failed.id);
  switch (failed.what) {
    case ConnectTrouble::credentials:
      unauthorized_ = kOpinions;  // whatever is asked for
      return pause_for_credentials(failed.trouble, now);
    case ConnectTrouble::open_files:
    case ConnectTrouble::memory:
    case ConnectTrouble::ports: return make_do_with_fewer(failed.trouble, now);
    case ConnectTrouble::dsp: break;
  }
  note_failed_knock(failed.trouble, failed.id, now);
}

void Dispatcher::note_failed_knock(const std::string& trouble, ConnectionId id, Moment now) {
  note_unreached(now);
  const bool is_of_the_same_knock = now.boot_ms < connect_again_at_;  // many were begun at once
  if (is_of_the_same_knock) return;
  ++connect_failures_;
  const Millis longest = is_silent() ? kSilenceBackoffMax : kConnectBackoffMax;
  const Millis backoff = std::min(longest, Millis{250} << std::min(connect_failures_, 11));
  connect_again_at_ =
      now.boot_ms + backoff / 2 +
      static_cast<Millis>(static_cast<double>(backoff) / 2 * jitter(id.serial, connect_failures_));
  if (trouble != last_trouble_ || connect_failures_ == 1) {
    say(Level::warning, trouble + (is_silent() ? "; one at a time until the DSP answers" : ""));
  }
  last_trouble_ = trouble;
}

}  // namespace dl
