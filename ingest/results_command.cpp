#include <algorithm>
#include <cstdio>

#include "ingest/commands.h"
#include "ingest/decimal_sign.h"
#include "ingest/deviation.h"
#include "ingest/sheet_writer.h"
#include "ingest/user_row.h"
#include "storage/batch_reader.h"

namespace dl {
namespace {

InputFormat output_format(const Options& options, const BatchFacts& batch) {
  if (options.format) return *options.format;
  return batch.format == "csv" ? InputFormat::csv : InputFormat::jsonl;
}

// Errors are loaded again without the rows around them, numbers of JSON come back as texts: what
// was sure to be 2.125 there would be doubtful. Only results of CSV are the user's to the byte.
bool has_plain_money(Verb verb, const BatchFacts& batch) {
  return verb != Verb::errors && batch.format == "csv";
}

void make_unambiguous(const UserRows& rows, std::vector<std::string>& fields) {
  for (std::size_t at = 0; at < rows.columns().size(); ++at) {
    const std::optional<Column> column = rows.columns()[at];
    if (column && rule_of(*column).rule == ValueRule::money) fields[at] = unambiguous(fields[at]);
  }
}

// In CSV what came from the DSP is defused; the user's own cells go back as they came. But for the
// errors: they will be loaded again, and a value that a later sheet has put right must not come
// back with them.
std::vector<std::string> full_row(UserRows& rows, const ResultRow& result,
                                  const std::vector<Deviation>& deviations, Verb verb,
                                  const BatchFacts& batch, InputFormat format) {
  const auto told = [&](const std::string& text) {
    return format == InputFormat::csv ? defused(text) : text;
  };
  std::vector<std::string> fields = rows.fields(result.stored.raw, result.stored.bodies);
  for (const Deviation& deviation : deviations) {
    if (verb == Verb::errors && deviation.at) fields[*deviation.at] = deviation.job_value;
  }
  if (!has_plain_money(verb, batch)) make_unambiguous(rows, fields);
  fields.push_back(result.state);
  for (const std::string& id : result.stored.dsp_ids) fields.push_back(told(id));
  const std::string others = text_of(deviations, rows);
  fields.push_back(told(result.error.empty() || others.empty() ? result.error + others
                                                               : result.error + "; " + others));
  fields.push_back(result.attempts ? std::to_string(*result.attempts) : "");
  return fields;
}

Result<BatchFacts> batch_wanted(Database& database, const Options& options) {
  Result<std::optional<BatchFacts>> found = find_batch(database, options.batch);
  if (!found) return found.error();
  if (*found && (*found)->archived_to) {
    const std::string batch = std::to_string((*found)->id.value);
    const std::string rest =
        (*found)->is_archived_in_part
            ? ", and for the rows that are still here v_results WHERE batch_id = " + batch
            : "";
    return Error{Errc::no_input, options.db + ": batch " + batch + " is archived" +
                                     (rest.empty() ? "" : " in part") + "; ask dl-ingest --db " +
                                     *(*found)->archived_to + " results " + batch + rest};
  }
  if (*found) return **found;
  const std::string which = options.batch ? "batch " + std::to_string(*options.batch) : "batch";
  return Error{Errc::no_input, options.db + ": there is no " + which + " in it"};
}

// Whoever names no batch gets the last one, and might take it for all that failed.
Status tell_earlier_failures(Database& database, BatchId shown_batch) {
  constexpr std::size_t kNamedMax = 10;
  const Result<std::vector<BatchId>> batches = failed_batches_before(database, shown_batch);
  if (!batches) return batches.error();
  if (batches->empty()) return Done{};
  std::string named;
  for (std::size_t i = 0; i < std::min(batches->size(), kNamedMax); ++i) {
    named += (i > 0 ? ", " : "") + std::to_string((*batches)[i].value);
  }
  if (batches->size() > kNamedMax)
    named += " and " + std::to_string(batches->size() - kNamedMax) + " more";
  std::fprintf(stderr,
               "this is batch %lld alone; jobs of earlier ones have failed, too (%s): dl-ingest "
               "errors BATCH\n",
               static_cast<long long>(shown_batch.value), named.c_str());
  return Done{};
}

// The exit code: 1 if a row failed, is in doubt, or is blocked behind one that failed, is in doubt
// or was cancelled; or if the batch was in conflict with jobs and a row still is. Where it was in
// none, a later sheet changed the job, as its user wanted.
Result<int> print_results(const Options& options) {
  Result<std::unique_ptr<Database>> database = Database::open(options.db, OpenMode::read_only);
  if (!database) return database.error();
  Result<BatchFacts> batch = batch_wanted(**database, options);
  if (!batch) return batch.error();
  UserRows rows(batch->header);
  std::vector<std::string> header = rows.header();
  header.insert(header.end(), kResultColumns.begin(), kResultColumns.end());
  const InputFormat format = output_format(options, *batch);
  SheetWriter sheet(stdout, "stdout", format, dialect_of(batch->dialect.value_or("")),
                    std::move(header));
  bool all_well = true;
  Status ok = read_results(**database, batch->id, [&](const ResultRow& result) -> Status {
    const std::vector<Deviation> deviations = deviations_of(rows, result.stored);
    all_well = all_well && !result.failed && !result.held_up &&
               (deviations.empty() || batch->conflicts == 0);
    if (options.verb == Verb::errors && !result.failed) return Done{};
    const std::vector<std::string> fields =
        full_row(rows, result, deviations, options.verb, *batch, format);
    return sheet.add({fields.begin(), fields.end()});
  });
  if (ok) ok = sheet.finish();
  if (ok && options.verb == Verb::errors && !options.batch)
    ok = tell_earlier_failures(**database, batch->id);
  if (!ok) return ok.error();
  return all_well ? 0 : static_cast<int>(Errc::incomplete);
}

}  // namespace

int run_results(const Options& options) {
  print_database(options);
  const Result<int> code = print_results(options);
  return code ? *code : complain(code.error());
}

}  // namespace dl
