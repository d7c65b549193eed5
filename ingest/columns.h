// The columns of the sheet: the one table from which headers are recognised, values checked, bodies
// rendered, the template printed and result sheets put together again. Pure; callable from any
// thread.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/model/job.h"

namespace dl {

enum class Column {
  campaign_id,
  campaign_name,
  campaign_budget,
  start_date,
  end_date,
  objective,
  ad_group_id,
  ad_group_name,
  bid,
  targeting_ages,
  targeting_interests,
  targeting_geo,
  ad_id,
  ad_type,
  creative_url,
  click_url,
  ad_status,
};
inline constexpr std::size_t kColumnCount = 17;
constexpr std::size_t index_of(Column column) { return static_cast<std::size_t>(column); }

// What a value must look like; values.h has the rules.
enum class ValueRule { id, name, text, list, money, date, url };

struct ColumnRule {
  Column column;
  std::string_view name;    // in a sheet's header and in flat JSON: ad_type
  JobKind kind;             // whose value it is
  std::string_view nested;  // in nested JSON, inside its own entity: type
  std::string_view group;   // object around it in the DSP's body; empty: none
  std::string_view field;   // in the DSP's body
  ValueRule rule;
  std::string_view example;
};

// In the order of the template; the columns of a kind stand together, its id first.
inline constexpr std::array<ColumnRule, kColumnCount> kColumns = {{
    {Column::campaign_id, "campaign_id", JobKind::campaign, "campaign_id", "", "id", ValueRule::id,
     "cmp_2025_001"},
    {Column::campaign_name, "campaign_name", JobKind::campaign, "campaign_name", "", "name",
     ValueRule::name, "Summer Styles 2025"},
    {Column::campaign_budget, "campaign_budget", JobKind::campaign, "campaign_budget", "", "budget",
     ValueRule::money, "15000"},
    {Column::start_date, "start_date", JobKind::campaign, "start_date", "", "start_date",
     ValueRule::date, "2025-07-01"},
    {Column::end_date, "end_date", JobKind::campaign, "end_date", "", "end_date", ValueRule::date,
     "2025-08-15"},
    {Column::objective, "objective", JobKind::campaign, "objective", "", "objective",
     ValueRule::text, "engagement"},
    {Column::ad_group_id, "ad_group_id", JobKind::ad_group, "id", "", "id", ValueRule::id,
     "ag_1001"},
    {Column::ad_group_name, "ad_group_name", JobKind::ad_group, "name", "", "name", ValueRule::name,
     "Young Adults - Urban"},
    {Column::bid, "bid", JobKind::ad_group, "bid", "", "bid", ValueRule::money, "2.5"},
    {Column::targeting_ages, "targeting_ages", JobKind::ad_group, "targeting_ages", "targeting",
     "ages", ValueRule::list, "18-24;25-34"},
    {Column::targeting_interests, "targeting_interests", JobKind::ad_group, "targeting_interests",
     "targeting", "interests", ValueRule::list, "fashion;streetwear"},
    {Column::targeting_geo, "targeting_geo", JobKind::ad_group, "targeting_geo", "targeting", "geo",
     ValueRule::list, "UK;IE"},
    {Column::ad_id, "ad_id", JobKind::ad, "id", "", "id", ValueRule::id, "ad_5001"},
    {Column::ad_type, "ad_type", JobKind::ad, "type", "", "type", ValueRule::text, "banner"},
    {Column::creative_url, "creative_url", JobKind::ad, "creative_url", "", "creative_url",
     ValueRule::url, "https://cdn.example.com/creatives/summer.jpg"},
    {Column::click_url, "click_url", JobKind::ad, "click_url", "", "click_url", ValueRule::url,
     "https://shop.example.com/summer"},
    {Column::ad_status, "ad_status", JobKind::ad, "status", "", "status", ValueRule::text,
     "pending"},
}};

constexpr const ColumnRule& rule_of(Column column) { return kColumns[index_of(column)]; }

// The columns of one kind, its id first.
constexpr std::span<const ColumnRule> columns_of(JobKind kind) {
  const std::span<const ColumnRule> all(kColumns);
  switch (kind) {
    case JobKind::campaign: return all.subspan(0, 6);
    case JobKind::ad_group: return all.subspan(6, 6);
    case JobKind::ad: return all.subspan(12, 5);
  }
  return {};
}

namespace columns_hold {
constexpr bool every_column_stands_at_its_index_and_kind() {
  for (std::size_t i = 0; i < kColumnCount; ++i) {
    if (index_of(kColumns[i].column) != i) return false;
  }
  for (const KindNames& kind : kKinds) {
    for (const ColumnRule& rule : columns_of(kind.kind)) {
      if (rule.kind != kind.kind) return false;
    }
    if (columns_of(kind.kind).front().rule != ValueRule::id) return false;
  }
  return true;
}
static_assert(every_column_stands_at_its_index_and_kind());
}  // namespace columns_hold

// The column that a header means: upper or lower case, blanks, '_' and '-' make no difference.
std::optional<Column> column_named(std::string_view header);

// What `dl-ingest results` adds to the user's columns, in its order. The state tells on the way in
// that the row's jobs exist, and the DSP's ids (by kind) whether it still names the same jobs.
inline constexpr std::string_view kStateColumn = "dl_state";
inline constexpr std::array<std::string_view, 3> kDspIdColumns = {"dsp_campaign_id",
                                                                  "dsp_ad_group_id", "dsp_ad_id"};
inline constexpr std::array<std::string_view, 6> kResultColumns = {
    kStateColumn, kDspIdColumns[0], kDspIdColumns[1], kDspIdColumns[2], "dl_error", "dl_attempts"};

// Which of them a header means, in any form, as column_named does. On the way in they are no
// values, so that a result sheet or an error sheet can be loaded as it is. Any other column is the
// user's, whatever it begins with.
bool is_result_column(std::string_view header);
bool is_state_column(std::string_view header);
std::optional<JobKind> dsp_id_column_named(std::string_view header);

}  // namespace dl
