// Makes sheets of campaigns, ad groups and ads that are valid input of dl-ingest. Every value is a
// pure function of the seed and the place, so one shape gives one text. Pure; callable from any
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "storage/model/result.h"

namespace dl::mock {

enum class RowOrder {
  ordered,      // campaign by campaign
  interleaved,  // the first ad of every campaign, then the second of each, …
  shuffled,     // any row anywhere
};
enum class SheetFormat {
  csv,
  json,
  jsonl
};  // json: an array of nested campaigns; jsonl: one a line

struct SheetShape {
  std::int64_t campaigns = 6;
  std::int64_t ad_groups = 2;  // of a campaign
  std::int64_t ads = 3;        // of an ad group
  RowOrder order = RowOrder::ordered;
  SheetFormat format = SheetFormat::csv;
  std::int64_t payload_bytes = 0;  // creative_url is padded to at least this length
  std::uint64_t seed = 1;
  bool skew =
      false;  // sizes vary from 1 to those above; the last campaign has 10 times the ad groups
  bool quirks = false;  // quoted commas, quotes, line ends, letters beyond ASCII; ids that repeat
  bool bom = false;
  bool crlf = false;
};

struct SheetCounts {
  std::int64_t campaigns = 0;
  std::int64_t ad_groups = 0;
  std::int64_t ads = 0;
};
SheetCounts count_entities(const SheetShape& shape);

// Takes a piece of the text; false stops.
using SheetSink = std::function<bool(std::string_view)>;

// Errors: usage, where an order other than `ordered` is asked of JSON; io, where the sink stopped.
Status write_sheet(const SheetShape& shape, const SheetSink& sink);

}  // namespace dl::mock
