#include "tests/mock_dsp/sheet.h"

#include <algorithm>
#include <array>
#include <string>

#include "tests/mock_dsp/json_object.h"
#include "tests/mock_dsp/random.h"
#include "tests/mock_dsp/row_order.h"

namespace dl::mock {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;

constexpr std::string_view kHeader =
    "campaign_id,campaign_name,campaign_budget,start_date,end_date,objective,"
    "ad_group_id,ad_group_name,bid,targeting_ages,targeting_interests,targeting_geo,"
    "ad_id,ad_type,creative_url,click_url,ad_status";

using CampaignFields = std::array<std::string, 6>;
using AdGroupFields = std::array<std::string, 6>;
using AdFields = std::array<std::string, 5>;

template <std::size_t size>
std::string pick(Random& random, const std::array<std::string_view, size>& values) {
  return std::string(values[random.below(size)]);
}

std::string two_digits(std::uint64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

std::string date(Random& random, std::uint64_t first_month) {  // in half a year from that month
  const std::uint64_t month = first_month + random.below(6);
  return "2026-" + two_digits(month) + "-" + two_digits(1 + random.below(28));
}

// Text that a careless reader of CSV or JSON trips over.
std::string quirk(Random& random) {
  constexpr std::array<std::string_view, 6> kQuirks = {
      " - \"Best\" of",    ", spring; summer",
      ", \"second\" line", " caf\xc3\xa9 \xe2\x82\xac",
      " \\ / |",           " 'n' more, \"all\"; the way"};
  return random.below(4) == 0 ? pick(random, kQuirks) : std::string();
}

// Every value of a sheet, by place.
class Values {
 public:
  explicit Values(const SheetShape& shape) : shape_(shape) {}

  std::int64_t ad_groups_of(std::int64_t campaign) const {
    if (!shape_.skew) return shape_.ad_groups;
    if (campaign == shape_.campaigns - 1) return shape_.ad_groups * 10;
    return 1 + random_at(campaign, -2, -1).below_signed(shape_.ad_groups);
  }
  std::int64_t ads_of(std::int64_t campaign, std::int64_t group) const {
    if (!shape_.skew) return shape_.ads;
    return 1 + random_at(campaign, group, -2).below_signed(shape_.ads);
  }

  CampaignFields campaign(std::int64_t c) const {
    constexpr std::array<std::string_view, 5> kSeasons = {
        "Summer Styles", "Autumn Sale Push", "Back to School", "Spring Launch", "Winter Clearance"};
    constexpr std::array<std::string_view, 5> kObjectives = {"engagement", "video_views",
                                                             "conversions", "reach", "traffic"};
    Random random = random_at(c, -1, -1);
    std::string name = pick(random, kSeasons) + " " + std::to_string(c + 1);
    if (shape_.quirks) name += quirk(random);
    std::string budget = std::to_string(1'000 + random.below(400) * 100);
    if (random.below(4) == 0) budget += ".50";
    return {"cmp_" + std::to_string(c + 1), name, budget, date(random, 1), date(random, 7),
            pick(random, kObjectives)};
  }

  AdGroupFields ad_group(std::int64_t c, std::int64_t g) const {
    constexpr std::array<std::string_view, 4> kPeople = {
        "Young Adults - Urban", "Campus Trendsetters", "Parents", "Urban Millennials"};
    constexpr std::array<std::string_view, 4> kAges = {"18-24;25-34", "25-34", "35-50",
                                                       "35-44;45-64"};
    constexpr std::array<std::string_view, 4> kInterests = {
        "fashion;streetwear", "family;discount shopping", "college life;fashion", "fashion;tech"};
    constexpr std::array<std::string_view, 4> kGeo = {"UK;IE", "UK", "UK;DE", "UK;NL"};
    Random random = random_at(c, g, -1);
    std::string name = pick(random, kPeople) + " " + std::to_string(g + 1);
    if (shape_.quirks) name += quirk(random);
    const std::uint64_t bid = 10 + random.below(60);
    return {id("ag_", c, g),
            name,
            std::to_string(bid / 10) + "." + std::to_string(bid % 10),
            pick(random, kAges),
            pick(random, kInterests),
            pick(random, kGeo)};
  }

  AdFields ad(std::int64_t c, std::int64_t g, std::int64_t a) const {
    constexpr std::array<std::string_view, 5> kTypes = {"banner", "video", "native", "ctv",
                                                        "carousel"};
    Random random = random_at(c, g, a);
    const std::string ad_id = shape_.quirks ? "ad_" + std::to_string(a + 1)
                                            : id("ad_", c, g) + "_" + std::to_string(a + 1);
    const std::string type = pick(random, kTypes);
    std::string creative = "https://cdn.example.com/" + type + "/" + ad_id + ".jpg";
    const auto wanted = static_cast<std::size_t>(shape_.payload_bytes);
    if (creative.size() < wanted) {
      creative += "?v=";
      creative.resize(std::max(wanted, creative.size()), 'x');
    }
    return {ad_id, type, creative, "https://shop.example.com/" + ad_id,
            random.below(5) == 0 ? "new" : "pending"};
  }

 private:
  struct PlacedRandom : Random {
    using Random::Random;
    std::int64_t below_signed(std::int64_t bound) {
      return static_cast<std::int64_t>(below(static_cast<std::uint64_t>(bound)));
    }
  };
  PlacedRandom random_at(std::int64_t c, std::int64_t g, std::int64_t a) const {
    std::uint64_t place = shape_.seed;
    for (const std::int64_t index : {c, g, a}) {
      place = mixed(place * 0x9e3779b97f4a7c15u + static_cast<std::uint64_t>(index + 3));
    }
    return PlacedRandom(place);
  }
  // Unique in the sheet; with quirks only under its parent.
  std::string id(std::string_view prefix, std::int64_t c, std::int64_t g) const {
    std::string text(prefix);
    if (!shape_.quirks) text += std::to_string(c + 1) + "_";
    return text + std::to_string(g + 1);
  }

  const SheetShape& shape_;
};

// Collects text and hands it on in large pieces.
class Pieces {
 public:
  Pieces(const SheetShape& shape, const SheetSink& sink)
      : sink_(sink), line_end_(shape.crlf ? "\r\n" : "\n") {
    if (shape.bom) text += "\xef\xbb\xbf";
  }
  std::string text;

  void end_line() {
    text += line_end_;
    if (text.size() >= kPieceBytes) flush();
  }
  void flush() {
    goes_on_ = goes_on_ && (text.empty() || sink_(text));
    text.clear();
  }
  bool goes_on() const { return goes_on_; }

 private:
  const SheetSink& sink_;
  std::string_view line_end_;
  bool goes_on_ = true;
};

// Appends fields with a comma before each but the first of the line.
template <std::size_t size>
void append_csv(std::string& out, const std::array<std::string, size>& fields) {
  for (const std::string& field : fields) {
    if (!out.empty()) out += ',';
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
      out += field;
      continue;
    }
    out += '"';
    for (const char c : field) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
}

class CsvRows {
 public:
  CsvRows(const Values& values, Pieces& pieces) : values_(values), pieces_(pieces) {
    pieces_.text += kHeader;
    pieces_.end_line();
  }
  void add(const Place& place) {
    if (place.campaign != last_.campaign || place.group != last_.group) {
      front_.clear();  // the columns that an ad's siblings share
      append_csv(front_, values_.campaign(place.campaign));
      append_csv(front_, values_.ad_group(place.campaign, place.group));
      last_ = place;
    }
    row_ = front_;
    append_csv(row_, values_.ad(place.campaign, place.group, place.ad));
    pieces_.text += row_;
    pieces_.end_line();
  }

 private:
  const Values& values_;
  Pieces& pieces_;
  Place last_{-1, -1, -1};
  std::string front_, row_;
};

void write_csv(const SheetShape& shape, const Values& values, Pieces& pieces) {
  CsvRows rows(values, pieces);
  const RowSizes sizes{shape.campaigns, [&](std::int64_t c) { return values.ad_groups_of(c); },
                       [&](std::int64_t c, std::int64_t g) { return values.ads_of(c, g); }};
  RowOrderWalk(sizes, shape.order, shape.seed).each([&](const Place& place) {
    rows.add(place);
    return pieces.goes_on();
  });
}

// Appends `"name":value,` for each field; money as a number, the rest as text.
template <std::size_t size>
void append_json(std::string& out, const std::array<std::string_view, size>& names,
                 const std::array<std::string, size>& fields) {
  for (std::size_t i = 0; i < size; ++i) {
    out.append(1, '"').append(names[i]).append("\":");
    if (names[i] == "campaign_budget" || names[i] == "bid") {
      out += fields[i];
    } else {
      append_json_string(out, fields[i]);
    }
    out += ',';
  }
}

void append_campaign(std::string& out, const Values& values, std::int64_t c) {
  out += '{';
  append_json<6>(
      out,
      {"campaign_id", "campaign_name", "campaign_budget", "start_date", "end_date", "objective"},
      values.campaign(c));
  out += "\"ad_groups\":[";
  const std::int64_t groups = values.ad_groups_of(c);
  for (std::int64_t g = 0; g < groups; ++g) {
    out += g == 0 ? "{" : ",{";
    append_json<6>(out,
                   {"id", "name", "bid", "targeting_ages", "targeting_interests", "targeting_geo"},
                   values.ad_group(c, g));
    out += "\"ads\":[";
    const std::int64_t ads = values.ads_of(c, g);
    for (std::int64_t a = 0; a < ads; ++a) {
      out += a == 0 ? "{" : ",{";
      append_json<5>(out, {"id", "type", "creative_url", "click_url", "status"},
                     values.ad(c, g, a));
      out.back() = '}';  // over the last comma
    }
    out += "]}";
  }
  out += "]}";
}

void write_json(const SheetShape& shape, const Values& values, Pieces& pieces) {
  const bool is_array = shape.format == SheetFormat::json;
  if (is_array) pieces.text += '[';
  if (is_array) pieces.end_line();
  for (std::int64_t c = 0; c < shape.campaigns && pieces.goes_on(); ++c) {
    append_campaign(pieces.text, values, c);
    if (is_array && c + 1 < shape.campaigns) pieces.text += ',';
    pieces.end_line();
  }
  if (is_array) pieces.text += ']';
  if (is_array) pieces.end_line();
}

}  // namespace

SheetCounts count_entities(const SheetShape& shape) {
  const Values values(shape);
  SheetCounts counts{.campaigns = shape.campaigns};
  for (std::int64_t c = 0; c < shape.campaigns; ++c) {
    const std::int64_t groups = values.ad_groups_of(c);
    counts.ad_groups += groups;
    for (std::int64_t g = 0; g < groups; ++g) counts.ads += values.ads_of(c, g);
  }
  return counts;
}

Status write_sheet(const SheetShape& shape, const SheetSink& sink) {
  const bool is_csv = shape.format == SheetFormat::csv;
  if (!is_csv && shape.order != RowOrder::ordered) {
    return Error{Errc::usage, "--order is about rows; JSON is nested and always ordered"};
  }
  const Values values(shape);
  Pieces pieces(shape, sink);
  if (is_csv) {
    write_csv(shape, values, pieces);
  } else {
    write_json(shape, values, pieces);
  }
  pieces.flush();
  if (!pieces.goes_on()) return Error{Errc::io, "the sheet cannot be written"};
  return Done{};
}

}  // namespace dl::mock
