#include "ingest/prepared_row.h"

namespace dl {
namespace {

constexpr std::size_t kBulky = 4 * 1024;

}  // namespace

std::size_t PreparedRow::bytes() const {
  std::size_t sum = differences.size();
  for (const KindNames& names : kKinds) {
    if (names.kind > deepest) break;
    const PreparedEntity& entity = (*this)[names.kind];
    if (!entity.repeated) sum += entity.key.size() + entity.body.size();
  }
  return sum;
}

void PreparedChunk::clear() {
  rows.resize(kRowsMax);
  count = bytes = 0;
  is_bulky = false;
}

void PreparedChunk::add() {
  const std::size_t added = rows[count++].bytes();
  bytes += added;
  is_bulky = is_bulky || added > kBulky;
}

}  // namespace dl
