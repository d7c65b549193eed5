#include "ingest/options.h"

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <map>
#include <sstream>

#include "ingest/csv_reader.h"
#include "ingest/json_reader.h"
#include "ingest/problem.h"
#include "storage/database_name.h"
#include "storage/model/duration.h"
#include "storage/version.h"

namespace dl {
namespace {

constexpr const char* kFooter = R"(Examples:
  dl-ingest examples/sample.csv            load a sheet
  dl-ingest check sheet.csv                find all errors, write nothing
  dl-ingest results > results.csv          your rows with states and the DSP's ids
  dl-ingest errors > again.csv             only what failed; put it right and load it
  dl-ingest archive --older-than 180d      move what has long been finished into another file

Exit codes: 0 done; 1 done, but something was left out, failed, is in doubt, blocked or in conflict;
64 usage; 65 errors in the data; 66 no such input; 73 cannot create; 74 I/O; 75 busy, try again;
77 permission; 78 configuration)";

struct Flags {
  std::optional<std::string> db;
  std::optional<std::string> config;
};

const std::map<std::string, OnError> kPolicies = {{"reject-file", OnError::reject_file},
                                                  {"skip-row", OnError::skip_row},
                                                  {"skip-subtree", OnError::skip_subtree}};
const std::map<std::string, InputFormat> kFormats = {
    {"csv", InputFormat::csv}, {"json", InputFormat::json}, {"jsonl", InputFormat::jsonl}};

Farewell wrong_usage(const std::string& what) {
  return {"", "dl-ingest: " + what + "; see dl-ingest --help\n", static_cast<int>(Errc::usage)};
}

// Asked before CLI11 reads the number, whose own words are "Could not convert".
template <class Integer>
CLI::Validator whole_number() {
  const auto complaint = [](const std::string& text) -> std::string {
    Integer number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range) return '"' + text + "\" is out of range";
    return error == std::errc{} && end == text.data() + text.size()
               ? ""
               : '"' + text + "\" must be a whole number";
  };
  return {complaint, ""};
}

std::vector<std::string> keys_of(const auto& names) {
  std::vector<std::string> keys;
  for (const auto& [name, value] : names) keys.push_back(name);
  return keys;
}

// The DB that decides: flag, environment, configuration file, default.
Status choose_database(const Flags& flags, const Environment& environment, Options& options) {
  const Result<ConfigFile> file = ConfigFile::choose(flags.config, environment);
  if (!file) return file.error();
  const auto variable = environment.find("DL_DB");
  if (flags.db) {
    options.db = *flags.db;
    options.db_origin = "--db";
  } else if (variable != environment.end() && !variable->second.empty()) {
    options.db = variable->second;
    options.db_origin = "DL_DB";
  } else if (const ConfigValue* value = file->find("db"); value != nullptr) {
    options.db = value->text;
    options.db_origin = value->origin;
  } else {
    options.db = "demandlink.db";
    options.db_origin = "default";
  }
  if (options.db.empty()) return Error{Errc::usage, options.db_origin + ": must name a file"};
  return Done{};
}

// The parser and the places it writes to; one object, because CLI11 keeps references.
class CommandLine {
 public:
  CommandLine();
  std::variant<Options, Farewell> parse(int argc, const char* const* argv,
                                        const Environment& environment);

 private:
  CLI::App* verb(const char* name, const char* description, Verb verb);
  void add_inputs(CLI::App& app);
  void add_batch(CLI::App& app, const std::string& without);
  void add_archive();
  std::optional<std::string> left_over(const std::string& verb) const;
  std::optional<std::string> out_of_place() const;
  std::optional<std::string> contradiction() const;
  void take_texts();

  CLI::App app_{"Loads campaigns, ad groups and ads for dl-daemon to submit.", "dl-ingest"};
  Options options_;
  Flags flags_;
  std::string format_;
  std::string on_error_ = "reject-file";
  std::string older_than_;
};

CommandLine::CommandLine() {
  app_.footer(kFooter);
  app_.set_version_flag("--version", ingest_version_text());
  app_.add_option("--db", flags_.db, "database (DL_DB; default demandlink.db)")->type_name("FILE");
  app_.add_option("--config", flags_.config, "configuration file (DL_CONFIG)")->type_name("FILE");
  app_.add_option("--format", format_, "of the input, or of the output of results and errors")
      ->check(CLI::IsMember(keys_of(kFormats)));
  app_.add_option("--on-error", on_error_, "what happens to the rest of a file with errors")
      ->check(CLI::IsMember(keys_of(kPolicies)));
  app_.add_option("--rejects", options_.rejects,
                  "write the rows that are left out to this new file")
      ->type_name("FILE");
  app_.add_option("--priority", options_.priority,
                  "of the new jobs; smaller goes first (as their campaign, 0 of a new one)")
      ->check(whole_number<int>());
  add_inputs(app_);
  add_inputs(*verb("check", "validate and write nothing", Verb::check));
  add_inputs(*verb("plan", "what loading would create, change and cost", Verb::plan));
  add_batch(*verb("results", "your rows with state, DSP ids, error and attempts", Verb::results),
            "the last one");
  add_batch(*verb("errors",
                  "only rows that failed, with the values that would be sent, to be put right and "
                  "loaded again",
                  Verb::errors),
            "the last one");
  CLI::App* status = verb("status", "counts and when it will be done", Verb::status);
  add_batch(*status, "all batches");
  status->add_flag_callback(
      "--watch", [this] { options_.watch = Watch::until_done; }, "refresh until all is done");
  add_archive();
  verb("template", "a correct example sheet", Verb::sheet_template);
  app_.require_subcommand(0, 1);
}

CLI::App* CommandLine::verb(const char* name, const char* description, Verb verb) {
  CLI::App* app = app_.add_subcommand(name, description);
  app->fallthrough();
  app->footer(
      std::string(
          "Also: --db, --config and the other options of dl-ingest itself (dl-ingest --help)\n\n") +
      kFooter);
  app->callback([this, verb] { options_.verb = verb; });
  return app;
}

void CommandLine::add_inputs(CLI::App& app) {
  const auto add = [this](const std::vector<std::string>& files) {
    // beside those on the other side of the verb
    options_.files.insert(options_.files.end(), files.begin(), files.end());
  };
  app.add_option_function<std::vector<std::string>>(
      "FILE", add, "CSV, JSON or JSON Lines, by content; - is stdin");
  app.add_option("--line", options_.line, "one campaign as JSON")->type_name("JSON");
}

void CommandLine::add_batch(CLI::App& app, const std::string& without) {
  app.add_option("BATCH", options_.batch, "number of the batch; default: " + without)
      ->check(whole_number<std::int64_t>());
}

void CommandLine::add_archive() {
  CLI::App* archive = verb("archive", "move finished batches into another file", Verb::archive);
  archive->add_option("--older-than", older_than_, "nothing of it was touched for so long: 180d")
      ->type_name("SPAN")
      ->required();
  archive->add_option("--to", options_.archive_file, "the archive (the database's name + .archive)")
      ->type_name("FILE");
  archive->add_flag_callback(
      "--dry-run", [this] { options_.archive_mode = ArchiveMode::say_only; },
      "say what would be moved, and move nothing");
}

// What a verb that reads no input was given to read. CLI11 takes it for the program's own, and
// nobody would load it.
std::optional<std::string> CommandLine::left_over(const std::string& verb) const {
  if (options_.line) return verb + " takes no --line; load it with a command of its own";
  if (options_.files.empty()) return std::nullopt;
  const std::string file = shown(options_.files.front(), 80);
  const bool has_batch = options_.verb == Verb::results || options_.verb == Verb::errors ||
                         options_.verb == Verb::status;
  if (has_batch && file.find_first_not_of("0123456789") == std::string::npos) {
    return '"' + file + "\": " + verb +
           " takes one BATCH behind it; ask for others with commands of their own";
  }
  return '"' + file + "\": " + verb + " takes no FILE; to load it, first say dl-ingest " + file;
}

// A flag of the program's own that the verb would pass over.
std::optional<std::string> CommandLine::out_of_place() const {
  const Verb verb = options_.verb;
  const auto unless = [&](bool fits, const char* flag,
                          const char* place) -> std::optional<std::string> {
    if (fits || app_.count(flag) == 0) return std::nullopt;
    return std::string(flag) + " goes with " + place + ", not with " +
           app_.get_subcommands().front()->get_name();
  };
  const bool reads = verb == Verb::load || verb == Verb::check || verb == Verb::plan;
  std::optional<std::string> what = unless(verb == Verb::load, "--rejects", "loading");
  if (!what) what = unless(verb == Verb::load, "--priority", "loading");
  if (!what) what = unless(reads, "--on-error", "a FILE to be read");
  if (!what)
    what = unless(verb != Verb::status && verb != Verb::archive, "--format",
                  "a sheet to be read or written");
  return what;
}

std::optional<std::string> CommandLine::contradiction() const {
  const bool reads =
      options_.verb == Verb::load || options_.verb == Verb::check || options_.verb == Verb::plan;
  if (std::optional<std::string> what = out_of_place()) return what;
  if (!reads) {
    if (std::optional<std::string> what = left_over(app_.get_subcommands().front()->get_name()))
      return what;
  }
  if (reads && options_.files.empty() && !options_.line) return "name a FILE, - or --line";
  if (reads && !options_.files.empty() && options_.line) return "either FILE or --line";
  if (options_.rejects && options_.files.size() > 1) return "--rejects goes with one FILE";
  if (options_.rejects && options_.on_error == OnError::reject_file) {
    return "--rejects goes with --on-error skip-row or skip-subtree";
  }
  return std::nullopt;
}

void CommandLine::take_texts() {
  if (options_.line) options_.format = InputFormat::json;
  if (!format_.empty()) options_.format = kFormats.at(format_);
  options_.on_error = kPolicies.at(on_error_);
}

std::variant<Options, Farewell> CommandLine::parse(int argc, const char* const* argv,
                                                   const Environment& environment) {
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    if (app_.exit(error, out, err) == 0) return Farewell{out.str(), "", 0};
    return wrong_usage(error.what());
  }
  take_texts();
  std::optional<std::string> wrong = contradiction();
  if (options_.verb == Verb::archive) {
    const Result<Millis> span = parse_duration(older_than_);
    if (span) options_.older_than = *span;
    if (!span) wrong = "--older-than: " + span.error().message;
  }
  if (wrong) return wrong_usage(*wrong);
  if (options_.verb == Verb::check || options_.verb == Verb::sheet_template) return options_;
  if (Status ok = choose_database(flags_, environment, options_); !ok) {
    return Farewell{"", "dl-ingest: " + ok.error().message + "\n",
                    static_cast<int>(ok.error().code)};
  }
  if (options_.archive_file.empty()) {
    // what is wrong with it, who opens it says
    const Result<std::string> name = name_of_database(options_.db);
    options_.archive_file = (name ? *name : options_.db) + ".archive";
  }
  return options_;
}

}  // namespace

std::variant<Options, Farewell> parse_options(int argc, const char* const* argv,
                                              const Environment& environment) {
  return CommandLine().parse(argc, argv, environment);
}

std::string ingest_version_text() {
  const std::array<LibraryVersion, 3> its_own = {
      {{"RapidJSON", std::string(json_library_version())},
       {"libcsv", std::string(csv_library_version())},
       {"CLI11", CLI11_VERSION}}};
  return version_text("dl-ingest", its_own);
}

}  // namespace dl
