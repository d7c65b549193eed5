// The verbs of dl-ingest. Each prints what it has to say and returns the exit code.
// Thread rule: one thread.
#pragma once

#include "ingest/options.h"
#include "storage/batch_reader.h"

namespace dl {

int run(const Options& options);

int run_load(const Options& options);
int run_check(const Options& options);
int run_plan(const Options& options);
int run_results(const Options& options);  // results and errors
int run_status(const Options& options);
int run_archive(const Options& options);
int run_template(const Options& options);

// Prints "dl-ingest: message" and returns the code.
int complain(const Error& error);
// The inputs of load, check and plan: FILE... or --line.
Result<InputFile> open_input(const Options& options, std::size_t at);
std::size_t input_count(const Options& options);
// Prints errors and warnings of a survey on stderr.
void print_problems(const InputFile& file, Problems& problems);
// How many entities have changed, or would, beside those of which each value is told.
void tell_untold_changes(const InputFile& file, std::int64_t count);
// Of several inputs: the first that failed decides, else 1 if one was not done in full.
int worse_of(int exit_code, int other);
// "2 failed, 1 cancelled": of the rows, those that nobody will send as things stand. Empty: none.
std::string at_rest_text(const RowFates& rows);
// Which database, and who says so; on stderr.
void print_database(const Options& options);

}  // namespace dl
