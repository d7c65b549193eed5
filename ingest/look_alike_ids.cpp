#include "ingest/look_alike_ids.h"

#include <map>
#include <set>

#include "ingest/look_alike.h"

namespace dl {
namespace {

constexpr std::size_t kToldMax = 1'000;  // more than anybody reads; bounds the memory

// An id looks like another one only below the same parent.
std::size_t id_begins_at(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

void make_form(std::string_view key, std::string& form) {
  const std::size_t id = id_begins_at(key);
  form.assign(key.substr(0, id));
  add_look_alike_form(key.substr(id), form);
}

// The keys of a row, kept beyond the reader's next call.
struct KeptKeys {
  std::int64_t line = 0;
  std::int64_t sheet_row = 0;
  std::array<std::string, 2> keys;  // of campaign and ad group
  std::array<ValuePlace, 2> places;
};

using Pairs = std::vector<SeenEntities::Suspicion>;

// Of each form the first two ids.
Pairs first_of_each(const Pairs& all) {
  Pairs pairs;
  std::set<std::uint64_t> forms;
  for (const SeenEntities::Suspicion& pair : all) {
    if (pairs.size() < kToldMax && forms.insert(pair.key_hash).second) pairs.push_back(pair);
  }
  return pairs;
}

Result<std::map<std::uint32_t, KeptKeys>> keys_of_rows(const InputFile& file, InputFormat format,
                                                       const Pairs& pairs) {
  std::map<std::uint32_t, KeptKeys> rows;
  for (const SeenEntities::Suspicion& pair : pairs) rows[pair.first_row], rows[pair.later_row];
  Problems ignored;  // the survey has told them
  Result<std::unique_ptr<RowReader>> reader = open_rows(file, format, ignored);
  if (!reader) return reader.error();
  Row row;
  RowEntities entities;
  for (;;) {
    Result<bool> more = (*reader)->next(row, ignored);
    if (!more) return more.error();
    if (!*more) return rows;
    entities.take(row, **reader, ignored);
    const auto found = rows.find(static_cast<std::uint32_t>(row.number));
    if (found == rows.end()) continue;
    KeptKeys& kept = found->second;
    kept.line = row.line;
    kept.sheet_row = row.sheet_row;
    for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
      const auto level = static_cast<std::size_t>(kind);
      if (kind > row.deepest) break;
      kept.keys[level] = entities[kind].key;
      kept.places[level] = (*reader)->place_of(row, columns_of(kind).front().column);
    }
  }
}

void warn_of_pair(const KeptKeys& first, const KeptKeys& later, std::uint64_t form_hash,
                  Problems& problems) {
  std::string form;
  for (const JobKind kind : {JobKind::campaign, JobKind::ad_group}) {
    const auto level = static_cast<std::size_t>(kind);
    const std::string& key = later.keys[level];
    const std::string& before = first.keys[level];
    make_form(key, form);
    if (key == before || SeenEntities::key_hash(form) != form_hash) continue;
    const std::string id = job_path(key).back();
    const std::string id_before = job_path(before).back();
    if (!look_alike(id, id_before)) continue;
    const auto [shown_before, shown_now] = told_apart(id_before, id);
    const std::string name(names_of(kind).name);
    problems.warn({later.places[level].line, later.sheet_row, later.places[level].column,
                   "look_alike_id",
                   "line " + std::to_string(first.places[level].line) + " has \"" + shown_before +
                       "\", which is another " + name + "; if one " + name +
                       " is meant, write its id in one way",
                   shown_now, true});
  }
}

}  // namespace

Status LookAlikeIds::add(std::string_view key, std::int64_t row) {
  make_form(key, form_);
  return seen_.add(form_, key, row);
}

Status LookAlikeIds::warn(const InputFile& file, Survey& survey) {
  Result<SeenEntities::Found> found = seen_.find();
  if (!found) return found.error();
  const Pairs pairs = first_of_each(found->suspicions);
  if (pairs.empty()) return Done{};
  const auto rows = keys_of_rows(file, survey.format, pairs);
  if (!rows) return rows.error();
  for (const SeenEntities::Suspicion& pair : pairs) {
    warn_of_pair(rows->at(pair.first_row), rows->at(pair.later_row), pair.key_hash,
                 survey.problems);
  }
  return Done{};
}

}  // namespace dl
