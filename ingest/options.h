// The command line as a value. CLI11 is included in options.cpp alone.
// Thread rule: a plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ingest/row.h"
#include "ingest/survey.h"
#include "storage/config_file.h"
#include "storage/model/moment.h"

namespace dl {

enum class Verb { load, check, plan, results, errors, status, archive, sheet_template };
enum class Watch { once, until_done };
enum class ArchiveMode { move, say_only };

struct Options {
  Verb verb = Verb::load;
  std::vector<std::string> files;   // load, check, plan; "-" is stdin
  std::optional<std::string> line;  // load, check, plan: one campaign as JSON
  std::optional<InputFormat> format;
  OnError on_error = OnError::reject_file;
  std::optional<std::string> rejects;
  std::optional<int> priority;
  std::optional<std::int64_t> batch;  // results, errors: none is the last one; status: none is all
  Watch watch = Watch::once;
  Millis older_than = 0;     // archive
  std::string archive_file;  // archive; chosen: --to, or beside the database
  ArchiveMode archive_mode = ArchiveMode::move;

  std::string db;         // chosen: flag, DL_DB, configuration file, demandlink.db
  std::string db_origin;  // where that was said, for people
};

// What to print and how to end, when there is nothing to run.
struct Farewell {
  std::string out;
  std::string err;
  int exit_code = 0;
};

// Errors in the configuration file are Farewells too (66, 78); wrong flags end with 64.
std::variant<Options, Farewell> parse_options(int argc, const char* const* argv,
                                              const Environment& environment);

std::string ingest_version_text();  // of --version

}  // namespace dl
