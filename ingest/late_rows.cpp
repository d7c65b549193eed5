#include "ingest/late_rows.h"

#include "ingest/packed.h"

namespace dl {

Status LateRows::add(const BatchRow& row) {
  record_.clear();
  pack_number(record_, row.number);
  pack_number(record_, row.line);
  pack_number(record_, row.job.value);
  if (row.raw != nullptr) pack_text(record_, *row.raw);
  return rows_.add({0, static_cast<std::uint64_t>(row.number)}, record_);
}

Result<std::vector<BatchRow>> LateRows::next(std::size_t count) {
  std::vector<BatchRow> rows;
  raws_.clear();
  while (rows.size() < count) {
    std::string_view record;
    Result<bool> more = rows_.next(record);
    if (!more) return more.error();
    if (!*more) break;
    Unpacker parts(record);
    BatchRow& row = rows.emplace_back();
    row.number = parts.number<std::int64_t>();
    row.line = parts.number<std::int64_t>();
    row.job = JobId{parts.number<std::int64_t>()};
    if (!parts.is_empty()) row.raw = &raws_.emplace_back(parts.text());
  }
  return rows;
}

}  // namespace dl
