#include "ingest/plan.h"

#include <unordered_set>

namespace dl {
namespace {

class Planner {
 public:
  Planner(const RowReader& reader, JobLookup* lookup) : reader_(reader), lookup_(lookup) {}

  Status add(const Row& row, const RowEntities& entities) {
    bool has_stopped = false;  // it, or something above it
    for (const KindNames& names : kKinds) {
      if (names.kind > row.deepest) break;
      const Entity& entity = entities[names.kind];
      // Eight bytes an entity instead of its key: a plan may be off by one in a billion files.
      const std::size_t key = std::hash<std::string>{}(entity.key);
      if (!seen_.insert(key).second) {
        has_stopped = has_stopped || stopped_.contains(key);
        continue;
      }
      if (Status ok = judge(row, names.kind, entity, has_stopped); !ok) return ok;
      if (has_stopped) stopped_.insert(key);
    }
    return Done{};
  }

  Plan plan;

 private:
  Status judge(const Row& row, JobKind kind, const Entity& entity, bool& has_stopped) {
    Plan::OfKind& counts = plan.kinds[static_cast<std::size_t>(kind)];
    std::optional<KnownJob> known;
    if (lookup_ != nullptr) {
      Result<std::optional<KnownJob>> found = lookup_->find(entity.key, entity.body);
      if (!found) return found.error();
      known = *found;
    }
    const bool may_change = known && !known->same_content && known->may_change;
    // New values are another try for what has failed, but not for what was cancelled.
    if (known) has_stopped = has_stopped || known->state == "cancelled" || (known->state == "failed" && !may_change);
    if (has_stopped && (!known || may_change)) ++plan.at_rest;
    if (!known) {
      ++counts.create;
    } else if (known->same_content) {
      ++counts.unchanged;
    } else if (may_change) {
      ++counts.change;
    } else {
      ++counts.conflict;
      plan.conflicts.push_back(
          problem_at(row, reader_, columns_of(kind).front().column, "conflict",
                     "this " + std::string(names_of(kind).name) + " is " + known->state +
                         " already, with other values; the new ones would not be taken over"));
    }
    return Done{};
  }

  const RowReader& reader_;
  JobLookup* lookup_;
  std::unordered_set<std::size_t> seen_;
  std::unordered_set<std::size_t> stopped_;  // of them
};

}  // namespace

std::int64_t Plan::requests() const {
  std::int64_t entities = 0;
  for (const OfKind& kind : kinds) entities += kind.create + kind.change;
  return 2 * (entities - at_rest);
}

Result<Plan> make_plan(const InputFile& file, const Survey& survey, OnError policy,
                       JobLookup* lookup) {
  Problems told_before;
  Result<std::unique_ptr<RowReader>> reader = open_rows(file, survey.format, told_before);
  if (!reader) return reader.error();
  Planner planner(**reader, lookup);
  Row row;
  RowEntities entities;
  for (;;) {
    Result<bool> more = (*reader)->next(row, told_before);
    if (!more) return more.error();
    if (!*more) return std::move(planner.plan);
    const bool good = entities.take(row, **reader, told_before);
    if (!good || survey.leaves_out(policy, row.number, entities)) continue;
    if (Status ok = planner.add(row, entities); !ok) return ok.error();
  }
}

}  // namespace dl
