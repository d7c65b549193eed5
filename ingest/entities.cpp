#include "ingest/entities.h"

#include "ingest/body.h"
#include "ingest/values.h"

namespace dl {
namespace {

// The key of an entity, by its parent's.
void make_key(const std::string* parent, std::string_view id, std::string& key) {
  key.clear();
  if (parent != nullptr) {
    if (parent->empty()) return;
    key = *parent + '/';
  }
  key += job_key({id});
}

}  // namespace

Problem problem_at(const Row& row, const RowReader& reader, Column column, std::string_view code,
                   std::string message) {
  const ValuePlace place = reader.place_of(row, column);
  return {place.line,
          row.sheet_row,
          place.column,
          std::string(code),
          std::move(message),
          std::string(row[column]),
          true,
          row.number};
}

bool RowEntities::take(const Row& row, const RowReader& reader, Problems& problems) {
  deepest_ = row.deepest;
  bool all_valid = !row.is_refused;
  bool parents_repeated = true;
  for (const KindNames& names : kKinds) {
    if (names.kind > row.deepest) {
      levels_[index(names.kind)].entity = Entity{};
      continue;
    }
    Entity& entity = levels_[index(names.kind)].entity;
    if (names.kind < row.first_new) {
      entity.repeated = true;
      all_valid = all_valid && entity.valid;
      continue;
    }
    parents_repeated = parents_repeated && entity.valid && is_repeated(names.kind, row);
    entity.repeated = parents_repeated;
    if (!parents_repeated) make(names.kind, row, reader, problems);
    all_valid = all_valid && entity.valid;
  }
  return all_valid;
}

bool RowEntities::is_repeated(JobKind kind, const Row& row) const {
  const Level& level = levels_[index(kind)];
  std::size_t i = 0;
  for (const ColumnRule& rule : columns_of(kind)) {
    // its text is empty, as of one that is absent
    if (row.refused[index_of(rule.column)]) return false;
    if (level.raw[i++] != row[rule.column]) return false;
  }
  return true;
}

void RowEntities::make(JobKind kind, const Row& row, const RowReader& reader, Problems& problems) {
  Level& level = levels_[index(kind)];
  Entity& entity = level.entity;
  entity.valid = true;
  entity.altered.reset();
  std::array<std::string_view, 6> values;  // normal forms
  Flaw id_flaw = Flaw::none;
  std::size_t i = 0;
  for (const ColumnRule& rule : columns_of(kind)) {
    const std::string_view raw = row[rule.column];
    level.raw[i] = raw;
    const bool is_number = row.numbers[index_of(rule.column)];
    const Point point = is_number ? Point::decimal : points_[index_of(rule.column)];
    const CheckedValue checked = check_value(rule.rule, level.raw[i], level.scratch[i], point);
    values[i] = checked.text;
    if (rule.rule == ValueRule::id) id_flaw = checked.flaw;
    if (row.refused[index_of(rule.column)]) {
      entity.valid = false;
      if (rule.rule == ValueRule::id) id_flaw = Flaw::missing_value;
    } else if (checked.flaw != Flaw::none) {
      problems.add(problem_at(row, reader, rule.column, words_of(checked.flaw).code,
                              message_for(checked.flaw, raw)));
      entity.valid = false;
      signs_.take_refused(rule.rule, raw);
    } else {
      if (rule.rule == ValueRule::money && !is_number) signs_.take_number(rule.column, raw);
      if (checked.text != raw) entity.altered.set(index_of(rule.column));
    }
    ++i;
  }
  const std::string* parent =
      kind == JobKind::campaign ? nullptr : &levels_[index(kind) - 1].entity.key;
  entity.key.clear();
  if (id_flaw == Flaw::none) make_key(parent, values[0], entity.key);
  if (kind == JobKind::campaign && entity.valid) {
    const std::string_view start = values[index_of(Column::start_date)];
    if (start > values[index_of(Column::end_date)]) {
      problems.add(problem_at(row, reader, Column::end_date, "date_order",
                              "is before the start, " + std::string(start)));
      entity.valid = false;
    }
  }
  if (entity.valid) render_body(kind, values, entity.body);
}

}  // namespace dl
