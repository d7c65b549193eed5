#include "ingest/deviation.h"

#include "ingest/look_alike.h"
#include "ingest/values.h"
#include "storage/digest.h"

namespace dl {
namespace {

// An entity as the row says it.
struct SaidEntity {
  std::array<std::string, 6> scratch;
  std::array<std::string_view, 6> values;  // normal forms, in the order of columns_of(kind)
  std::array<std::size_t, 6> at{};         // where they stand in the row
};

void read_entity(JobKind kind, const UserRows& rows, const std::vector<std::string>& fields,
                 SaidEntity& said) {
  static const std::string absent;
  std::size_t i = 0;
  for (const ColumnRule& rule : columns_of(kind)) {
    std::size_t at = 0;
    while (at < fields.size() && rows.columns()[at] != rule.column) ++at;
    const std::string& raw = at < fields.size() ? fields[at] : absent;
    const CheckedValue checked = check_value(rule.rule, raw, said.scratch[i]);
    said.values[i] = checked.flaw == Flaw::none ? checked.text : std::string_view(raw);
    said.at[i++] = at;
  }
}

void compare(JobKind kind, const std::string& body, bool is_at_dsp,
             const std::vector<std::string>& fields, const SaidEntity& said,
             std::vector<Deviation>& deviations) {
  RowValues values;
  read_body(kind, body, values);
  std::size_t i = 0;
  for (const ColumnRule& rule : columns_of(kind)) {
    const std::string& value = values[index_of(rule.column)];
    const std::size_t at = said.at[i];
    if (said.values[i++] == value || at == fields.size()) continue;
    deviations.push_back({kind, at, fields[at], value, is_at_dsp});
  }
}

std::string or_nothing(std::string shown) { return shown.empty() ? "nothing" : shown; }

}  // namespace

std::vector<Deviation> deviations_of(const UserRows& rows, const StoredRow& stored) {
  std::vector<Deviation> deviations;
  if (!stored.raw || !stored.raw->starts_with('[')) return deviations;
  std::vector<std::string> fields = texts_of(*stored.raw);
  fields.resize(rows.header().size());
  SaidEntity said;
  std::string said_body;
  for (const KindNames& names : kKinds) {
    const auto level = static_cast<std::size_t>(names.kind);
    if (stored.digests[level].empty()) continue;
    read_entity(names.kind, rows, fields, said);
    render_body(names.kind, std::span(said.values).first(columns_of(names.kind).size()), said_body);
    const Sha256 digest = sha256(said_body);
    if (stored.digests[level] == std::string(digest.begin(), digest.end())) continue;
    const bool is_at_dsp = !stored.dsp_ids[level].empty();
    if (stored.bodies[level].empty()) {
      deviations.push_back({names.kind, std::nullopt, "", "", is_at_dsp});
    } else {
      compare(names.kind, stored.bodies[level], is_at_dsp, fields, said, deviations);
    }
  }
  return deviations;
}

std::string text_of(const std::vector<Deviation>& deviations, const UserRows& rows) {
  std::string text;
  for (const Deviation& deviation : deviations) {
    if (!text.empty()) text += "; ";
    text +=
        deviation.at ? rows.header()[*deviation.at] : std::string(names_of(deviation.kind).name);
    text += deviation.is_at_dsp ? " at the DSP: " : " in the job: ";
    if (deviation.at) {
      const auto [job, sheet] = told_apart(deviation.job_value, deviation.sheet_value);
      text += or_nothing(job) + " (the sheet says " + or_nothing(sheet) + ")";
    } else {
      text += "other values than the sheet says (they are archived)";
    }
  }
  return text;
}

Result<std::int64_t> count_deviating_rows(Database& database, const BatchFacts& batch) {
  std::int64_t count = 0;
  if (batch.conflicts == 0 && !batch.may_be_overtaken) return count;
  const UserRows rows(batch.header);
  const Status ok = read_kept_rows(database, batch.id, [&](const StoredRow& stored) -> Status {
    if (!deviations_of(rows, stored).empty()) ++count;
    return Done{};
  });
  if (!ok) return ok.error();
  return count;
}

}  // namespace dl
