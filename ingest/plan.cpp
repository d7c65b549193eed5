#include "ingest/plan.h"

#include <utility>

#include "ingest/body.h"

namespace dl {

std::int64_t Plan::requests() const {
  std::int64_t entities = 0;
  for (const OfKind& kind : kinds) entities += kind.create + kind.change;
  return 2 * (entities - at_rest - counted_before);
}

std::int64_t Plan::changed() const {
  std::int64_t changed = 0;
  for (const OfKind& kind : kinds) changed += kind.change;
  return changed;
}

Status Planner::add(const Row& row, const RowReader& reader, const RowEntities& entities,
                    Plan& plan) {
  Way way = Way::goes_on;
  for (const KindNames& names : kKinds) {
    if (names.kind > row.deepest) break;
    const Entity& entity = entities[names.kind];
    Seen& seen = seen_[std::hash<std::string>{}(entity.key)];
    if (seen.file != file_) {
      if (Status ok = judge(row, reader, names.kind, entity, way, seen, plan); !ok) return ok;
    }
    way = seen.way;
  }
  ++plan.rows.rows;
  switch (way) {
    case Way::goes_on: break;
    case Way::failed: ++plan.rows.failed; break;
    case Way::cancelled: ++plan.rows.cancelled; break;
    case Way::held: ++plan.rows.held; break;
    case Way::stuck: ++plan.rows.stuck; break;
  }
  return Done{};
}

// As ingest_row_fates.sql will judge it after the load. New values are another try for what has
// failed, but not for what was cancelled.
Planner::Way Planner::way_of(const std::optional<KnownJob>& known, Way above) {
  if (known) {
    const bool is_retried = known->state == "failed" && !known->same_content && known->may_change;
    if (known->state == "cancelled") return Way::cancelled;
    if (known->state == "failed" && !is_retried) return Way::failed;
    if (known->is_held) return Way::held;
    if (known->state != "blocked" && !is_retried) return Way::goes_on;
  }
  return above == Way::goes_on ? Way::goes_on : Way::stuck;
}

Result<std::optional<KnownJob>> Planner::look_up(const Entity& entity) {
  if (lookup_ == nullptr) return std::optional<KnownJob>();
  return lookup_->find(entity.key, entity.body);
}

void Planner::tell_change(const Row& row, const RowReader& reader, JobKind kind,
                          const Entity& entity, const KnownJob& known, Plan& plan) {
  if (plan.changes_told == PublishNews::kChangesTold) return;
  ++plan.changes_told;
  for (const ValueChange& value : value_changes(kind, known.body, entity.body)) {
    Problem change = problem_at(row, reader, value.column, "changed",
                                "is \"" + value.before + "\", and would be");
    change.value = value.now;
    change.has_value = true;
    plan.changes.push_back(std::move(change));
  }
}

// What the earlier file has is gone but for its hash.
void Planner::tell_contradiction(const Row& row, const RowReader& reader, JobKind kind,
                                 Plan& plan) {
  ++plan.contradictions;
  if (plan.changes_told == PublishNews::kChangesTold) return;
  ++plan.changes_told;
  Problem change =
      problem_at(row, reader, columns_of(kind).front().column, "changed",
                 "an earlier file of this command has other values for this " +
                     std::string(names_of(kind).name) + ", and these would take their place");
  plan.changes.push_back(std::move(change));
}

Status Planner::judge(const Row& row, const RowReader& reader, JobKind kind, const Entity& entity,
                      Way above, Seen& seen, Plan& plan) {
  Plan::OfKind& counts = plan.kinds[static_cast<std::size_t>(kind)];
  const std::uint32_t body = static_cast<std::uint32_t>(std::hash<std::string>{}(entity.body)) | 1U;
  const std::uint32_t body_before = std::exchange(seen.body, body);
  const bool has_before = std::exchange(seen.file, file_) != 0;
  if (body_before != 0) {
    ++(body_before == body ? counts.unchanged : counts.change);
    const Way way_before = seen.way;
    // What an earlier file brought is new, or was changed, which only "cancelled" outlives.
    if (seen.way != Way::cancelled) seen.way = way_of(std::nullopt, above);
    if (body_before == body) return Done{};
    if (way_before == Way::goes_on) {
      ++plan.counted_before;
    } else if (seen.way != Way::goes_on) {
      ++plan.at_rest;
    }
    tell_contradiction(row, reader, kind, plan);
    return Done{};
  }
  const Result<std::optional<KnownJob>> found = look_up(entity);
  if (!found) return found.error();
  const std::optional<KnownJob>& known = *found;
  const bool may_change = known && !known->same_content && known->may_change;
  seen.way = way_of(known, above);
  if (seen.way != Way::goes_on && (!known || may_change)) ++plan.at_rest;
  if (!known) {
    ++counts.create;
  } else if (known->same_content) {
    ++counts.unchanged;
    seen.body = 0;
  } else if (may_change) {
    ++counts.change;
    tell_change(row, reader, kind, entity, *known, plan);
    if (has_before) ++plan.contradictions;
  } else {
    ++counts.conflict;
    seen.body = 0;
    plan.conflicts.push_back(
        problem_at(row, reader, columns_of(kind).front().column, "conflict",
                   "this " + std::string(names_of(kind).name) + " is " + known->state +
                       " already, with other values; the new ones would not be taken over"));
  }
  return Done{};
}

Result<Plan> Planner::plan(const InputFile& file, const Survey& survey, OnError policy) {
  Problems told_before;
  Result<std::unique_ptr<RowReader>> reader = open_rows(file, survey.format, told_before);
  if (!reader) return reader.error();
  ++file_;
  Plan plan;
  Row row;
  RowEntities entities;
  for (;;) {
    Result<bool> more = (*reader)->next(row, told_before);
    if (!more) return more.error();
    if (!*more) return plan;
    const bool good = entities.take(row, **reader, told_before);
    if (!good || survey.leaves_out(policy, row.number, entities)) continue;
    if (Status ok = add(row, **reader, entities, plan); !ok) return ok.error();
  }
}

}  // namespace dl
