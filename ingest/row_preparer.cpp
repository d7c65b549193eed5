#include "ingest/row_preparer.h"

namespace dl {
namespace {

Error changed_meanwhile() {
  return {Errc::busy, "the file changed while it was being loaded; try again"};
}

}  // namespace

RowPreparer::RowPreparer(RowReader& reader, const Survey& survey, OnError policy, Rejects& rejects)
    : reader_(reader),
      survey_(survey),
      policy_(policy),
      rejects_(rejects),
      user_rows_(survey.header) {}

Result<bool> RowPreparer::fill(PreparedChunk& chunk) {
  chunk.clear();
  bool more_rows = true;
  while (more_rows && !chunk.is_full()) {
    Row row;
    Result<bool> more = reader_.next(row, told_before_);
    if (!more) return more;
    more_rows = *more;
    if (!more_rows) break;
    if (Status ok = prepare(row, chunk); !ok) return ok.error();
  }
  chunk.bytes_read = reader_.bytes_read();
  return more_rows;
}

Status RowPreparer::prepare(const Row& row, PreparedChunk& chunk) {
  const bool good = entities_.take(row, reader_, told_before_);
  if (survey_.leaves_out(policy_, row.number, entities_)) {
    for (const KindNames& names : kKinds) {
      const auto level = static_cast<std::size_t>(names.kind);
      known_[level] = known_[level] && names.kind <= row.deepest && entities_[names.kind].repeated;
    }
    return rejects_.add(row, reader_);
  }
  if (!good) return changed_meanwhile();
  PreparedRow& prepared = chunk.next_row();
  prepared.number = row.number;
  prepared.line = row.line;
  prepared.deepest = row.deepest;
  std::bitset<kColumnCount> altered;
  for (const KindNames& names : kKinds) {
    const auto level = static_cast<std::size_t>(names.kind);
    if (names.kind > row.deepest) {
      known_[level] = false;
      continue;
    }
    const Entity& entity = entities_[names.kind];
    PreparedEntity& out = prepared[names.kind];
    altered |= entity.altered;
    out.repeated = names.kind != JobKind::ad && entity.repeated && known_[level];
    known_[level] = true;
    if (out.repeated) continue;
    out.key = entity.key;
    out.body = entity.body;
    out.digest = sha256(entity.body);
  }
  user_rows_.differences(reader_.fields(), altered, prepared.differences);
  chunk.add();
  return Done{};
}

}  // namespace dl
