// What a new owner does first, and what the dispatcher loads: reclaiming what a dead owner left
// open, the limiter's memory, the window of work.
#include <algorithm>

#include "queries_sql.h"
#include "storage/fault/fault_point.h"
#include "storage/migrator.h"
#include "storage/model/lost_request.h"
#include "storage/model/planted.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {
namespace {

constexpr Millis kReclaimedDue = 1'000;
constexpr Millis kAwakePerGap = 1'000;

// Where the plan was made in this boot its clock decides. Else the wall clock is all there is, and
// the wait is never longer than was planned, should it have stepped back since.
Millis due_in(SQLite::Statement& row, Moment now) {
  if (row.getColumn("due_at").isNull()) return 0;
  const std::int64_t due_at = row.getColumn("due_at").getInt64();
  const Millis planned = due_at - row.getColumn("updated_at").getInt64();
  const SQLite::Column planned_at = row.getColumn("planned_boot_ms");
  const Millis left = planned_at.isNull() ? std::min(due_at - now.wall_ms, planned)
                                          : planned_at.getInt64() + planned - now.boot_ms;
  return std::max(Millis{0}, left);
}

// How long ago something happened: by the boot clock where it was in this boot, else by the wall
// clock.
Millis since(const SQLite::Column& at_boot_ms, const SQLite::Column& at_wall_ms, Moment now) {
  const Millis span = at_boot_ms.isNull() ? now.wall_ms - at_wall_ms.getInt64()
                                          : now.boot_ms - at_boot_ms.getInt64();
  return std::max(Millis{0}, span);
}

void read_ages(SQLite::Statement& row, TimedJob& timed, Moment now) {
  timed.overdue = row.getColumn("overdue").getInt() != 0;
  if (row.getColumn("posted_at").isNull()) return;
  timed.posted_ago_ms = since(row.getColumn("posted_boot_ms"), row.getColumn("posted_at"), now);
  if (row.getColumn("looked_at").isNull()) return;
  const Millis looked_ago = since(row.getColumn("looked_boot_ms"), row.getColumn("looked_at"), now);
  timed.looked_age_ms = std::max(Millis{0}, timed.posted_ago_ms - looked_ago);
}

}  // namespace

Result<Recovery> Store::take_over(const InstanceFacts& facts, Moment now) {
  facts_ = facts;
  Recovery recovery;
  Status ok = database_->transaction(Writer::daemon, [&]() -> Status {
    count_deltas_.clear();
    SQLite::Statement& insert = sql(sql::k_insert_instance);
    insert.bind(":uuid", facts.uuid);
    insert.bind(":pid", facts.pid);
    insert.bind(":host", facts.host);
    insert.bind(":version", facts.version);
    insert.bind(":boot_key", facts.boot_key);
    insert.bind(":machine_id", facts.machine_id);
    insert.bind(":lock_device", facts.lock_device);
    insert.bind(":lock_inode", facts.lock_inode);
    insert.bind(":at", now.wall_ms);
    insert.bind(":boot_ms", now.boot_ms);
    insert.bind(":rate_limit", format_rate_spec(policy_.tiers));
    insert.exec();
    instance_ = InstanceId{database_->handle().getLastInsertRowid()};
    SQLite::Statement& first = sql(sql::k_boot_saw_ledger);
    first.bind(":boot_key", facts.boot_key);
    first.executeStep();
    first_boot_ms_ = first.getColumn(0).getInt64();
    first.reset();
    reclaim(recovery, now);
    compare_endpoint();
    if (!policy_.only_asks) {
      settle_policy_change(now);
      save_settings();
      if (another_endpoint_.empty()) sql(sql::k_resume_endpoint).exec();
      hold_account(now);
    }
    begin_generation(now);
    if (!policy_.only_asks) pause_for_another_endpoint(now);
    read_limiter_memory(recovery, now);
    read_processing(recovery);
    recovery.account = load_account(now);
    write_counts();
    count_all();
    DL_FAULT_POINT("takeover.before_commit");
    return Done{};
  });
  reset_statements();
  if (!ok) return ok.error();
  DL_FAULT_POINT("takeover.after_commit");
  schema_version_ = database_->schema_version();
  schema_hash_ = schema_hash(*database_);
  data_version_ = database_->data_version();
  return recovery;
}

void Store::reclaim(Recovery& recovery, Moment now) {
  if (planted(Fault::requests_of_dead_owners_stay_open)) return;
  struct Open {
    RequestId request;
    JobId job;
    bool is_post;
  };
  std::vector<Open> left;
  SQLite::Statement& open = sql(sql::k_open_requests);
  while (open.executeStep()) {
    const std::string purpose = open.getColumn("purpose").getString();
    left.push_back({RequestId{open.getColumn("id").getInt64()},
                    JobId{open.getColumn("job_id").getInt64()},
                    purpose == name_of(Purpose::create) || purpose == name_of(Purpose::resubmit)});
  }
  for (const Open& each : left) {
    SQLite::Statement& finish = sql(sql::k_finish_request);
    finish.bind(":request", each.request.value);
    finish.bind(":at", now.wall_ms);
    finish.bind(":boot_ms", now.boot_ms);
    finish.bind(":boot_key", facts_.boot_key);
    bind_text(
        finish, ":slot",
        name_of(planted(Fault::slot_refunded_on_a_crash) ? SlotEnd::not_sent : SlotEnd::unsure));
    finish.bind(":outcome", "owner_lost");
    finish.bind(":error", "the daemon that sent it died before it recorded an outcome");
    if (planted(Fault::reclaimed_as_not_sent) && each.is_post)
      finish.bind(":resolution", "not_sent");
    finish.exec();
    if (each.is_post) {
      reclaim_post(each.job, each.request, now);
    } else {
      SQLite::Statement& release = sql(sql::k_release_lease);
      release.bind(":job", each.job.value);
      release.bind(":request", each.request.value);
      release.bind(":at", now.wall_ms);
      release.exec();
    }
    ++recovery.reclaimed;
  }
}

void Store::reclaim_post(JobId job, RequestId request, Moment now) {
  Outcome lost;
  lost.request = request;
  lost.job = job;
  lost.from = JobState::submitting;
  lost.event = planted(Fault::reclaimed_as_not_sent) ? JobEvent::not_sent : JobEvent::owner_lost;
  lost.error = "the daemon died while the POST was on the wire";
  switch (policy_.unknown_outcome) {
    case UnknownOutcome::hold: lost.hold = kHeldByPolicy; break;
    case UnknownOutcome::resubmit: lost.due_in_ms = kReclaimedDue; break;
    case UnknownOutcome::lookup:
      lost.due_in_ms = planted(Fault::lookup_before_it_settled) ? 0 : policy_.settle_ms;
      break;
  }
  move(lost, now);
}

// The means of resolving a doubt may have changed since the last run.
void Store::settle_policy_change(Moment now) {
  if (policy_.unknown_outcome == UnknownOutcome::hold) {
    SQLite::Statement& hold = sql(sql::k_hold_doubts);
    hold.bind(":hold", kHeldByPolicy);
    hold.bind(":at", now.wall_ms);
    hold.exec();
    return;
  }
  const bool looks_up = policy_.unknown_outcome == UnknownOutcome::lookup;
  SQLite::Statement& release = sql(sql::k_release_doubts);
  release.bind(":hold", kHeldByPolicy);
  release.bind(":due_at", now.wall_ms + (looks_up ? policy_.settle_ms : kReclaimedDue));
  release.bind(":at", now.wall_ms);
  release.exec();
}

void Store::save_settings() {
  SQLite::Statement& save = sql(sql::k_save_settings);
  bind_text_or_null(save, ":endpoint",
                    another_endpoint_.empty() ? policy_.endpoint : recorded_endpoint_);
  save.bind(":rate_limit", format_rate_spec(policy_.tiers));
  const auto slowest = slowest_of(policy_.tiers);
  const bool limited = slowest != policy_.tiers.end();
  bind_or_null(save, ":limit_count",
               limited ? std::optional<std::int64_t>(slowest->count) : std::nullopt);
  bind_or_null(save, ":limit_window_ms",
               limited ? std::optional<std::int64_t>(slowest->window_ms) : std::nullopt);
  save.bind(":max_retries", policy_.max_retries);
  bind_text(save, ":unknown_outcome", name_of(policy_.unknown_outcome));
  save.bind(":settle_ms", policy_.settle_ms);
  save.exec();
}

// Newest first until nothing older can be held any more. That is judged by how long the daemon was
// awake: a process that stands still (SIGSTOP), waits for the disk or is dead ends what it had
// begun only at the end of the gap, so of any gap in the ledger a second counts. Awake, a row is
// over after two requests at the latest: the first look at a status is as old as its POST and
// leaves when that is answered. Requests of another boot cannot be compared: nothing is sent before
// W' + D have passed since this boot first saw the ledger.
void Store::read_limiter_memory(Recovery& recovery, Moment now) {
  if (planted(Fault::limiter_forgets_at_a_restart)) return;
  if (policy_.tiers.empty()) return;  // no limit, no slots: of what may be millions of requests
  const Millis hold = longest_hold(policy_.tiers);
  const Millis longest =
      hold + policy_.late_arrival_ms + 2 * (policy_.http_timeout_ms + kLostAfterTimeout);
  const auto slowest = slowest_of(policy_.tiers);
  const Millis window = slowest == policy_.tiers.end() ? 0 : slowest->window_ms;
  SQLite::Statement& rows = sql(sql::k_recent_requests);
  bool another_boot = false;
  Millis awake = 0;
  std::int64_t next_sent = now.boot_ms;
  while (awake <= longest && rows.executeStep()) {
    const std::string sent_in = rows.getColumn("boot_key").getString();
    const SQLite::Column finished_in = rows.getColumn("finished_boot_key");
    const std::string ended_in = finished_in.isNull() ? sent_in : finished_in.getString();
    if (ended_in == facts_.boot_key) {
      const std::string slot = rows.getColumn("slot").getString();
      const std::int64_t ended = rows.getColumn("finished_boot_ms").getInt64();
      const std::int64_t anchor =
          slot == name_of(SlotEnd::answered) ? ended : ended + policy_.late_arrival_ms;
      const bool is_held = slot != name_of(SlotEnd::not_sent) && anchor + hold > now.boot_ms;
      if (is_held) recovery.slot_anchors_boot_ms.push_back(anchor);
      const int status = rows.getColumn("http_status").getInt();
      const bool is_accepted = slot == name_of(SlotEnd::answered) && status != 429 && status < 500;
      if (is_accepted && ended + window > now.boot_ms) recovery.accepted_boot_ms.push_back(ended);
    }
    // What another boot ended of ours left a moment unknown here, and it may have sent itself.
    another_boot = another_boot || sent_in != facts_.boot_key || ended_in != facts_.boot_key;
    if (sent_in != facts_.boot_key) break;
    const std::int64_t sent = rows.getColumn("sent_boot_ms").getInt64();
    awake += std::min(next_sent - sent, kAwakePerGap);
    next_sent = sent;
  }
  rows.reset();
  std::sort(recovery.slot_anchors_boot_ms.begin(), recovery.slot_anchors_boot_ms.end());
  std::sort(recovery.accepted_boot_ms.begin(), recovery.accepted_boot_ms.end());
  if (!forgotten_.empty())
    recovery.sends_from_boot_ms = now.boot_ms + hold + policy_.late_arrival_ms;
  if (!another_boot || planted(Fault::other_boots_forgotten)) return;
  // Not since the boot: the boot id of a container is its own, and CLOCK_BOOTTIME its host's, which
  // is up for long.
  recovery.sends_from_boot_ms =
      std::max(recovery.sends_from_boot_ms, first_boot_ms_ + hold + policy_.late_arrival_ms);
}

AccountState Store::load_account(Moment now) {
  AccountState account;
  SQLite::Statement& row = sql(sql::k_load_account);
  step_to(row, "the row of account");
  if (!row.getColumn("paused_by").isNull())
    account.paused_by = row.getColumn("paused_by").getString();
  account.paused_reason = row.getColumn("paused_reason").getString();
  account.refusals = row.getColumn("refusals").getInt();
  if (!row.getColumn("cap").isNull()) account.cap = row.getColumn("cap").getInt();
  if (!row.getColumn("ceiling").isNull()) account.ceiling = row.getColumn("ceiling").getInt();
  if (row.getColumn("cap_boot_key").getString() == facts_.boot_key) {
    account.lowered_boot_ms = row.getColumn("lowered_boot_ms").getInt64();
    account.clean_boot_ms = row.getColumn("clean_boot_ms").getInt64();
  }
  account.clean_windows = row.getColumn("clean_windows").getInt();
  const std::int64_t gate_at = row.getColumn("gate_at").getInt64();
  if (!row.getColumn("gate_boot_ms").isNull()) {
    const bool this_boot = row.getColumn("gate_boot_key").getString() == facts_.boot_key;
    const std::int64_t gate =
        this_boot ? row.getColumn("gate_boot_ms").getInt64()
                  : now.boot_ms + std::clamp(gate_at - now.wall_ms, Millis{0}, kLongestWait);
    if (gate > now.boot_ms) {
      account.gate_boot_ms = gate;
      account.gate_wall_ms = gate_at;
    }
  }
  row.reset();
  return account;
}

void Store::save(const AccountState& account, Moment now) {
  if (planted(Fault::gate_is_not_persisted)) return;
  DL_FAULT_POINT("limiter.persist");
  if (account.writes_pause) {
    SQLite::Statement& pause = sql(sql::k_save_pause);
    bind_or_null(pause, ":paused_by", account.paused_by);
    bind_or_null(
        pause, ":paused_reason",
        account.paused_by ? std::optional<std::string>(account.paused_reason) : std::nullopt);
    pause.bind(":at", now.wall_ms);
    pause.exec();
  }
  SQLite::Statement& gate = sql(sql::k_save_gate);
  gate.bind(":boot_key", facts_.boot_key);
  bind_or_null(
      gate, ":gate_boot_ms",
      account.gate_boot_ms == 0 ? std::nullopt : std::optional<std::int64_t>(account.gate_boot_ms));
  bind_or_null(
      gate, ":gate_at",
      account.gate_boot_ms == 0 ? std::nullopt : std::optional<std::int64_t>(account.gate_wall_ms));
  gate.bind(":refusals", account.refusals);
  bind_or_null(gate, ":cap",
               account.cap ? std::optional<std::int64_t>(*account.cap) : std::nullopt);
  bind_or_null(gate, ":ceiling",
               account.ceiling ? std::optional<std::int64_t>(*account.ceiling) : std::nullopt);
  bind_or_null(gate, ":lowered_boot_ms",
               account.lowered_boot_ms == 0 ? std::nullopt
                                            : std::optional<std::int64_t>(account.lowered_boot_ms));
  bind_or_null(gate, ":clean_boot_ms",
               account.clean_boot_ms == 0 ? std::nullopt
                                          : std::optional<std::int64_t>(account.clean_boot_ms));
  gate.bind(":clean_windows", account.clean_windows);
  gate.exec();
}

Result<LoadedWork> Store::load(const LoadLimits& limits, Moment now) {
  LoadedWork loaded;
  Status ok = database_->guard(database_->path(), [&]() -> Status {
    SQLite::Transaction snapshot(database_->handle());  // one view of the tables
    SQLite::Statement& ready = sql(sql::k_load_ready);
    ready.bind(":n", limits.ready + 1);
    while (ready.executeStep()) {
      if (static_cast<int>(loaded.ready.size()) == limits.ready) {
        loaded.ready_complete = false;
        break;
      }
      loaded.ready.push_back(job_ref(ready));
    }
    ready.reset();
    load_timed(sql::k_load_waiting, JobState::waiting, limits.timed, loaded, now);
    load_timed(sql::k_load_confirming, JobState::confirming, limits.timed, loaded, now);
    load_timed(sql::k_load_in_doubt, JobState::in_doubt, limits.timed, loaded, now);
    loaded.account = load_account(now);
    count_all();
    loaded.totals = totals_;
    snapshot.commit();
    return Done{};
  });
  reset_statements();
  if (!ok) return ok.error();
  return loaded;
}

void Store::load_timed(std::string_view text, JobState state, int limit, LoadedWork& loaded,
                       Moment now) {
  SQLite::Statement& rows = sql(text);
  rows.bind(":n", limit);
  rows.bind(":boot_key", facts_.boot_key);
  if (state != JobState::confirming) rows.bind(":first_boot_ms", first_boot_ms_);
  int n = 0;
  while (rows.executeStep()) {
    TimedJob timed;
    timed.job = job_ref(rows);
    timed.state = state;
    timed.due_in_ms = due_in(rows, now);
    if (state == JobState::confirming) {
      read_ages(rows, timed, now);
    } else {
      wait_until_settled(rows, timed, now);
    }
    loaded.timed.push_back(timed);
    ++n;
  }
  if (n == limit) loaded.timed_complete = false;
  rows.reset();
}

// A POST that was declared absent waits for nothing else; a doubt may have more to wait for.
void Store::wait_until_settled(SQLite::Statement& row, TimedJob& timed, Moment now) const {
  const bool settles =
      timed.state == JobState::waiting || policy_.unknown_outcome == UnknownOutcome::lookup;
  if (!settles || row.getColumn("ended_boot_ms").isNull() ||
      planted(Fault::lookup_before_it_settled))
    return;
  const Millis settled_in =
      row.getColumn("ended_boot_ms").getInt64() + policy_.settle_ms - now.boot_ms;
  const Millis least = timed.state == JobState::waiting ? Millis{0} : timed.due_in_ms;
  timed.due_in_ms = std::max(least, settled_in);
}

void Store::count_all() {
  totals_ = {};
  SQLite::Statement& rows = sql(sql::k_count_jobs);
  while (rows.executeStep()) {
    const JobState state = state_of(rows.getColumn(1));
    const JobKind kind = kind_column(rows, "kind");
    totals_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(state)] =
        rows.getColumn(2).getInt64();
  }
}

}  // namespace dl
