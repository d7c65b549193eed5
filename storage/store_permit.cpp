// The permit transaction: the only door to the wire. Each permit is judged by what the tables say
// now; what they do not allow is refused with a reason, and its intent is never written.
#include <sqlite3.h>

#include <algorithm>
#include <cstring>

#include "queries_sql.h"
#include "storage/digest.h"
#include "storage/fault/fault_point.h"
#include "storage/idempotency_key.h"
#include "storage/model/planted.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {

struct Store::Facts {
  JobState state = JobState::blocked;
  std::int64_t batch_id = 0;
  int open_parents = 0;
  bool is_leased = false;
  std::string dsp_id;
  bool is_held = false;
};

// The POST that opened the present attempt, as it was sent.
struct Store::Creation {
  RequestId request;
  std::string idempotency_key;
  std::string body;
  std::string change;  // what of it is not as it was sent; empty: nothing
  std::int64_t sent_at = 0;
  std::int64_t sent_boot_ms = 0;
  std::string boot_key;
};

namespace {

constexpr Millis kWallClockDoubt = 3'600'000;  // so far it may have been set back over a reboot
// The path of a look that is written before its id is known: that of the POST beside it
// (request.dsp_id).
constexpr const char* kUnknownId = "/{id}/status";
constexpr const char* kNoUnresolvedPost =
    "in doubt, but the ledger holds no unresolved POST of this attempt";
constexpr const char* kBodyWasChanged =
    "the stored bytes of its POST were changed behind our back (request_body.digest does not fit), "
    "so they are not sent again";
// Under another key the DSP would take the same bytes for another creation.
constexpr const char* kKeyWasChanged =
    "the stored key of its POST was changed behind our back (it is not the one of its attempt), so "
    "it is not used again";

// Columns: body, digest. Bodies that are older than the digests are believed.
bool is_as_sent(const std::string& body, const SQLite::Column& digest) {
  return digest.isNull() || digest.getInt64() == short_digest(body);
}

}  // namespace

void Store::permit(const Permit& permit, WorkResult& result, Moment now) {
  SQLite::Statement& row = hot(sql::k_permit_facts);
  bind_all(row, permit.job.value);
  if (!row.executeStep()) {
    result.refused.push_back({permit.tag, permit.job, "there is no such job"});
    return;
  }
  Facts facts;
  Granted granted;
  Columns columns(row);
  facts.state = state_of(columns.next());
  granted.job.kind = kind_of(columns.next());
  granted.job_key = columns.next().getString();
  granted.job.priority = columns.next().getInt64();
  granted.job.root_id = columns.next().getInt64();
  granted.job.level = columns.next().getInt();
  facts.batch_id = columns.next().getInt64();
  facts.open_parents = columns.next().getInt();
  granted.attempt = columns.next().getInt();
  granted.tries = columns.next().getInt();
  granted.setbacks = columns.next().getInt();
  granted.looks = columns.next().getInt();
  facts.is_leased = !columns.next().isNull();
  facts.dsp_id = columns.next().getText();
  facts.is_held = !columns.next().isNull();
  granted.job.has_children = columns.next().getInt() != 0;
  granted.job.id = permit.job;
  granted.tag = permit.tag;
  granted.purpose = permit.purpose;
  granted.permitted_boot_ms = now.boot_ms;
  row.reset();

  std::string why;
  if (facts.is_leased) {
    why = "a request of it is open";
  } else {
    switch (permit.purpose) {
      case Purpose::create: why = permit_create(permit, facts, granted, now); break;
      case Purpose::resubmit: why = permit_resubmit(permit, facts, granted, now); break;
      case Purpose::status: why = permit_status(permit, facts, granted, now); break;
      case Purpose::lookup: why = permit_lookup(permit, facts, granted, now); break;
    }
  }
  if (!why.empty()) {
    result.refused.push_back({permit.tag, permit.job, std::move(why)});
    return;
  }
  result.granted.push_back(std::move(granted));
}

// A POST under a new key needs: ready, no DSP id, every parent succeeded, nothing unresolved or
// open.
std::string Store::permit_create(const Permit& permit, const Facts& facts, Granted& granted,
                                 Moment now) {
  if (facts.state != JobState::ready) return "it is not ready any more";
  const bool trusts_the_state = planted(Fault::retry_of_a_cancelled_job_sends);
  if (!facts.dsp_id.empty() && !trusts_the_state) return "it has a DSP id";
  if (facts.open_parents != 0) return "parents are open";
  SQLite::Statement& row = hot(sql::k_post_obstacles);
  bind_all(row, granted.attempt, permit.job.value);
  row.executeStep();
  Columns found(row);
  if (found.next().getInt() != 0 && !trusts_the_state) return "a POST of it is unresolved";
  if (found.next().getInt() != 0) return "a request of it is open";
  const bool attempt_was_sent = found.next().getInt() != 0;
  // Only a hand that switched the guards off leaves a job so: an attempt that was accepted ends, or
  // the job has its id.
  if (found.next().getInt() != 0 && !trusts_the_state) return "a POST of this attempt was accepted";
  const std::string body = found.next().getString();
  const SQLite::Column stored = found.next();
  if (stored.isNull()) return "it has no payload";
  const Sha256 digest = sha256(body);
  if (stored.getBytes() != static_cast<int>(digest.size()) ||
      std::memcmp(stored.getBlob(), digest.data(), digest.size()) != 0) {
    return "its payload was changed behind our back (the stored SHA-256 does not fit)";
  }
  row.reset();

  ParentIds parents;
  if (std::string obstacle = parents_of(granted, parents); !obstacle.empty()) return obstacle;
  granted.target = format_.create_target(granted.job.kind);
  render_create(body, parents, granted);
  if (attempt_was_sent) keep_to_the_attempts_bytes(body, parents, granted);
  granted.request = write_intent(permit, Purpose::create, granted.target, granted, {}, now);
  if (permit.with_look)
    granted.look =
        write_intent(permit, Purpose::status, granted.target + kUnknownId, granted, {}, now);
  lease(granted, JobState::ready, JobState::submitting, now);
  add_history(permit.job, *rule_for(JobState::ready, JobEvent::leased), granted.attempt,
              granted.request, "", now);
  count(facts.batch_id, granted.job.kind, JobState::ready, JobState::submitting);
  return "";
}

// From the root down. Below what was changed behind our back nothing is created: it would be in
// another one's campaign. Gives back why there are none; empty: there they are.
std::string Store::parents_of(const Granted& granted, ParentIds& ids) {
  struct Parent {
    int level;
    std::int64_t id;
    JobKind kind;
    std::string dsp_id;
  };
  std::vector<Parent> all;
  SQLite::Statement& row = hot(sql::k_parents_of);
  bind_all(row, granted.job.id.value);
  bool has_its_own = granted.job.kind == JobKind::campaign;  // the one that its key names
  while (row.executeStep()) {
    Columns columns(row);
    Parent parent;
    parent.level = columns.next().getInt();
    parent.id = columns.next().getInt64();
    parent.kind = kind_of(columns.next());
    parent.dsp_id = columns.next().getText();
    if (columns.next().getText() != name_of(JobState::succeeded))
      return "a parent has not succeeded";
    const std::string_view key = columns.next().getText();
    has_its_own = has_its_own || (granted.job_key.starts_with(key) &&
                                  granted.job_key.substr(key.size()).starts_with('/'));
    all.push_back(std::move(parent));
  }
  row.reset();
  if (!has_its_own) {
    return "its edge was changed behind our back: none of its parents is the one that its key, " +
           granted.job_key + ", names";
  }
  std::sort(all.begin(), all.end(), [](const Parent& a, const Parent& b) {
    return std::pair(a.level, a.id) < std::pair(b.level, b.id);
  });
  for (Parent& parent : all) {
    if (!id_was_given(JobId{parent.id}, parent.dsp_id)) {
      return "the DSP id of its parent, job " + std::to_string(parent.id) +
             ", was changed behind our back (neither the ledger nor an operator has given it " +
             parent.dsp_id + ")";
    }
    ids.emplace_back(parent.kind, std::move(parent.dsp_id));
  }
  return "";
}

bool Store::id_was_given(JobId job, const std::string& dsp_id) {
  const auto known = given_ids_.find(job.value);
  if (known != given_ids_.end() && known->second == dsp_id) return true;
  SQLite::Statement& row = sql(sql::k_id_was_given);
  row.bind(":job", job.value);
  row.bind(":dsp_id", dsp_id);
  row.executeStep();
  const bool was_given = row.getColumn(0).getInt() != 0;
  row.reset();
  if (!was_given) return false;
  if (given_ids_.size() >= kGivenIdsMax) given_ids_.clear();
  given_ids_[job.value] = dsp_id;
  return true;
}

// Key and bytes of the present attempt.
void Store::render_create(const std::string& payload, const ParentIds& parents, Granted& granted) {
  granted.idempotency_key =
      idempotency_key(database_->database_id(), granted.job_key, granted.attempt);
  const bool looks_up = policy_.unknown_outcome == UnknownOutcome::lookup;
  granted.body = format_.create_body(payload, parents, looks_up ? granted.idempotency_key : "");
}

// A key stands for the bytes it was first sent with. Where they would differ (the account has
// changed to lookup, or back), the attempt, of which nothing is unresolved, is over: the next has a
// key of its own.
void Store::keep_to_the_attempts_bytes(const std::string& payload, const ParentIds& parents,
                                       Granted& granted) {
  SQLite::Statement& sent = sql(sql::k_sent_creation);
  sent.bind(":job", granted.job.id.value);
  sent.bind(":attempt", granted.attempt);
  const bool same = sent.executeStep() && sent.getColumn(0).getString() == granted.body &&
                    is_as_sent(granted.body, sent.getColumn(1));
  sent.reset();
  if (same) return;
  SQLite::Statement& open = sql(sql::k_open_attempt);
  open.bind(":job", granted.job.id.value);
  open.exec();
  ++granted.attempt;
  render_create(payload, parents, granted);
}

// Same key, same bytes, copied from the ledger; only while the DSP surely still remembers the key.
std::string Store::permit_resubmit(const Permit& permit, const Facts& facts, Granted& granted,
                                   Moment now) {
  if (facts.state != JobState::in_doubt) return "it is not in doubt any more";
  if (facts.is_held) return "it is held";
  const std::optional<Creation> first = unresolved_creation(granted);
  if (!first) return hold(permit.job, kNoUnresolvedPost, now);
  if (!first->change.empty()) return hold(permit.job, first->change, now);
  if (!key_is_alive(*first, now)) {
    return hold(permit.job,
                "the DSP may have forgotten the idempotency key (key_lifetime has passed)", now);
  }
  granted.idempotency_key = first->idempotency_key;
  granted.body = first->body;
  granted.target = format_.create_target(granted.job.kind);
  granted.request =
      write_intent(permit, Purpose::resubmit, granted.target, granted, first->request, now);
  lease(granted, JobState::in_doubt, JobState::submitting, now);
  add_history(permit.job, *rule_for(JobState::in_doubt, JobEvent::resubmitted), granted.attempt,
              granted.request, "", now);
  count(facts.batch_id, granted.job.kind, JobState::in_doubt, JobState::submitting);
  return "";
}

std::optional<Store::Creation> Store::unresolved_creation(const Granted& granted) {
  SQLite::Statement& row = sql(sql::k_unresolved_creation);
  row.bind(":job", granted.job.id.value);
  row.bind(":attempt", granted.attempt);
  if (!row.executeStep()) return std::nullopt;
  Creation first;
  first.request = RequestId{row.getColumn(0).getInt64()};
  first.idempotency_key = row.getColumn(1).getString();
  first.body = row.getColumn(2).getString();
  first.sent_at = row.getColumn(3).getInt64();
  first.sent_boot_ms = row.getColumn(4).getInt64();
  first.boot_key = row.getColumn(5).getString();
  const std::string key =
      idempotency_key(database_->database_id(), granted.job_key, granted.attempt);
  if (!is_as_sent(first.body, row.getColumn(6))) first.change = kBodyWasChanged;
  if (first.idempotency_key != key) first.change = kKeyWasChanged;
  row.reset();
  return first;
}

// An operator must decide. Returns the reason.
std::string Store::hold(JobId job, const std::string& why, Moment now) {
  SQLite::Statement& update = sql(sql::k_hold_job);
  update.bind(":job", job.value);
  update.bind(":hold", why);
  update.bind(":at", now.wall_ms);
  if (update.exec() == 1) held_.push_back({job, why});  // else it is held already
  return why;
}

// The wall clock may have stepped, so within a boot the longer age counts. Over a reboot the wall
// clock is all there is: it may have been set back, and the key is older than it says.
bool Store::key_is_alive(const Creation& first, Moment now) const {
  if (planted(Fault::expired_key_is_used)) return true;
  Millis age = std::max(Millis{0}, now.wall_ms - first.sent_at);
  if (first.boot_key == facts_.boot_key) {
    age = std::max(age, now.boot_ms - first.sent_boot_ms);
  } else {
    age += kWallClockDoubt;
  }
  return age <
         last_use_of_key(policy_.key_lifetime_ms, policy_.http_timeout_ms, policy_.late_arrival_ms);
}

std::string Store::permit_status(const Permit& permit, const Facts& facts, Granted& granted,
                                 Moment now) {
  if (facts.state != JobState::confirming) return "it is not confirming any more";
  granted.target = format_.status_target(granted.job.kind, facts.dsp_id);
  SQLite::Statement& declared = hot(sql::k_id_was_declared);
  bind_all(declared, permit.job.value);
  declared.executeStep();
  granted.declared_id = declared.getColumn(0).getInt() != 0;
  declared.reset();
  granted.request = write_intent(permit, permit.purpose, granted.target, granted, {}, now);
  lease(granted, JobState::confirming, JobState::confirming, now);
  return "";
}

std::string Store::permit_lookup(const Permit& permit, const Facts& facts, Granted& granted,
                                 Moment now) {
  if (facts.state != JobState::in_doubt) return "it is not in doubt any more";
  if (facts.is_held) return "it is held";
  const std::optional<Creation> first = unresolved_creation(granted);
  if (!first) return hold(permit.job, kNoUnresolvedPost, now);
  if (!first->change.empty()) return hold(permit.job, first->change, now);
  // A POST that was sent before the account looked anything up does not carry the key: it would be
  // absent for ever, and the next POST a duplicate.
  if (first->body.find(first->idempotency_key) == std::string::npos) {
    return hold(permit.job,
                "its POST was sent without the key in its body, so no lookup can find it", now);
  }
  granted.idempotency_key = first->idempotency_key;
  granted.target = format_.lookup_target(granted.job.kind, granted.idempotency_key);
  granted.request = write_intent(permit, permit.purpose, granted.target, granted, {}, now);
  lease(granted, JobState::in_doubt, JobState::in_doubt, now);
  return "";
}

// `body_of`: whose bytes are sent again; none: its own, where it has a body.
RequestId Store::write_intent(const Permit& permit, Purpose purpose, const std::string& path,
                              const Granted& granted, RequestId body_of, Moment now) {
  using Number = std::optional<std::int64_t>;
  static const std::string kNone;
  const RequestId newest = newest_request();
  SQLite::Statement& insert = hot(sql::k_insert_request);
  bind_all(insert, permit.job.value, granted.attempt, name_of(purpose),
           std::string_view(is_post(purpose) ? "POST" : "GET"), path,
           TextOrNull{is_post(purpose) ? granted.idempotency_key : kNone},
           body_of ? Number(body_of.value) : Number(), instance_.value, permit.worker, now.wall_ms,
           now.boot_ms);
  insert.exec();
  const RequestId request{database_->handle().getLastInsertRowid()};
  // Behind the last id there is, SQLite would take any that is free.
  if (request.value - 1 != newest.value)
    throw SQLite::Exception("the ledger holds a request with the last id there is", SQLITE_CORRUPT);
  newest_request_ = request;
  last_intent_ = {request, now.wall_ms, facts_.uuid};
  DL_FAULT_POINT("limiter.taken");
  if (purpose != Purpose::create) return request;
  SQLite::Statement& body = hot(sql::k_insert_request_body);
  bind_all(body, request.value, granted.body, short_digest(granted.body));
  body.exec();
  return request;
}

// A token never comes twice: the newest request is never archived, so its id is the highest there
// ever was.
RequestId Store::newest_request() {
  if (newest_request_) return *newest_request_;
  SQLite::Statement& row = hot(sql::k_newest_request);
  row.executeStep();
  const RequestId newest{row.getColumn(0).getInt64()};
  row.reset();
  return newest;
}

void Store::lease(const Granted& granted, JobState from, JobState to, Moment now) {
  SQLite::Statement& update = hot(sql::k_lease_job);
  bind_all(update, name_of(to), granted.request.value, now.wall_ms, granted.job.id.value,
           name_of(from));
  const int rows = update.exec();
  DL_CHECK(rows == 1, "the transaction that read the job is the one that leases it");
}

}  // namespace dl
