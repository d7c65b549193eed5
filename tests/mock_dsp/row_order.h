// The rows of a sheet (one an ad) in an order, computed and not kept: a sheet of ten million
// shuffled rows takes no more memory than one of ten. Where sizes vary it keeps 8 bytes a campaign.
// Pure. Thread rule: a plain value.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/mock_dsp/sheet.h"

namespace dl::mock {

struct Place {  // of an ad; each counted from 0
  std::int64_t campaign = 0;
  std::int64_t group = 0;
  std::int64_t ad = 0;
};

// How many there are under each.
struct RowSizes {
  std::int64_t campaigns = 0;
  std::function<std::int64_t(std::int64_t campaign)> ad_groups_of;
  std::function<std::int64_t(std::int64_t campaign, std::int64_t group)> ads_of;
};

// A permutation of 0 to size - 1 that is computed, not kept: a Feistel network over the next even
// number of bits, walked on until it falls inside. Every seed gives another one.
class Permutation {
 public:
  Permutation(std::uint64_t size, std::uint64_t seed);
  std::uint64_t at(std::uint64_t index) const;  // `index` < size

 private:
  std::uint64_t step(std::uint64_t value) const;
  std::uint64_t size_;
  std::uint64_t seed_;
  int half_bits_ = 1;
};

class RowOrderWalk {
 public:
  RowOrderWalk(RowSizes sizes, RowOrder order, std::uint64_t seed);

  // Calls `row` for every row in the order, until it returns false.
  void each(const std::function<bool(const Place&)>& row) const;

 private:
  std::int64_t rows_of(std::int64_t campaign) const;
  Place place_in(std::int64_t campaign, std::int64_t row) const;
  Place place_of(std::int64_t row) const;
  void each_ordered(const std::function<bool(const Place&)>& row) const;
  void each_interleaved(const std::function<bool(const Place&)>& row) const;
  void each_shuffled(const std::function<bool(const Place&)>& row) const;

  RowSizes sizes_;
  RowOrder order_;
  std::uint64_t seed_;
  std::vector<std::int64_t> first_row_;  // of each campaign, and one past the last
};

}  // namespace dl::mock
