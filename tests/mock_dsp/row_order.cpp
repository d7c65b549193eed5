#include "tests/mock_dsp/row_order.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "tests/mock_dsp/random.h"

namespace dl::mock {
namespace {

constexpr std::uint64_t kRounds = 4;

}  // namespace

Permutation::Permutation(std::uint64_t size, std::uint64_t seed)
    : size_(size),
      seed_(mixed(seed)),
      half_bits_(static_cast<int>(std::bit_width(std::max<std::uint64_t>(size, 2) - 1) + 1) / 2) {}

std::uint64_t Permutation::step(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_;
  std::uint64_t right = value & mask;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    const std::uint64_t next = left ^ (mixed(right + seed_ + (round << 56)) & mask);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

std::uint64_t Permutation::at(std::uint64_t index) const {
  std::uint64_t value = step(index);
  while (value >= size_) value = step(value);
  return value;
}

RowOrderWalk::RowOrderWalk(RowSizes sizes, RowOrder order, std::uint64_t seed)
    : sizes_(std::move(sizes)), order_(order), seed_(seed) {
  if (order_ == RowOrder::ordered) return;
  first_row_.reserve(static_cast<std::size_t>(sizes_.campaigns) + 1);
  first_row_.push_back(0);
  for (std::int64_t c = 0; c < sizes_.campaigns; ++c) {
    std::int64_t rows = 0;
    for (std::int64_t g = 0, groups = sizes_.ad_groups_of(c); g < groups; ++g) {
      rows += sizes_.ads_of(c, g);
    }
    first_row_.push_back(first_row_.back() + rows);
  }
}

std::int64_t RowOrderWalk::rows_of(std::int64_t campaign) const {
  const auto at = static_cast<std::size_t>(campaign);
  return first_row_[at + 1] - first_row_[at];
}

Place RowOrderWalk::place_in(std::int64_t campaign, std::int64_t row) const {
  std::int64_t group = 0;
  for (;; ++group) {
    const std::int64_t ads = sizes_.ads_of(campaign, group);
    if (row < ads) return {campaign, group, row};
    row -= ads;
  }
}

Place RowOrderWalk::place_of(std::int64_t row) const {
  const auto after = std::upper_bound(first_row_.begin(), first_row_.end(), row);
  const auto campaign = std::distance(first_row_.begin(), after) - 1;
  return place_in(campaign, row - first_row_[static_cast<std::size_t>(campaign)]);
}

void RowOrderWalk::each(const std::function<bool(const Place&)>& row) const {
  switch (order_) {
    case RowOrder::ordered: return each_ordered(row);
    case RowOrder::interleaved: return each_interleaved(row);
    case RowOrder::shuffled: return each_shuffled(row);
  }
}

void RowOrderWalk::each_ordered(const std::function<bool(const Place&)>& row) const {
  for (std::int64_t c = 0; c < sizes_.campaigns; ++c) {
    for (std::int64_t g = 0, groups = sizes_.ad_groups_of(c); g < groups; ++g) {
      for (std::int64_t a = 0, ads = sizes_.ads_of(c, g); a < ads; ++a) {
        if (!row({c, g, a})) return;
      }
    }
  }
}

void RowOrderWalk::each_interleaved(const std::function<bool(const Place&)>& row) const {
  std::int64_t longest = 0;
  for (std::int64_t c = 0; c < sizes_.campaigns; ++c) longest = std::max(longest, rows_of(c));
  for (std::int64_t i = 0; i < longest; ++i) {
    for (std::int64_t c = 0; c < sizes_.campaigns; ++c) {
      if (i < rows_of(c) && !row(place_in(c, i))) return;
    }
  }
}

void RowOrderWalk::each_shuffled(const std::function<bool(const Place&)>& row) const {
  const auto rows = static_cast<std::uint64_t>(first_row_.back());
  const Permutation order(rows, seed_);
  for (std::uint64_t i = 0; i < rows; ++i) {
    if (!row(place_of(static_cast<std::int64_t>(order.at(i))))) return;
  }
}

}  // namespace dl::mock
