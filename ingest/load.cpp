#include "ingest/load.h"

#include <algorithm>
#include <chrono>

#include "ingest/loader.h"
#include "ingest/row_preparer.h"
#include "ingest/row_pump.h"
#include "ingest/row_sorter.h"
#include "ingest/user_row.h"
#include "storage/batch_reader.h"
#include "storage/fault/fault_point.h"

namespace dl {
namespace {

constexpr std::size_t kSortedInMemory = 64 * 1024 * 1024;

std::int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

BatchHead head_of(const InputFile& file, const Survey& survey, const LoadOptions& options) {
  BatchHead head;
  head.source = file.name();
  head.size_bytes = file.size_bytes();
  head.sha256_hex = survey.sha256_hex;
  head.format = name_of(survey.format);
  if (!survey.header.empty()) head.header = json_array_of(survey.header);
  if (!survey.dialect.empty()) head.dialect = survey.dialect;
  head.loaded_by = options.loaded_by;
  head.priority = options.priority;
  head.rows = survey.rows;
  head.now_ms = wall_clock_ms();
  head.first_of_command = options.first_of_command;
  return head;
}

Status check_unchanged(const InputFile& file, RowReader& reader, const Survey& survey) {
  Result<std::string> digest = reader.sha256_hex();
  if (!digest) return digest.error();
  if (*digest == survey.sha256_hex) return Done{};
  return Error{Errc::busy, file.name() + ": changed while it was being loaded; try again"};
}

// Writes all rows of the file. What is scattered is sorted first, which counts as half of the way.
Status write_rows(RowPreparer& rows, Loader& loader, const Survey& survey,
                  const ProgressSink& progress) {
  if (!survey.is_scattered) {
    RowPump pump(rows);
    return loader.write_all(pump, progress);
  }
  RowSorter sorter(kSortedInMemory, kParentsKept);
  {
    RowPump pump(rows);
    for (;;) {
      Result<std::unique_ptr<PreparedChunk>> chunk = pump.take();
      if (!chunk) return chunk.error();
      if (*chunk == nullptr) break;
      if (Status ok = sorter.add(**chunk); !ok) return ok;
      progress((*chunk)->bytes_read / 2);
      pump.give_back(std::move(*chunk));
    }
  }
  if (Status ok = sorter.finish(); !ok) return ok;
  RowPump pump(sorter);
  return loader.write_all(pump, progress);
}

// As the user calls it.
std::string name_in(const std::vector<std::string>& header, Column column) {
  const auto name = std::ranges::find_if(
      header, [&](const std::string& of) { return column_named(of) == column; });
  return name == header.end() ? std::string(rule_of(column).name) : *name;
}

void tell_change(const PayloadChange& change, const std::vector<std::string>& header,
                 std::vector<Problem>& told) {
  for (ValueChange& value : value_changes(change.kind, change.body_before, change.body)) {
    std::string message = "was \"" + value.before + "\"";
    if (change.earlier) {
      message += " in line " + std::to_string(change.earlier->line) + " of " +
                 change.earlier->source + ", which this command loaded before";
    }
    told.push_back({change.line, 0, name_in(header, value.column), "changed",
                    message + ", and is now", std::move(value.now), true});
  }
}

// Shows what is written, with the conflicts that come up only now.
Result<Loaded> publish(BatchWriter& writer, Database& database,
                       const std::vector<std::string>& header, std::vector<Problem> conflicts) {
  PublishNews news;
  const auto keep_rows = [&]() -> Status {
    keep_changed_rows(database, [](const ChangedRow& row) {
      return UserRows(row.header).whole(row.raw, row.bodies);
    });
    return Done{};
  };
  Result<BatchCounts> counts = writer.publish(wall_clock_ms(), keep_rows, news);
  if (!counts) return counts.error();
  DL_FAULT_POINT("publish.after_commit");
  for (const LateConflict& conflict : news.conflicts) {
    conflicts.push_back({conflict.line, 0, conflict.kind, "conflict",
                         "is " + conflict.state + " by now; the new values were not taken over",
                         conflict.key, true});
  }
  Loaded loaded;
  loaded.batch = writer.id();
  loaded.counts = *counts;
  loaded.conflicts = std::move(conflicts);
  for (const PayloadChange& change : news.changes) tell_change(change, header, loaded.changes);
  loaded.changes_told = static_cast<std::int64_t>(news.changes.size());
  return loaded;
}

Result<Loaded> load_batch(const InputFile& file, Survey& survey, Database& database,
                          const LoadOptions& options, const ProgressSink& progress,
                          BatchWriter& writer) {
  Problems told_before;
  Result<std::unique_ptr<RowReader>> reader = open_rows(file, survey.format, told_before);
  if (!reader) return reader.error();
  Rejects rejects(options.rejects, survey);
  std::int64_t unreadable = 0;
  std::vector<Problem> conflicts;
  {
    RowPreparer prepared(**reader, survey, options.on_error, rejects);
    Loader loader(database, writer, survey);
    if (Status ok = write_rows(prepared, loader, survey, progress); !ok) return ok.error();
    unreadable = prepared.unreadable_rows();
    conflicts = std::move(loader.conflicts);
  }
  Status ok = check_unchanged(file, **reader, survey);
  if (ok) ok = rejects.finish();
  if (!ok) return ok.error();
  Result<Loaded> loaded = publish(writer, database, survey.header, std::move(conflicts));
  if (loaded) {
    rejects.keep();
    loaded->left_out = rejects.count() + unreadable;
    loaded->unreadable = unreadable;
  }
  return loaded;
}

// Prepared rows, as long as the survey has no doubts.
class HopefulRows final : public ChunkSource {
 public:
  HopefulRows(RowPreparer& rows, const OngoingSurvey& survey) : rows_(rows), survey_(survey) {}
  Result<bool> fill(PreparedChunk& chunk) override {
    if (survey_.has_doubts()) return Error{Errc::data, "the survey has doubts"};  // told to nobody
    return rows_.fill(chunk);
  }

 private:
  RowPreparer& rows_;
  const OngoingSurvey& survey_;
};

// Errors that the survey explains are no matter: see load_ahead().
Result<Loaded> load_batch_ahead(const InputFile& file, RowReader& reader, Survey& hoped,
                                OngoingSurvey& survey, Database& database,
                                const LoadOptions& options, const ProgressSink& progress,
                                BatchWriter& writer) {
  Rejects none(std::nullopt, hoped);
  std::vector<Problem> conflicts;
  {
    RowPreparer prepared(reader, hoped, options.on_error, none);
    HopefulRows rows(prepared, survey);
    Loader loader(database, writer, hoped);
    RowPump pump(rows);
    if (Status ok = loader.write_all(pump, progress); !ok) return ok.error();
    conflicts = std::move(loader.conflicts);
  }
  const Result<Survey>& found = survey.found();
  if (!found || !found->is_in_order()) return Error{Errc::data, "the survey found otherwise"};
  if (Status ok = check_unchanged(file, reader, *found); !ok) return ok.error();
  writer.set_input(found->rows, found->sha256_hex);
  return publish(writer, database, hoped.header, std::move(conflicts));
}

Error with_remark(Error error, const Error& removal) {
  error.message +=
      " (what was written of it is removed by the next dl-ingest: " + removal.message + ")";
  return error;
}

}  // namespace

Result<Loaded> load(const InputFile& file, Survey& survey, Database& database,
                    const LoadOptions& options, const ProgressSink& progress) {
  Result<std::unique_ptr<BatchWriter>> writer =
      BatchWriter::begin(database, head_of(file, survey, options));
  if (!writer) return writer.error();
  Result<Loaded> loaded = load_batch(file, survey, database, options, progress, **writer);
  if (loaded) return loaded;
  if (Status removed = (*writer)->discard(); !removed)
    return with_remark(loaded.error(), removed.error());
  return loaded;
}

Result<std::optional<Loaded>> load_ahead(const InputFile& file, InputFormat format,
                                         OngoingSurvey& survey, Database& database,
                                         const LoadOptions& options, const ProgressSink& progress) {
  Survey hoped;
  hoped.format = format;
  Result<std::unique_ptr<RowReader>> reader = open_rows(file, format, hoped.problems);
  if (!reader) return reader.error();
  hoped.header = (*reader)->header();
  hoped.dialect = (*reader)->dialect();
  Result<std::unique_ptr<BatchWriter>> writer =
      BatchWriter::begin(database, head_of(file, hoped, options));
  if (!writer) return writer.error();
  Result<Loaded> loaded =
      load_batch_ahead(file, **reader, hoped, survey, database, options, progress, **writer);
  if (loaded) return std::optional<Loaded>(std::move(*loaded));
  const Status removed = (*writer)->discard();
  const bool in_vain = !survey.found() || survey.has_doubts() || !survey.found()->is_in_order();
  if (!removed) return with_remark(in_vain ? removed.error() : loaded.error(), removed.error());
  if (in_vain) return std::optional<Loaded>();
  return loaded.error();
}

}  // namespace dl
