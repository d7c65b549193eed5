// The body of an entity for the DSP, as ingest stores it: without the ids of parents, which are put
// in behind the first '{' when it is sent, so it always begins with {"id":. And the way back, from
// stored bodies to the values of a row. Pure; callable from any thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/columns.h"

namespace dl {

// `values`: normal forms in the order of columns_of(kind).
//   {"id":"ag_1","name":"A","bid":2.5,"targeting":{"ages":"18-24","interests":"","geo":"UK"}}
void render_body(JobKind kind, std::span<const std::string_view> values, std::string& body);

using RowValues = std::array<std::string, kColumnCount>;

// Puts the values of `body`, made by render_body, into `values`. Unknown fields are ignored.
void read_body(JobKind kind, std::string_view body, RowValues& values);

// A value that two bodies of one entity have differently, as told_apart() (look_alike.h) shows it.
struct ValueChange {
  Column column;
  std::string before;
  std::string now;
};
// In the order of the columns.
std::vector<ValueChange> value_changes(JobKind kind, std::string_view body_before,
                                       std::string_view body);

}  // namespace dl
