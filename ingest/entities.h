// A row becomes a campaign, an ad group and an ad: checked values, hierarchical keys, bodies for
// the DSP without any parent's id. What a row repeats from the row before is not done again. Pure;
// thread rule: one thread an object.
#pragma once

#include <array>
#include <bitset>
#include <string>
#include <string_view>

#include "ingest/row.h"
#include "storage/model/job.h"

namespace dl {

struct Entity {
  std::string key;                    // storage/model/job.h; empty where an id in it is not valid
  std::string body;                   // JSON object; begins with {"id": and has no parent's id
  bool valid = false;                 // all values passed
  std::bitset<kColumnCount> altered;  // values that the body has in another form than the row
  bool repeated = false;              // the same as in the row before
};

class RowEntities {
 public:
  RowEntities() = default;
  // `points`: what is known of the input's.
  explicit RowEntities(const Points& points) : points_(points) {}

  // Takes the next row. Problems of its values are added with their place. True if there are none.
  bool take(const Row& row, const RowReader& reader, Problems& problems);

  // Of the row taken last; only up to its deepest kind.
  const Entity& operator[](JobKind kind) const { return levels_[index(kind)].entity; }
  JobKind deepest() const { return deepest_; }
  // What points are by the values of all rows so far.
  Points points_by_values() const { return signs_.points(); }

 private:
  struct Level {
    Entity entity;
    std::array<std::string, 6> raw;      // the values it was made of
    std::array<std::string, 6> scratch;  // for normal forms
  };
  static std::size_t index(JobKind kind) { return static_cast<std::size_t>(kind); }
  bool is_repeated(JobKind kind, const Row& row) const;
  void make(JobKind kind, const Row& row, const RowReader& reader, Problems& problems);

  std::array<Level, 3> levels_;
  JobKind deepest_ = JobKind::ad;
  Points points_{};
  DecimalSigns signs_;
};

// A problem at the value of `column`.
Problem problem_at(const Row& row, const RowReader& reader, Column column, std::string_view code,
                   std::string message);

}  // namespace dl
