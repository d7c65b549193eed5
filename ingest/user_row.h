// A user's row put together again from what is stored (batch_row.raw): from the bodies of its
// campaign, ad group and ad; or from them and the fields that they have in another form, a JSON
// object of text by position in the header
// ({"2":"15000.00"}); or, where a body is no longer that of the row, as it was, a JSON array of its
// fields. Thread rule: one thread an object.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/body.h"

namespace dl {

std::string json_array_of(const std::vector<std::string>& texts);
// The texts of a JSON array of strings.
std::vector<std::string> texts_of(const std::string& json_array);

class UserRows {
 public:
  // `header`: JSON array of the user's column names; none: our columns, as for JSON input.
  explicit UserRows(const std::optional<std::string>& header);
  explicit UserRows(std::vector<std::string> header);  // empty: our columns

  const std::vector<std::string>& header() const { return header_; }
  // Ours, of each of them.
  const std::vector<std::optional<Column>>& columns() const { return columns_; }

  // What of `fields` the bodies do not give back, as the JSON object above; empty: they give back
  // all. `altered`: the columns whose values they have in another form.
  void differences(const std::vector<std::string_view>& fields,
                   const std::bitset<kColumnCount>& altered, std::string& object) const;

  // The fields under header(). `raw`: as stored; `bodies`: campaign, ad group, ad; empty where the
  // row has none.
  std::vector<std::string> fields(const std::optional<std::string>& raw,
                                  const std::array<std::string, 3>& bodies);

  // The row as it was, from the same, as a JSON array.
  std::string whole(const std::optional<std::string>& raw,
                    const std::array<std::string, 3>& bodies);

 private:
  void replace(const std::string& differences, std::vector<std::string>& fields) const;

  std::vector<std::string> header_;
  std::vector<std::optional<Column>> columns_;  // of each header
  std::array<std::string, 3> bodies_;           // that values_ were read from
  RowValues values_;
};

}  // namespace dl
