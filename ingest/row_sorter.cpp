#include "ingest/row_sorter.h"

#include <cstring>
#include <functional>

#include "ingest/packed.h"

namespace dl {
namespace {

constexpr std::uint32_t kUnknownPlace = std::uint32_t{1} << 31;  // and above: by a hash of the key

void append_entity(std::string& out, const PreparedEntity& entity) {
  pack_text(out, entity.key);
  pack_text(out, entity.body);
  out.append(reinterpret_cast<const char*>(entity.digest.data()), entity.digest.size());
}

void take_entity(Unpacker& parts, PreparedEntity& entity) {
  entity.key = parts.text();
  entity.body = parts.text();
  std::memcpy(entity.digest.data(), parts.bytes(entity.digest.size()).data(), entity.digest.size());
}

}  // namespace

RowSorter::Place RowSorter::place_of(const std::string& key, bool has_room) {
  if (const auto known = known_.find(key); known != known_.end()) return {known->second, false};
  if (has_room) {
    known_.emplace(key, next_place_);
    return {next_place_++, true};
  }
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string>{}(key));
  return {hash | kUnknownPlace, true};
}

Status RowSorter::add(const PreparedChunk& chunk) {
  for (std::size_t i = 0; i < chunk.count; ++i) {
    if (Status ok = add(chunk.rows[i]); !ok) return ok;
  }
  added_ += static_cast<std::int64_t>(chunk.count);
  bytes_ = chunk.bytes_read;
  return Done{};
}

Status RowSorter::add(const PreparedRow& row) {
  for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
    const auto level = static_cast<std::size_t>(kind);
    if (kind > row.deepest) break;
    const PreparedEntity& entity = row[kind];
    if (!entity.repeated) {
      parents_[level] = entity;
      // A campaign that is known has a known ad group, the first one: so its text is in the row
      // that comes first.
      const bool has_room = known_.size() + (kind == JobKind::campaign ? 2 : 1) <= parents_max_;
      places_[level] = place_of(entity.key, has_room);
    } else if (places_[level].at < kUnknownPlace) {
      places_[level].with_text = false;
    }
  }
  std::array<Place, 2> places = places_;
  // A campaign without ad groups comes behind the rows that have brought its text.
  if (row.deepest == JobKind::campaign) places[1] = {next_place_++, false};
  pack(row, places);
  const SpillSorter::Key key{std::uint64_t{places[0].at} << 32 | places[1].at,
                             static_cast<std::uint64_t>(row.number)};
  return rows_.add(key, record_);
}

Status RowSorter::finish() {
  known_ = {};  // only add() needs them
  return rows_.finish();
}

void RowSorter::pack(const PreparedRow& row, const std::array<Place, 2>& places) {
  record_.clear();
  pack_number(record_, row.number);
  pack_number(record_, row.line);
  pack_number(record_, row.deepest);
  pack_text(record_, row.differences);
  for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
    if (kind > row.deepest) break;
    const auto level = static_cast<std::size_t>(kind);
    pack_number(record_, places[level].with_text);
    if (places[level].with_text) append_entity(record_, parents_[level]);
  }
  if (row.deepest == JobKind::ad) append_entity(record_, row[JobKind::ad]);
}

void RowSorter::unpack(std::string_view record, PreparedRow& row) {
  Unpacker parts(record);
  row.number = parts.number<std::int64_t>();
  row.line = parts.number<std::int64_t>();
  row.deepest = parts.number<JobKind>();
  row.differences = parts.text();
  for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
    if (kind > row.deepest) break;
    const auto level = static_cast<std::size_t>(kind);
    PreparedEntity& entity = row[kind];
    entity.repeated = !parts.number<bool>();
    if (entity.repeated) continue;
    take_entity(parts, entity);
    entity.repeated = entity.key == given_[level];  // of those that always bring their text
    given_[level] = entity.key;
  }
  if (row.deepest == JobKind::ad) take_entity(parts, row[JobKind::ad]);
}

Result<bool> RowSorter::fill(PreparedChunk& chunk) {
  chunk.clear();
  bool more_rows = true;
  while (more_rows && !chunk.is_full()) {
    std::string_view record;
    Result<bool> more = rows_.next(record);
    if (!more) return more;
    more_rows = *more;
    if (!more_rows) break;
    unpack(record, chunk.next_row());
    chunk.add();
    ++taken_;
  }
  if (added_ > 0) chunk.bytes_read = bytes_ / 2 + bytes_ / 2 * taken_ / added_;
  return more_rows;
}

}  // namespace dl
