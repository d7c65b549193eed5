#include "ingest/contradictions.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "ingest/look_alike.h"
#include "ingest/values.h"

namespace dl {
namespace {

constexpr std::size_t kToldMax = 10'000;  // more than anybody reads; bounds the memory
constexpr std::size_t kKeptBytesMax = 32 * 1024 * 1024;  // of rows for their telling

// A row kept beyond the reader's next call.
struct KeptRow {
  std::size_t bytes = sizeof(KeptRow);
  std::int64_t number = 0;
  std::int64_t line = 0;
  std::int64_t sheet_row = 0;
  std::array<std::string, kColumnCount> values;
  std::array<ValuePlace, kColumnCount> places;
  std::array<std::string, 3> keys;
};

KeptRow keep(const Row& row, const RowReader& reader, const RowEntities& entities) {
  KeptRow kept;
  kept.number = row.number;
  kept.line = row.line;
  kept.sheet_row = row.sheet_row;
  for (const ColumnRule& rule : kColumns) {
    kept.values[index_of(rule.column)] = row[rule.column];
    kept.places[index_of(rule.column)] = reader.place_of(row, rule.column);
    kept.bytes += row[rule.column].size();
  }
  for (const KindNames& names : kKinds) {
    if (names.kind <= row.deepest) {
      kept.keys[static_cast<std::size_t>(names.kind)] = entities[names.kind].key;
    }
  }
  return kept;
}

bool means_the_same(const ColumnRule& rule, const std::string& a, const std::string& b) {
  std::string a_scratch;
  std::string b_scratch;
  return check_value(rule.rule, a, a_scratch).text == check_value(rule.rule, b, b_scratch).text;
}

// True if the two rows do describe the entity with that key hash in two ways.
bool report_pair(const KeptRow& first, const KeptRow& later, std::uint64_t key_hash,
                 Problems& problems) {
  bool differs = false;
  for (const KindNames& names : kKinds) {
    const std::string& key = later.keys[static_cast<std::size_t>(names.kind)];
    const bool meant = !key.empty() && SeenEntities::key_hash(key) == key_hash &&
                       first.keys[static_cast<std::size_t>(names.kind)] == key;
    if (!meant) continue;
    for (const ColumnRule& rule : columns_of(names.kind)) {
      const std::size_t i = index_of(rule.column);
      if (means_the_same(rule, first.values[i], later.values[i])) continue;
      differs = true;
      const auto [before, now] = told_apart(first.values[i], later.values[i]);
      problems.add({later.places[i].line, later.sheet_row, later.places[i].column, "contradiction",
                    "line " + std::to_string(first.places[i].line) + " says \"" + before +
                        "\" for the same " + std::string(names.name),
                    now, true, later.number});
    }
  }
  return differs;
}

// What a second look at the whole file gives.
struct SecondLook {
  std::map<std::uint32_t, KeptRow> kept;
  // rows below it are too many to keep
  std::uint32_t kept_until = std::numeric_limits<std::uint32_t>::max();
  // Rows that repeat an entity of a row: {that row, key hash} -> the rows below it. The first pass
  // compared only the row they repeat.
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<std::uint32_t>> repeats;
};

// `told`: rows to keep; `later`: rows whose repetitions are wanted, sorted: there may be millions.
// Every row is taken, for an entity may stand in the input once for many rows.
Result<SecondLook> look_again(const InputFile& file, InputFormat format,
                              const std::set<std::uint32_t>& told,
                              const std::vector<std::uint32_t>& later) {
  SecondLook look;
  Problems ignored;  // the survey has told them
  Result<std::unique_ptr<RowReader>> reader = open_rows(file, format, ignored);
  if (!reader) return reader.error();
  Row row;
  RowEntities entities;
  std::size_t kept_bytes = 0;
  std::array<std::uint32_t, 3> stands_in{};  // the row that each level's entity was made from
  for (;;) {
    Result<bool> more = (*reader)->next(row, ignored);
    if (!more) return more.error();
    if (!*more) return look;
    const auto number = static_cast<std::uint32_t>(row.number);
    entities.take(row, **reader, ignored);
    if (number <= look.kept_until && told.contains(number)) {
      kept_bytes += look.kept.emplace(number, keep(row, **reader, entities)).first->second.bytes;
      if (kept_bytes >= kKeptBytesMax) look.kept_until = number;
    }
    for (const KindNames& names : kKinds) {
      if (names.kind > row.deepest) break;
      const Entity& entity = entities[names.kind];
      std::uint32_t& from = stands_in[static_cast<std::size_t>(names.kind)];
      if (!entity.repeated) {
        from = number;
      } else if (std::ranges::binary_search(later, from)) {
        look.repeats[{from, SeenEntities::key_hash(entity.key)}].push_back(number);
      }
    }
  }
}

}  // namespace

Status report_contradictions(const InputFile& file, Survey& survey,
                             const std::vector<SeenEntities::Suspicion>& suspicions) {
  const std::size_t told = std::min(suspicions.size(), kToldMax);
  std::set<std::uint32_t> wanted;
  std::vector<std::uint32_t> later_rows;
  for (std::size_t i = 0; i < suspicions.size(); ++i) {
    later_rows.push_back(suspicions[i].later_row);
    if (i >= told) continue;
    wanted.insert(suspicions[i].first_row);
    wanted.insert(suspicions[i].later_row);
  }
  Result<SecondLook> look = look_again(file, survey.format, wanted, later_rows);
  if (!look) return look.error();
  const std::map<std::uint32_t, KeptRow>& rows = look->kept;
  std::vector<std::uint32_t> bad;
  std::size_t untold = 0;
  for (std::size_t i = 0; i < suspicions.size(); ++i) {
    const SeenEntities::Suspicion& pair = suspicions[i];
    if (i >= told || pair.later_row > look->kept_until) {
      ++untold;
    } else {
      const auto first = rows.find(pair.first_row);
      const auto later = rows.find(pair.later_row);
      if (first == rows.end() || later == rows.end()) {
        return Error{Errc::busy, file.name() + ": changed while it was being read; try again"};
      }
      if (!report_pair(first->second, later->second, pair.key_hash, survey.problems)) continue;
    }
    bad.push_back(pair.later_row);
    const auto repeats = look->repeats.find({pair.later_row, pair.key_hash});
    if (repeats != look->repeats.end()) {
      bad.insert(bad.end(), repeats->second.begin(), repeats->second.end());
    }
    survey.bad_entities.insert(pair.key_hash);
  }
  if (untold > 0) {
    survey.problems.add({0, 0, "file", "contradiction",
                         std::to_string(untold) + " more rows contradict earlier ones", "", false});
  }
  survey.problems.mark_bad_rows(std::move(bad));
  return Done{};
}

}  // namespace dl
