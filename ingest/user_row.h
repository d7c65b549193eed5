// A user's row put together again from what is stored: as it was kept, or from the bodies of its
// campaign, ad group and ad. Thread rule: one thread an object.
#pragma once

#include <array>
#include <optional>
#include <string>
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

  const std::vector<std::string>& header() const { return header_; }

  // The fields under header(). `raw`: JSON array of them; none: from `bodies` (campaign, ad group,
  // ad; empty where the row has none).
  std::vector<std::string> fields(const std::optional<std::string>& raw,
                                  const std::array<std::string, 3>& bodies);

 private:
  std::vector<std::string> header_;
  std::vector<std::optional<Column>> columns_;  // of each header
  std::array<std::string, 3> bodies_;           // that values_ were read from
  RowValues values_;
};

}  // namespace dl
