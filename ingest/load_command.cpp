#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "ingest/commands.h"
#include "ingest/load.h"
#include "ingest/progress.h"
#include "ingest/write_target.h"
#include "storage/batch_reader.h"
#include "storage/database_name.h"
#include "storage/file_mode.h"
#include "storage/live_daemon.h"
#include "storage/model/nearest_name.h"

namespace dl {
namespace {

// Of so many rows nothing is written before all are seen: most sheets that are wrong, or scattered,
// show it by then.
constexpr std::int64_t kRowsBeforeLoadingAhead = 10'000;

std::string login_name() {
  std::vector<char> room(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::getuid(), &entry, room.data(), room.size(), &found) == 0 && found != nullptr) {
    return found->pw_name;
  }
  return "uid " + std::to_string(::getuid());
}

void tell_changes(const InputFile& file, const Loaded& loaded) {
  for (const Problem& change : loaded.changes) {
    std::fprintf(stderr, "%s (warning)\n", to_text(change, file.name()).c_str());
  }
  tell_untold_changes(file, loaded.counts.changed - loaded.changes_told);
  if (loaded.counts.contradictions > 0) {
    std::fprintf(stderr,
                 "%s: %lld of the changed stood with other values in a file that this command "
                 "loaded before; the last one "
                 "holds: load the right one again\n",
                 file.name().c_str(), static_cast<long long>(loaded.counts.contradictions));
  }
}

void print_loaded(const InputFile& file, const Loaded& loaded,
                  const std::optional<std::string>& rejects) {
  const BatchCounts& counts = loaded.counts;
  std::string text = file.name() + ": batch " + std::to_string(loaded.batch.value) + ": " +
                     std::to_string(counts.created) + " new, " + std::to_string(counts.unchanged) +
                     " unchanged";
  if (counts.changed > 0) text += ", " + std::to_string(counts.changed) + " changed";
  if (counts.conflicts > 0) text += ", " + std::to_string(counts.conflicts) + " in conflict";
  text += " (" + counted(counts.rows + loaded.unreadable, "row");
  if (loaded.left_out > 0) text += ", " + std::to_string(loaded.left_out) + " left out";
  std::printf("%s)\n", text.c_str());
  if (rejects && loaded.unreadable > 0) {
    std::fprintf(stderr,
                 "%s: %s could not be read and cannot stand in %s: put right what is told above\n",
                 file.name().c_str(), counted(loaded.unreadable, "row").c_str(), rejects->c_str());
  }
  if (counts.failed > 0) {
    std::fprintf(
        stderr,
        "%lld of the unchanged have failed; loading is no retry: change their rows, or INSERT "
        "INTO operator_act (job_id, act, who, why) SELECT job_id, 'retry', ... FROM v_failed\n",
        static_cast<long long>(counts.failed));
  }
  for (const Problem& conflict : loaded.conflicts) {
    std::fprintf(stderr, "%s (warning)\n", to_text(conflict, file.name()).c_str());
  }
  tell_changes(file, loaded);
}

// Its rows that nobody will send as things stand: what loading does not change, whoever loads
// should know. Only rows of jobs that were there before can be such, and seldom has anything
// stopped at all.
Result<RowFates> rows_at_rest(Database& database, const Loaded& loaded) {
  const BatchCounts& counts = loaded.counts;
  if (counts.unchanged + counts.changed + counts.conflicts == 0) return RowFates{};
  const Result<std::vector<StateCount>> states = count_states(database, std::nullopt);
  if (!states) return states.error();
  const bool has_stopped = std::ranges::any_of(*states, [](const StateCount& of) {
    return of.state == JobState::failed || of.state == JobState::cancelled ||
           of.state == JobState::in_doubt;
  });
  return has_stopped ? read_row_fates(database, loaded.batch) : RowFates{};
}

// True: all of its rows are done or under way.
bool tell_rows_at_rest(const InputFile& file, const Loaded& loaded, const RowFates& rows) {
  if (rows.at_rest() == 0) return true;
  const std::string batch = std::to_string(loaded.batch.value);
  std::fprintf(stderr,
               "%s: %lld of %s will not be sent as things stand: %s; dl-ingest results %s says "
               "which and why; loading is no "
               "retry: INSERT INTO operator_act (job_id, act, who, why) SELECT job_id, 'retry', "
               "... FROM v_jobs WHERE state IN ('failed', 'cancelled') AND NOT archived AND "
               "campaign = ...\n",
               file.name().c_str(), static_cast<long long>(rows.at_rest()),
               counted(rows.rows, "row").c_str(), at_rest_text(rows).c_str(), batch.c_str());
  return false;
}

// Opened once for all files.
struct Target {
  std::optional<WriteTarget> open;
  std::optional<BatchId> first_batch;  // that this command has loaded
  bool has_news = false;               // orphans were removed, which nobody has been told
  std::optional<std::string> warning;  // nor this
  Database& database() { return *open->database; }
};

Status open_target(const Options& options, Target& target) {
  if (target.open) return Done{};
  Result<WriteTarget> opened = open_to_write(options.db, OpenMode::create);
  if (!opened) return opened.error();
  target.has_news = opened->has_removed_orphans;
  target.warning = warning_of_mode(opened->database->path());
  target.open.emplace(std::move(*opened));
  return Done{};
}

void tell_news(Target& target) {
  if (target.has_news) std::fprintf(stderr, "removed what an interrupted dl-ingest had left\n");
  target.has_news = false;
  if (target.warning)
    std::fprintf(stderr, "warning: %s\n", std::exchange(target.warning, std::nullopt)->c_str());
}

// All of them, before the first is loaded: "dl-ingest sheet.csv chek" must not load the sheet. The
// exit code; 0: all are there.
int check_inputs(const Options& options) {
  constexpr std::array<std::string_view, 7> kVerbs = {"check",  "plan",    "results", "errors",
                                                      "status", "archive", "template"};
  int exit_code = 0;
  for (const std::string& name : options.files) {
    const Status there = InputFile::check(name);
    if (there) continue;
    Error error = there.error();
    const auto verb = ::access(name.c_str(), F_OK) == 0 ? std::nullopt : nearest_name(name, kVerbs);
    if (verb) {
      error.message += "; did you mean dl-ingest " + std::string(*verb) + "? Nothing was loaded";
    } else if (options.files.size() > 1) {
      error.message += "; nothing was loaded";
    }
    exit_code = worse_of(exit_code, complain(error));
  }
  return exit_code;
}

LoadOptions load_options(const Options& options, const Target& target) {
  LoadOptions how;
  how.on_error = options.on_error;
  how.rejects = options.rejects;
  how.priority = options.priority;
  how.loaded_by = login_name();
  how.first_of_command = target.first_batch;
  return how;
}

// A long sheet without a fault so far is loaded while the survey goes on. JSON is not: each of its
// readers holds the whole text.
Result<std::optional<Loaded>> try_ahead(const Options& options, const InputFile& file,
                                        InputFormat format, SurveyThread& surveying, Target& target,
                                        Progress& bar) {
  if (format == InputFormat::json || !surveying.is_well_after(kRowsBeforeLoadingAhead))
    return std::optional<Loaded>();
  // What is in the way is told after what is wrong with the file, as of any sheet.
  if (!open_target(options, target)) return std::optional<Loaded>();
  surveying.give_way();
  return load_ahead(
      file, format, surveying, target.database(), load_options(options, target),
      [&](std::int64_t bytes) { bar.show("loading", surveying.bytes_read() + bytes); });
}

Result<int> load_one(const Options& options, const InputFile& file, Target& target) {
  Progress bar(file.name(), 2 * file.size_bytes());
  const Result<InputFormat> format =
      options.format ? Result<InputFormat>(*options.format) : sniff_format(file);
  if (!format) return format.error();
  // An older file is brought forward first: the survey asks it for ids.
  const Result<std::string> name = name_of_database(options.db);
  if (name && has_older_schema(*name)) {
    if (Status ok = open_target(options, target); !ok) return ok.error();
  }
  DspIdCheck dsp_ids(options.db);
  SurveyThread surveying(
      file, *format, options.on_error, [&](std::int64_t bytes) { bar.show("checking", bytes); },
      &dsp_ids);
  Result<std::optional<Loaded>> ahead = try_ahead(options, file, *format, surveying, target, bar);
  Result<Survey> found = surveying.take();
  if (!found) return found.error();
  print_problems(file, found->problems);
  tell_news(target);
  if (!found->loadable) {
    std::fprintf(stderr, "%s: %s, nothing was loaded\n", file.name().c_str(),
                 counted(found->problems.count(), "error").c_str());
    return static_cast<int>(Errc::data);
  }
  if (!ahead) return ahead.error();
  if (!*ahead) {
    if (Status ok = open_target(options, target); !ok) return ok.error();
    tell_news(target);
    Result<Loaded> loaded =
        load(file, *found, target.database(), load_options(options, target),
             [&](std::int64_t bytes) { bar.show("loading", file.size_bytes() + bytes); });
    if (!loaded) return loaded.error();
    *ahead = std::move(*loaded);
  }
  const Loaded& loaded = **ahead;
  if (!target.first_batch) target.first_batch = loaded.batch;
  print_loaded(file, loaded, options.rejects);
  const Result<RowFates> at_rest = rows_at_rest(target.database(), loaded);
  if (!at_rest) return at_rest.error();
  const bool all_go = tell_rows_at_rest(file, loaded, *at_rest);
  const bool complete = loaded.left_out == 0 && loaded.counts.conflicts == 0 &&
                        loaded.counts.contradictions == 0 && all_go;
  return complete ? 0 : static_cast<int>(Errc::incomplete);
}

}  // namespace

int run_load(const Options& options) {
  print_database(options);
  int exit_code = check_inputs(options);
  if (exit_code != 0) return exit_code;
  Target target;
  for (std::size_t i = 0; i < input_count(options); ++i) {
    Result<InputFile> file = open_input(options, i);
    Result<int> code = file ? load_one(options, *file, target) : Result<int>(file.error());
    exit_code = worse_of(exit_code, code ? *code : complain(code.error()));
  }
  return exit_code;
}

}  // namespace dl
