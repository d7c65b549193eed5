// The user's rows of a sheet that is not loaded in its own order: kept, in bounded memory, until
// they can be written in the order of the sheet, which is that of their table. Thread rule: one
// thread.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "ingest/spill_sorter.h"
#include "storage/batch_writer.h"

namespace dl {

class LateRows {
 public:
  explicit LateRows(std::size_t memory) : rows_(memory) {}

  // Errors: as SpillSorter.
  Status add(const BatchRow& row);
  Status finish() { return rows_.finish(); }
  // At most `count` rows, until the next call; none: that was all.
  Result<std::vector<BatchRow>> next(std::size_t count);

 private:
  SpillSorter rows_;
  std::string record_;
  std::deque<std::string> raws_;  // that the rows given last borrow
};

}  // namespace dl
