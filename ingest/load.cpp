#include "ingest/load.h"

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <thread>
#include <unordered_map>

#include "ingest/json_reader.h"
#include "ingest/rejects.h"
#include "ingest/user_row.h"
#include "queries_sql.h"
#include "storage/batch_reader.h"

namespace dl {
namespace {

constexpr int kRowsBesideADaemon = 1000;  // some milliseconds, for which its commits wait
constexpr int kRowsAlone = 10'000;
constexpr std::chrono::milliseconds kPauseForDaemon{2};
constexpr int kCheckpointPages = 4000;
constexpr std::size_t kParentsKept = 200'000;  // about 40 MiB

std::int64_t wall_clock_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

// A hint, good enough for courtesy: a pid that was reused only makes us slower.
bool daemon_seems_alive(SQLite::Database& db) {
  SQLite::Statement live(db, std::string(sql::k_ingest_live_instances));
  while (live.executeStep()) {
    if (::kill(live.getColumn(0).getInt(), 0) == 0 || errno == EPERM) return true;
  }
  return false;
}

class Loader {
 public:
  Loader(Survey& survey, Database& database, const LoadOptions& options, RowReader& reader,
         BatchWriter& writer)
      : survey_(survey),
        database_(database),
        options_(options),
        reader_(reader),
        writer_(writer),
        rejects_(options.rejects, survey) {}

  // Writes all rows. Errors: as load().
  Status write_rows(const ProgressSink& progress);
  Status finish_rejects() { return rejects_.finish(); }

  std::int64_t left_out() const { return rejects_.count(); }
  std::vector<Problem> conflicts;

 private:
  Result<bool> write_some();
  Status write_row(const Row& row);
  Status place_entities(const Row& row);
  void add_row(const Row& row);
  void report_conflict(const Row& row, JobKind kind, const PlacedJob& placed);
  Status let_others_through();

  Survey& survey_;
  Database& database_;
  const LoadOptions& options_;
  RowReader& reader_;
  BatchWriter& writer_;
  Rejects rejects_;
  RowEntities entities_;
  Problems told_before_;
  std::array<std::optional<PlacedJob>, 3> placed_;  // of the last row
  std::unordered_map<std::string, PlacedJob> parents_;
  std::string raw_;
  int rows_in_transaction_ = kRowsBesideADaemon;
};

Status Loader::write_rows(const ProgressSink& progress) {
  for (;;) {
    bool more = false;
    const Status ok = writer_.transaction([&]() -> Status {
      Result<bool> some = write_some();
      if (!some) return some.error();
      more = *some;
      return Done{};
    });
    if (!ok) return ok;
    if (!more) return Done{};
    progress(reader_.bytes_read());
    if (Status polite = let_others_through(); !polite) return polite;
  }
}

Result<bool> Loader::write_some() {
  Row row;
  for (int i = 0; i < rows_in_transaction_; ++i) {
    Result<bool> more = reader_.next(row, told_before_);
    if (!more || !*more) return more;
    if (Status ok = write_row(row); !ok) return ok.error();
  }
  return true;
}

Status Loader::write_row(const Row& row) {
  const bool good = entities_.take(row, reader_, told_before_);
  const bool left_out = survey_.leaves_out(options_.on_error, row.number, entities_);
  for (const KindNames& names : kKinds) {
    const bool deeper = names.kind > row.deepest;
    if (deeper || !entities_[names.kind].repeated)
      placed_[static_cast<std::size_t>(names.kind)].reset();
  }
  if (left_out) return rejects_.add(row, reader_);
  if (!good) return Error{Errc::busy, "the file changed while it was being loaded; try again"};
  if (Status ok = place_entities(row); !ok) return ok;
  add_row(row);
  return Done{};
}

Status Loader::place_entities(const Row& row) {
  const PlacedJob* parent = nullptr;
  for (const KindNames& names : kKinds) {
    if (names.kind > row.deepest) break;
    const Entity& entity = entities_[names.kind];
    std::optional<PlacedJob>& placed = placed_[static_cast<std::size_t>(names.kind)];
    const bool may_have_children = names.kind != JobKind::ad;
    if (!placed && may_have_children) {
      const auto known = parents_.find(entity.key);
      if (known != parents_.end()) placed = known->second;
    }
    if (!placed) {
      Result<PlacedJob> made =
          writer_.place({names.kind, entity.key, entity.body, row.line}, parent);
      if (!made) return made.error();
      if (made->fate == Fate::conflict) report_conflict(row, names.kind, *made);
      placed = std::move(*made);
      if (may_have_children) {
        if (parents_.size() == kParentsKept) parents_.clear();  // place() finds them again
        parents_.emplace(entity.key, *placed);
      }
    }
    parent = &*placed;
  }
  return Done{};
}

// The row as it was is kept only where the payloads will not give it back.
void Loader::add_row(const Row& row) {
  bool keep = reader_.has_extra_columns();
  for (const KindNames& names : kKinds) {
    if (names.kind > row.deepest) break;
    const Fate fate = placed_[static_cast<std::size_t>(names.kind)]->fate;
    keep =
        keep || !entities_[names.kind].verbatim || fate == Fate::changed || fate == Fate::conflict;
  }
  if (keep) {
    raw_ = "[";
    for (const std::string_view field : reader_.fields()) {
      if (raw_.size() > 1) raw_ += ',';
      append_json_string(raw_, field);
    }
    raw_ += ']';
  }
  const JobId job = placed_[static_cast<std::size_t>(row.deepest)]->id;
  writer_.add_row(row.number, row.line, job, keep ? &raw_ : nullptr);
}

void Loader::report_conflict(const Row& row, JobKind kind, const PlacedJob& placed) {
  const Column id = columns_of(kind).front().column;
  conflicts.push_back(
      problem_at(row, reader_, id, "conflict",
                 "this " + std::string(names_of(kind).name) + " is " + placed.state +
                     " already, with other values; the new ones were not taken over"));
}

Status Loader::let_others_through() {
  bool alive = false;
  const Status ok = database_.guard(database_.path(), [&]() -> Status {
    alive = daemon_seems_alive(database_.handle());
    return Done{};
  });
  if (!ok) return ok;
  rows_in_transaction_ = alive ? kRowsBesideADaemon : kRowsAlone;
  if (!alive) return database_.checkpoint_if_longer_than(kCheckpointPages);
  std::this_thread::sleep_for(kPauseForDaemon);
  return Done{};
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
  return head;
}

Status check_unchanged(const InputFile& file, RowReader& reader, const Survey& survey) {
  Result<std::string> digest = reader.sha256_hex();
  if (!digest) return digest.error();
  if (*digest == survey.sha256_hex) return Done{};
  return Error{Errc::busy, file.name() + ": changed while it was being loaded; try again"};
}

Result<Loaded> load_batch(const InputFile& file, Survey& survey, Database& database,
                          const LoadOptions& options, const ProgressSink& progress,
                          BatchWriter& writer) {
  Problems told_before;
  Result<std::unique_ptr<RowReader>> reader = open_rows(file, survey.format, told_before);
  if (!reader) return reader.error();
  Loader loader(survey, database, options, **reader, writer);
  Status ok = loader.write_rows(progress);
  if (ok) ok = check_unchanged(file, **reader, survey);
  if (ok) ok = loader.finish_rejects();
  if (!ok) return ok.error();
  std::vector<LateConflict> late;
  const auto keep_rows = [&]() -> Status {
    keep_changed_rows(database, [](const ChangedRow& row) {
      return json_array_of(UserRows(row.header).fields(std::nullopt, row.bodies));
    });
    return Done{};
  };
  Result<BatchCounts> counts = writer.publish(wall_clock_ms(), keep_rows, late);
  if (!counts) return counts.error();
  for (const LateConflict& conflict : late) {
    loader.conflicts.push_back(
        {conflict.line, 0, conflict.kind, "conflict",
         "is " + conflict.state + " by now; the new values were not taken over", conflict.key,
         true});
  }
  return Loaded{writer.id(), *counts, loader.left_out(), std::move(loader.conflicts)};
}

}  // namespace

Result<Loaded> load(const InputFile& file, Survey& survey, Database& database,
                    const LoadOptions& options, const ProgressSink& progress) {
  Result<std::unique_ptr<BatchWriter>> writer =
      BatchWriter::begin(database, head_of(file, survey, options));
  if (!writer) return writer.error();
  Result<Loaded> loaded = load_batch(file, survey, database, options, progress, **writer);
  if (loaded) return loaded;
  if (Status removed = (*writer)->discard(); !removed) {
    Error error = loaded.error();
    error.message +=
        " (what was written of it is removed by the next dl-ingest: " + removed.error().message +
        ")";
    return error;
  }
  return loaded;
}

}  // namespace dl
