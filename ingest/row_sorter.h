// Rows in the order in which they will be worked on: campaign by campaign, ad group by ad group,
// each in the order in which the file first has it. A sheet in another order would touch nearly
// every page of nearly every index in every transaction, when it is loaded and again when its jobs
// run. Memory is bounded; what does not fit is in a temporary file. Thread rule: one thread at a
// time: first add(), then finish(), then fill().
#pragma once

#include <array>
#include <string>
#include <unordered_map>

#include "ingest/prepared_row.h"
#include "ingest/spill_sorter.h"

namespace dl {

class RowSorter final : public ChunkSource {
 public:
  // `memory`: for rows; `parents_max`: campaigns and ad groups whose place is known, about 150
  // bytes each. Those beyond come last, each with its rows together.
  RowSorter(std::size_t memory, std::size_t parents_max)
      : rows_(memory), parents_max_(parents_max) {}

  // The next chunk in the order of the file. Errors: as SpillSorter::add().
  Status add(const PreparedChunk& chunk);
  Status finish();

  // `bytes_read` goes from half of the input to all of it: adding was the first half.
  Result<bool> fill(PreparedChunk& chunk) override;

 private:
  // Where a campaign or an ad group stands among its like.
  struct Place {
    std::uint32_t at = 0;
    bool with_text = false;  // the row brings its parent's text along
  };
  Place place_of(const std::string& key, bool has_room);
  Status add(const PreparedRow& row);
  void pack(const PreparedRow& row, const std::array<Place, 2>& places);
  void unpack(std::string_view record, PreparedRow& row);

  SpillSorter rows_;
  std::size_t parents_max_;
  std::unordered_map<std::string, std::uint32_t> known_;
  std::uint32_t next_place_ = 0;
  std::array<PreparedEntity, 2> parents_;  // of the row added last
  std::array<Place, 2> places_;            // theirs
  std::string record_;
  std::int64_t added_ = 0;  // rows
  std::int64_t taken_ = 0;
  std::int64_t bytes_ = 0;            // of the input, in the rows added
  std::array<std::string, 2> given_;  // keys of the parents of the row that fill() gave last
};

}  // namespace dl
