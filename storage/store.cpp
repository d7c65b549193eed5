#include "storage/store.h"

#include <sqlite3.h>

#include <algorithm>

#include "queries_sql.h"
#include "storage/fault/commit_points.h"
#include "storage/fault/fault_point.h"
#include "storage/migrator.h"
#include "storage/model/planted.h"
#include "storage/store_columns.h"

namespace dl {

Store::Store(std::unique_ptr<Database> database, RequestFormat format, StorePolicy policy)
    : database_(std::move(database)), format_(format), policy_(std::move(policy)) {}

Store::~Store() { statements_.clear(); }  // before the database they belong to

std::unique_ptr<Database> Store::give_back() {
  statements_.clear();
  database_->forget_wal();
  return std::move(database_);
}

// Every statement is prepared once; the text's address is its name.
SQLite::Statement& Store::hot(std::string_view text) {
  const auto known = statements_.find(text.data());
  if (known != statements_.end()) {
    known->second->reset();
    return *known->second;
  }
  // may throw
  auto statement = std::make_unique<SQLite::Statement>(database_->handle(), std::string(text));
  return *statements_.emplace(text.data(), std::move(statement)).first->second;
}

SQLite::Statement& Store::sql(std::string_view text) {
  SQLite::Statement& statement = hot(text);
  statement.clearBindings();
  return statement;
}

// A statement that was not read to its end keeps its view of the tables, and the next transaction
// would fail as busy once somebody else has written.
void Store::reset_statements() {
  for (auto& [text, statement] : statements_) statement->tryReset();
}

// The lock proves that every earlier owner is dead, but somebody may remove it under one that
// lives. Who is taken over writes nothing more: what it had on the wire is closed already, and what
// it permitted now nobody would ever close.
Status Store::transaction(const std::function<Status()>& work) {
  return database_->transaction(Writer::daemon, [&]() -> Status {
    SQLite::Statement& successor = hot(sql::k_successor);
    bind_all(successor, instance_.value);
    if (planted(Fault::reclaimed_from_a_stopped_owner) || !successor.executeStep()) return work();
    Columns columns(successor);
    const std::string pid = columns.next().getString();
    const std::string host = columns.next().getString();
    successor.reset();
    return Error{
        Errc::busy,
        database_->path() + ": another dl-daemon (process " + pid + " on " + host +
            ") has taken over from this one, whose lock file was removed or replaced; this one "
            "records and sends nothing more"};
  });
}

Result<std::vector<WorkResult>> Store::commit(std::span<const WorkBatch> batches, Moment now) {
  std::vector<WorkResult> results(batches.size());
  const Totals before = totals_;
  last_intent_ = last_sent_;
  newest_request_.reset();
  count_deltas_.clear();
  held_.clear();
  bool is_accepted = true;  // the endpoint
  Status ok = transaction([&]() -> Status {
    // no permit behind a guard that is gone
    if (Status same = check_schema_if_touched(); !same) return same;
    is_accepted = endpoint_is_accepted();
    find_holders(batches);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      for (const Outcome& outcome : batches[i].outcomes) apply(outcome, results[i], now);
      for (const JobId job : batches[i].due) make_due(job, results[i], now);
      for (const Permit& wanted : batches[i].permits) {
        if (is_accepted) {
          permit(wanted, results[i], now);
        } else {
          results[i].refused.push_back({wanted.tag, wanted.job, another_endpoint_});
        }
      }
      if (batches[i].account) save(*batches[i].account, now);
      save_processing(batches[i].processing);
    }
    write_counts();
    DL_FAULT_BEFORE_COMMIT(batches);
    return Done{};
  });
  reset_statements();
  if (!ok) {
    totals_ = before;
    return ok.error();
  }
  last_sent_ = last_intent_;
  if (is_accepted) another_endpoint_.clear();
  if (planted(Fault::children_promoted_later))
    promote_in_a_second_transaction(batches, results, now);
  DL_FAULT_AFTER_COMMIT(batches);
  for (WorkResult& result : results) result.totals = totals_;
  if (!results.empty()) results.front().held = std::exchange(held_, {});
  return results;
}

void Store::apply(const Outcome& decided, WorkResult& result, Moment now) {
  std::optional<Outcome> held;
  if (decided.event == JobEvent::found) held = unless_taken(decided);
  const Outcome& outcome = held ? *held : decided;
  using Number = std::optional<std::int64_t>;
  const std::optional<std::string> resolution =
      is_post(outcome.purpose) ? outcome.resolution : std::nullopt;
  SQLite::Statement& finish = sql(sql::k_finish_request);
  bind_all(finish, now.wall_ms, now.boot_ms, std::nullopt /* boot_key: the instance's own */,
           name_of(outcome.slot), outcome.latency_us,
           outcome.http_status == 0 ? Number() : Number(outcome.http_status), outcome.outcome_class,
           outcome.dsp_id, TextOrNull{outcome.dsp_request_id}, TextOrNull{outcome.error},
           resolution, outcome.request.value);
  const bool completed = finish.exec() == 1;
  if (outcome.look_unsent) close_unsent(outcome.look_unsent, now);

  Applied applied =
      completed ? move(outcome, now) : Applied{outcome.request, outcome.job, false, {}};
  if (applied.matched) {
    // A POST under a new key was the only unresolved one: its permit saw to that, and its lease
    // since.
    const bool is_proof =
        planted(Fault::refused_resubmission_is_proof) && outcome.resolution == "refused";
    const bool settles_all =
        outcome.purpose != Purpose::create &&
        (outcome.event == JobEvent::accepted || outcome.event == JobEvent::found ||
         outcome.event == JobEvent::absent || is_proof);
    if (settles_all) {
      SQLite::Statement& resolve = sql(sql::k_resolve_posts);
      resolve.bind(":job", outcome.job.value);
      bind_or_null(resolve, ":resolution", outcome.resolution);
      resolve.exec();
    }
    if (outcome.event == JobEvent::id_not_found) withdraw_declaration(outcome.job, now);
    const bool is_too_early = planted(Fault::children_promoted_when_accepted);
    const bool is_too_late = planted(Fault::children_promoted_later);
    if (outcome.event == (is_too_early ? JobEvent::accepted : JobEvent::confirmed) && !is_too_late)
      promote(outcome.job, applied.promoted, now);
  } else {
    SQLite::Statement& release = sql(sql::k_release_lease);
    release.bind(":job", outcome.job.value);
    release.bind(":request", outcome.request.value);
    release.bind(":at", now.wall_ms);
    release.exec();
  }
  if (held && applied.matched) held_.push_back({outcome.job, *outcome.hold});
  if (held) applied.matched = false;  // the tables say what has become of it
  result.applied.push_back(std::move(applied));
}

// A first look whose POST did not lead to it.
void Store::close_unsent(RequestId look, Moment now) {
  SQLite::Statement& finish = sql(sql::k_finish_request);
  finish.bind(":request", look.value);
  finish.bind(":at", now.wall_ms);
  finish.bind(":boot_ms", now.boot_ms);
  bind_text(finish, ":slot", name_of(SlotEnd::not_sent));
  finish.bind(":outcome", "not_sent");
  finish.exec();
}

Applied Store::move(const Outcome& outcome, Moment now) {
  Applied applied{outcome.request, outcome.job, false, {}};
  const std::optional<Rule> rule =
      outcome.event ? rule_for(outcome.from, *outcome.event) : std::nullopt;
  DL_CHECK(!outcome.event || rule, "an outcome follows the state machine");
  const JobState to = rule ? rule->to : outcome.from;
  const int spent = outcome.spends_attempt ? 1 : 0;
  const bool drops_id = outcome.from == JobState::confirming && rule && to != JobState::succeeded;
  const std::int64_t sent_at = now.wall_ms - outcome.latency_us / 1'000;
  using Number = std::optional<std::int64_t>;
  SQLite::Statement& leased = hot(sql::k_leased_job);
  bind_all(leased, outcome.job.value, name_of(outcome.from), outcome.request.value);
  if (!leased.executeStep()) return applied;
  Columns columns(leased);
  const std::int64_t batch_id = columns.next().getInt64();
  const JobKind kind = kind_of(columns.next());
  const int attempt = columns.next().getInt();
  leased.reset();
  const RequestId next = outcome.look_sent;
  SQLite::Statement& update = hot(sql::k_move_job);
  bind_all(update, name_of(to), spent, outcome.setbacks, outcome.looks,
           outcome.due_in_ms && !next ? Number(now.wall_ms + *outcome.due_in_ms) : Number(),
           next ? Number(next.value) : Number(), drops_id ? 1 : 0, outcome.dsp_id,
           outcome.dsp_id ? Number(sent_at) : Number(), outcome.looked ? Number(sent_at) : Number(),
           outcome.overdue ? 1 : 0, outcome.hold, TextOrNull{outcome.error}, now.wall_ms,
           outcome.job.value, outcome.request.value);
  const int moved = update.exec();
  DL_CHECK(moved == 1, "the transaction that found the lease is the one that ends it");
  applied.matched = true;
  if (outcome.dsp_id && !holders_.empty()) note_holder(*outcome.dsp_id, outcome.job, kind);
  if (!rule) return applied;
  add_history(outcome.job, *rule, attempt, outcome.request, outcome.error, now);
  count(batch_id, kind, outcome.from, to);
  return applied;
}

// Most jobs are leaves: the question who their children are is all that it costs them.
void Store::promote(JobId parent, std::vector<JobRef>& promoted, Moment now) {
  struct Child {
    JobRef job;
    std::int64_t batch_id;
    int attempt;
    JobState state;
    bool becomes_ready;
  };
  std::vector<Child> children;
  SQLite::Statement& row = hot(sql::k_children_of);
  bind_all(row, parent.value);
  while (row.executeStep()) {
    Columns columns(row);
    Child child;
    child.job.id = JobId{columns.next().getInt64()};
    child.job.kind = kind_of(columns.next());
    child.job.priority = columns.next().getInt64();
    child.job.root_id = columns.next().getInt64();
    child.job.level = columns.next().getInt();
    child.batch_id = columns.next().getInt64();
    child.attempt = columns.next().getInt();
    child.state = state_of(columns.next());
    child.becomes_ready = columns.next().getInt() != 0;
    child.job.has_children = columns.next().getInt() != 0;
    children.push_back(child);
  }
  row.reset();
  const Rule ready = *rule_for(JobState::blocked, JobEvent::parents_done);
  for (const Child& child : children) {
    SQLite::Statement& update = hot(sql::k_promote_child);
    bind_all(update, name_of(child.becomes_ready ? ready.to : child.state), now.wall_ms,
             child.job.id.value);
    update.exec();
    if (!child.becomes_ready) continue;
    if (!planted(Fault::history_line_missing))
      add_history(child.job.id, ready, child.attempt, {}, "", now);
    count(child.batch_id, child.job.kind, child.state, ready.to);
    promoted.push_back(child.job);
  }
  if (!children.empty()) DL_FAULT_POINT("promote.in_tx");
}

// What a planted fault does instead; never called otherwise.
void Store::promote_in_a_second_transaction(std::span<const WorkBatch> batches,
                                            std::vector<WorkResult>& results, Moment now) {
  const Status ok = transaction([&]() -> Status {
    for (std::size_t i = 0; i < batches.size(); ++i) {
      for (std::size_t k = 0; k < batches[i].outcomes.size(); ++k) {
        Applied& applied = results[i].applied[k];
        if (applied.matched && batches[i].outcomes[k].event == JobEvent::confirmed)
          promote(applied.job, applied.promoted, now);
      }
    }
    write_counts();
    return Done{};
  });
  if (!ok) reset_statements();
}

void Store::add_history(JobId job, const Rule& rule, int attempt, RequestId request,
                        const std::string& reason, Moment now) {
  using Number = std::optional<std::int64_t>;
  SQLite::Statement& insert = hot(sql::k_insert_history);
  bind_all(insert, job.value, now.wall_ms, rule.id, attempt,
           request ? Number(request.value) : Number(), TextOrNull{reason});
  insert.exec();
}

void Store::count(std::int64_t batch_id, JobKind kind, JobState from, JobState to) {
  --count_deltas_[CountKey{batch_id, kind, from}];
  ++count_deltas_[CountKey{batch_id, kind, to}];
  auto& of_kind = totals_[static_cast<std::size_t>(kind)];
  --of_kind[static_cast<std::size_t>(from)];
  ++of_kind[static_cast<std::size_t>(to)];
}

// Once a transaction, not once a job.
void Store::write_counts() {
  for (const auto& [key, delta] : count_deltas_) {
    if (delta == 0) continue;
    SQLite::Statement& add = sql(sql::k_add_to_count);
    add.bind(":batch", key.batch_id);
    bind_text(add, ":kind", names_of(key.kind).name);
    bind_text(add, ":state", name_of(key.state));
    add.bind(":delta", delta);
    add.exec();
  }
  count_deltas_.clear();
}

bool Store::tables_changed() {
  const int version = database_->data_version();
  return std::exchange(data_version_, version) != version;
}

Status Store::check_schema() {
  return database_->guard(database_->path(), [&]() -> Status {
    std::string hash = schema_hash(*database_);
    if (hash == schema_hash_) return Done{};
    // An operator's own view, index or ANALYZE is none of our business.
    const std::vector<std::string> differences = schema_differences(*database_);
    if (!differences.empty()) {
      return Error{Errc::config,
                   database_->path() + ": its schema was changed while the daemon ran (" +
                       differences.front() + "); restore it, then start the daemon again"};
    }
    schema_hash_ = std::move(hash);
    return Done{};
  });
}

Status Store::check_schema_if_touched() {
  return database_->guard(database_->path(), [&]() -> Status {
    const int version = database_->schema_version();
    if (version == schema_version_) return Done{};
    if (Status same = check_schema(); !same) return same;
    schema_version_ = version;
    return Done{};
  });
}

Status Store::save_eta(std::int64_t eta_at_ms, const std::string& note) {
  return transaction([&]() -> Status {
    SQLite::Statement& update = sql(sql::k_save_eta);
    bind_or_null(update, ":eta_at",
                 eta_at_ms == 0 ? std::nullopt : std::optional<std::int64_t>(eta_at_ms));
    bind_text_or_null(update, ":eta_note", note);
    update.exec();
    return Done{};
  });
}

Status Store::stop(Moment now) {
  return transaction([&]() -> Status {
    SQLite::Statement& update = sql(sql::k_stop_instance);
    update.bind(":at", now.wall_ms);
    update.bind(":instance", instance_.value);
    update.exec();
    move_generation();
    DL_FAULT_POINT("shutdown.before_commit");
    return Done{};
  });
}

}  // namespace dl
