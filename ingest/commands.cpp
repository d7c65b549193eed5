#include "ingest/commands.h"

#include <cstdio>

#include "ingest/progress.h"
#include "ingest/sheet_writer.h"

namespace dl {
namespace {

constexpr std::size_t kMessageBytesMax = 16 * 1024;

}  // namespace

int run(const Options& options) {
  switch (options.verb) {
    case Verb::load: return run_load(options);
    case Verb::check: return run_check(options);
    case Verb::plan: return run_plan(options);
    case Verb::results:
    case Verb::errors: return run_results(options);
    case Verb::status: return run_status(options);
    case Verb::archive: return run_archive(options);
    case Verb::sheet_template: return run_template(options);
  }
  return static_cast<int>(Errc::software);
}

int complain(const Error& error) {
  std::fprintf(stderr, "dl-ingest: %s\n", shown(error.message, kMessageBytesMax).c_str());
  return static_cast<int>(error.code);
}

std::size_t input_count(const Options& options) { return options.line ? 1 : options.files.size(); }

Result<InputFile> open_input(const Options& options, std::size_t at) {
  if (options.line) return InputFile::from_text("--line", *options.line);
  return InputFile::open(options.files[at]);
}

void print_problems(const InputFile& file, Problems& problems) {
  for (const Problem& warning : problems.warnings()) {
    std::fprintf(stderr, "%s (warning)\n", to_text(warning, file.name()).c_str());
  }
  for (const Problem& problem : problems.errors()) {
    std::fprintf(stderr, "%s\n", to_text(problem, file.name()).c_str());
  }
  const auto told = static_cast<std::int64_t>(problems.errors().size());
  if (problems.count() > told) {
    std::fprintf(stderr, "%s: and %s more\n", file.name().c_str(),
                 counted(problems.count() - told, "error").c_str());
  }
}

void tell_untold_changes(const InputFile& file, std::int64_t count) {
  if (count == 0) return;
  std::fprintf(stderr, "%s: and %s more\n", file.name().c_str(), counted(count, "change").c_str());
}

int worse_of(int exit_code, int other) {
  const int incomplete = static_cast<int>(Errc::incomplete);
  if (exit_code > incomplete) return exit_code;
  return other == 0 ? exit_code : other;
}

std::string at_rest_text(const RowFates& rows) {
  std::string text;
  const auto add = [&](std::int64_t n, const char* what) {
    if (n > 0) text += (text.empty() ? "" : ", ") + std::to_string(n) + " " + what;
  };
  add(rows.failed, "failed");
  add(rows.cancelled, "cancelled");
  add(rows.held, "in doubt until decided (v_in_doubt)");
  add(rows.stuck, "behind what has failed, was cancelled or is in doubt");
  return text;
}

void print_database(const Options& options) {
  std::fprintf(stderr, "database: %s (%s)\n", options.db.c_str(), options.db_origin.c_str());
}

int run_check(const Options& options) {
  int exit_code = 0;
  for (std::size_t i = 0; i < input_count(options); ++i) {
    Result<InputFile> file = open_input(options, i);
    if (!file) {
      exit_code = worse_of(exit_code, complain(file.error()));
      continue;
    }
    Result<Survey> found = [&] {
      Progress bar(file->name(), file->size_bytes());
      return survey(*file, options.format, options.on_error,
                    [&](const SurveySoFar& so_far) { bar.show("checking", so_far.bytes); });
    }();
    if (!found) {
      exit_code = worse_of(exit_code, complain(found.error()));
      continue;
    }
    print_problems(*file, found->problems);
    const std::int64_t errors = found->problems.count();
    std::printf("%s: %s, %s\n", file->name().c_str(), counted(found->rows, "row").c_str(),
                counted(errors, "error").c_str());
    if (errors > 0) exit_code = worse_of(exit_code, static_cast<int>(Errc::data));
  }
  return exit_code;
}

int run_template(const Options& options) {
  std::vector<std::string> header;
  std::vector<std::string_view> example;
  for (const ColumnRule& rule : kColumns) {
    header.emplace_back(rule.name);
    example.push_back(rule.example);
  }
  SheetWriter sheet(stdout, "stdout", options.format.value_or(InputFormat::csv), {},
                    std::move(header));
  Status ok = sheet.add(example);
  if (ok) ok = sheet.finish();
  return ok ? 0 : complain(ok.error());
}

}  // namespace dl
