#include "ingest/plan.h"

#include <utility>

namespace dl {

std::int64_t Plan::requests() const {
  std::int64_t entities = 0;
  for (const OfKind& kind : kinds) entities += kind.create + kind.change;
  return 2 * (entities - at_rest);
}

Status Planner::add(const Row& row, const RowReader& reader, const RowEntities& entities, Plan& plan) {
  bool has_stopped = false;  // it, or something above it
  for (const KindNames& names : kKinds) {
    if (names.kind > row.deepest) break;
    const Entity& entity = entities[names.kind];
    Seen& seen = seen_[std::hash<std::string>{}(entity.key)];
    seen.has_stopped = seen.has_stopped || has_stopped;
    if (seen.file != file_) {
      if (Status ok = judge(row, reader, names.kind, entity, seen, plan); !ok) return ok;
    }
    has_stopped = seen.has_stopped;
  }
  return Done{};
}

Status Planner::judge(const Row& row, const RowReader& reader, JobKind kind, const Entity& entity, Seen& seen, Plan& plan) {
  Plan::OfKind& counts = plan.kinds[static_cast<std::size_t>(kind)];
  const std::uint32_t body = static_cast<std::uint32_t>(std::hash<std::string>{}(entity.body)) | 1U;
  const std::uint32_t body_before = std::exchange(seen.body, body);
  seen.file = file_;
  if (body_before != 0) {
    ++(body_before == body ? counts.unchanged : counts.change);
    if (seen.has_stopped && body_before != body) ++plan.at_rest;
    return Done{};
  }
  std::optional<KnownJob> known;
  if (lookup_ != nullptr) {
    Result<std::optional<KnownJob>> found = lookup_->find(entity.key, entity.body);
    if (!found) return found.error();
    known = *found;
  }
  const bool may_change = known && !known->same_content && known->may_change;
  // New values are another try for what has failed, but not for what was cancelled.
  if (known && (known->state == "cancelled" || (known->state == "failed" && !may_change))) seen.has_stopped = true;
  if (seen.has_stopped && (!known || may_change)) ++plan.at_rest;
  if (!known) {
    ++counts.create;
  } else if (known->same_content) {
    ++counts.unchanged;
    seen.body = 0;
  } else if (may_change) {
    ++counts.change;
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
