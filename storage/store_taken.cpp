// Whether an id that a lookup has found is another job's. Many a DSP ignores a query that it does
// not know, and lists what it has. Where the entity says our external_id it is ours, wherever it
// stands; where it says nothing, any other job of the kind that has this id may be the one that was
// found. Only a DSP that counts ids anew below each parent has reason to hand out one twice, and
// there a person has to say which it is.
#include <algorithm>

#include "queries_sql.h"
#include "storage/store.h"
#include "storage/store_columns.h"

namespace dl {
namespace {

bool is_found_without_proof(const Outcome& outcome) {
  return outcome.event == JobEvent::found && !outcome.id_is_proved;
}

}  // namespace

// Once a commit, for what it finds costs a look at every job.
void Store::find_holders(std::span<const WorkBatch> batches) {
  holders_.clear();
  for (const WorkBatch& batch : batches) {
    for (const Outcome& outcome : batch.outcomes) {
      if (is_found_without_proof(outcome)) holders_[*outcome.dsp_id];
    }
  }
  if (!holders_.empty()) read_holders();
}

void Store::read_holders() {
  std::string ids;  // what is legal in an id needs no escape
  for (const auto& [id, jobs] : holders_) ids += (ids.empty() ? "[\"" : ",\"") + id + '"';
  SQLite::Statement& rows = sql(sql::k_jobs_with_ids);
  rows.bind(":ids", ids + ']');
  while (rows.executeStep()) {
    note_holder(rows.getColumn(2).getString(), JobId{rows.getColumn(0).getInt64()},
                kind_column(rows, "kind"));
  }
  rows.reset();
}

// Of a kind two are enough: at most one of them is who asks.
void Store::note_holder(const std::string& dsp_id, JobId job, JobKind kind) {
  const auto at = holders_.find(dsp_id);
  if (at == holders_.end()) return;
  std::vector<Holder>& jobs = at->second;
  const bool is_known = std::ranges::find(jobs, job, &Holder::job) != jobs.end();
  if (!is_known && std::ranges::count(jobs, kind, &Holder::kind) < 2) jobs.push_back({job, kind});
}

std::optional<JobId> Store::other_holder(const std::string& dsp_id, JobId job) {
  const std::vector<Holder>& jobs = holders_.at(dsp_id);
  const JobKind kind = named(job).kind;
  const auto other = std::ranges::find_if(
      jobs, [&](const Holder& each) { return each.kind == kind && each.job != job; });
  return other == jobs.end() ? std::nullopt : std::optional(other->job);
}

Store::Named Store::named(JobId job) {
  SQLite::Statement& row = sql(sql::k_named_job);
  row.bind(":job", job.value);
  step_to(row, "a job");
  Named named{kind_column(row, "kind"), row.getColumn("key").getString()};
  row.reset();
  return named;
}

// The outcome in its place. Nothing: the id is free.
std::optional<Outcome> Store::unless_taken(const Outcome& found) {
  SQLite::Statement& row = sql(sql::k_id_taken_by);
  row.bind(":job", found.job.value);
  row.bind(":dsp_id", *found.dsp_id);
  std::optional<JobId> other;
  if (row.executeStep()) other = JobId{row.getColumn(0).getInt64()};
  row.reset();
  if (!other && is_found_without_proof(found)) other = other_holder(*found.dsp_id, found.job);
  if (!other) return std::nullopt;
  Outcome held = found;
  held.event.reset();
  held.dsp_id.reset();
  held.resolution.reset();
  held.due_in_ms.reset();
  held.error = "the lookup found " + *found.dsp_id + ", which is job " +
               std::to_string(other->value) + " (" + named(*other).key + ")";
  held.hold = held.error + "; does the DSP ignore the query?";
  return held;
}

Result<std::string> Store::other_with_id(JobId job, const std::string& dsp_id) {
  std::string words;
  const Status ok = database_->guard(database_->path(), [&]() -> Status {
    holders_ = {{dsp_id, {}}};
    read_holders();
    if (const std::optional<JobId> other = other_holder(dsp_id, job))
      words = "job " + std::to_string(other->value) + " (" + named(*other).key + ")";
    return Done{};
  });
  reset_statements();
  if (!ok) return ok.error();
  return words;
}

}  // namespace dl
