#include "ingest/dsp_id_check.h"

#include <algorithm>

#include "ingest/cell_text.h"
#include "ingest/sheet_writer.h"
#include "ingest/spreadsheet_form.h"

namespace dl {
namespace {

constexpr int kSearchesMax = 20;  // each reads all jobs

// The id in a cell, without what `results` put before it.
std::string id_in(std::string_view cell) {
  cell = trimmed(cell);
  if (cell.starts_with('\'') && defused(cell.substr(1)) == cell) cell.remove_prefix(1);
  return std::string(cell);
}

// A text of the user's or the DSP's, for a message.
std::string readable(std::string_view text) { return shown(text, 80); }

// How to go on, for whoever meant another row than the one that dl-ingest wrote.
std::string ways_out(JobKind kind) {
  const std::string name(names_of(kind).name);
  return "; format the id columns as text and enter the id again; for a new " + name +
         " empty dl_state and dsp_" + name +
         "_id, for another database take dl_state and the dsp_ columns away";
}

}  // namespace

Status DspIdCheck::open() {
  if (is_open_) return Done{};
  Result<std::unique_ptr<Database>> database = Database::open(path_, OpenMode::read_only);
  if (!database && database.error().code != Errc::no_input) return database.error();
  if (database) {
    database_ = std::move(*database);
    lookup_.emplace(*database_);
  }
  is_open_ = true;
  return Done{};
}

Result<std::optional<std::string>> DspIdCheck::find_id(const std::string& key) {
  if (Status ok = open(); !ok) return ok.error();
  if (!lookup_) return std::optional<std::string>();
  return lookup_->id_of(key);
}

Result<bool> DspIdCheck::fits(const std::string& key, const std::string& id,
                              const std::string& id_here) {
  if (id_here == id || is_spreadsheets_form(id, id_here)) return true;
  const Result<std::vector<std::string>> former = lookup_->former_ids_of(key);
  if (!former) return former.error();
  return std::find(former->begin(), former->end(), id) != former->end();
}

Result<std::string> DspIdCheck::words_for(JobKind kind, const std::string& id,
                                          const std::optional<std::string>& id_here) {
  std::string text = "dl-ingest wrote this row for another id";
  std::optional<std::string> holder;
  const bool is_searched_for = lookup_.has_value() && searches_ < kSearchesMax;
  if (is_searched_for) {
    ++searches_;
    Result<std::optional<std::string>> found = lookup_->job_of(kind, id);
    if (!found) return found.error();
    holder = std::move(*found);
  }
  if (holder) {
    text += " (" + readable(id) + " is " + readable(*holder) + ")";
  } else if (id_here && !id_here->empty()) {
    text += " (this one is " + readable(*id_here) + " at the DSP, not " + readable(id) + ")";
  } else if (is_searched_for || !lookup_) {
    text += " (no job of this database is " + readable(id) + ")";
  }
  return text + ways_out(kind);
}

Result<std::string> DspIdCheck::why_not(JobKind kind, const std::string& key,
                                        const std::string& id) {
  const Result<std::optional<std::string>> here = find_id(key);
  if (!here) return here.error();
  if (id.empty()) {
    if (*here) return std::string();
    return "dl-ingest wrote this row for a job that exists, and no job of this database is " +
           readable(key) + ways_out(kind);
  }
  if (*here) {
    const Result<bool> fit = fits(key, id, **here);
    if (!fit) return fit.error();
    if (*fit) return std::string();
  }
  return words_for(kind, id, *here);
}

Result<std::optional<JobKind>> DspIdCheck::take(const Row& row, const RowReader& reader,
                                                const RowEntities& entities, Problems& problems) {
  const bool has_state = !trimmed(row.state).empty();
  for (const KindNames& names : kKinds) {
    if (names.kind > row.deepest) break;
    const auto level = static_cast<std::size_t>(names.kind);
    const std::string_view cell = row.dsp_ids[level];
    const std::string& key = entities[names.kind].key;
    if (key.empty()) continue;  // a key that is not valid has been told
    if (good_[level].key == key && good_[level].cell == cell) continue;
    const std::string id = id_in(cell);
    if (id.empty() && !has_state) continue;
    Result<std::string> words = why_not(names.kind, key, id);
    if (!words) return words.error();
    if (words->empty()) {
      good_[level] = {key, std::string(cell)};
      continue;
    }
    problems.add(problem_at(row, reader, columns_of(names.kind).front().column, "id_changed",
                            std::move(*words)));
    return std::optional(names.kind);
  }
  return std::optional<JobKind>();
}

}  // namespace dl
