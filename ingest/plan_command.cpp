#include <unistd.h>

#include <cstdio>

#include "ingest/commands.h"
#include "ingest/plan.h"

namespace dl {
namespace {

// Where no daemon has said yet: the default of --rate-limit.
const AccountFacts kUnknownAccount{std::nullopt, {}, std::nullopt, {}, "40/60s", 40, 60'000};

std::string span_text(std::int64_t ms) {
  const std::int64_t seconds = (ms + 999) / 1000;
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 2 * 3600) return std::to_string((seconds + 59) / 60) + " min";
  return std::to_string(seconds / 3600) + " h " + std::to_string(seconds % 3600 / 60) + " min";
}

// Whole windows: the first limit_count requests leave at once, the rest a window later, and so on.
std::string time_text(std::int64_t requests, const AccountFacts& account) {
  if (!account.limit_count || *account.limit_count <= 0) return "no limit is set";
  const std::int64_t windows = requests == 0 ? 0 : (requests - 1) / *account.limit_count;
  return "about " + span_text(windows * account.limit_window_ms) + " at " +
         std::to_string(*account.limit_count) + " requests in " +
         span_text(account.limit_window_ms) + ", plus the DSP's processing";
}

void print_plan(const InputFile& file, const Plan& plan, const AccountFacts& account) {
  std::printf("%s:\n  %-10s %10s %10s %10s %10s\n", file.name().c_str(), "", "create", "unchanged",
              "change", "conflict");
  for (const KindNames& names : kKinds) {
    const Plan::OfKind& counts = plan.kinds[static_cast<std::size_t>(names.kind)];
    std::printf("  %-10s %10lld %10lld %10lld %10lld\n", std::string(names.name).c_str(),
                static_cast<long long>(counts.create), static_cast<long long>(counts.unchanged),
                static_cast<long long>(counts.change), static_cast<long long>(counts.conflict));
  }
  const std::int64_t requests = plan.requests();
  std::printf("  at least %lld requests, %s\n", static_cast<long long>(requests),
              time_text(requests, account).c_str());
  const RowFates& rows = plan.rows;
  if (rows.at_rest() > 0) {
    std::printf(
        "  %lld of %s would not be sent as things stand: %s; loading is no retry (v_failed, "
        "v_blocked, v_in_doubt; "
        "operator_act)\n",
        static_cast<long long>(rows.at_rest()), counted(rows.rows, "row").c_str(),
        at_rest_text(rows).c_str());
  }
  for (const Problem& conflict : plan.conflicts) {
    std::fprintf(stderr, "%s (warning)\n", to_text(conflict, file.name()).c_str());
  }
  for (const Problem& change : plan.changes) {
    std::fprintf(stderr, "%s (warning)\n", to_text(change, file.name()).c_str());
  }
  tell_untold_changes(file, plan.changed() - plan.changes_told);
  if (plan.contradictions > 0) {
    std::fprintf(stderr,
                 "%s: %lld of the changed stand with other values in an earlier file of this "
                 "command; the last one would hold\n",
                 file.name().c_str(), static_cast<long long>(plan.contradictions));
  }
}

// A database that does not exist yet is an empty one.
Result<std::unique_ptr<Database>> open_if_there(const Options& options) {
  if (::access(options.db.c_str(), F_OK) != 0) return std::unique_ptr<Database>();
  return Database::open(options.db, OpenMode::read_only);
}

Result<int> plan_one(const Options& options, const InputFile& file, Database* database,
                     Planner& planner) {
  DspIdCheck dsp_ids(options.db);
  Result<Survey> found = survey(
      file, options.format, options.on_error, [](const SurveySoFar&) {}, &dsp_ids);
  if (!found) return found.error();
  print_problems(file, found->problems);
  if (!found->loadable) return static_cast<int>(Errc::data);
  AccountFacts account = kUnknownAccount;
  if (database != nullptr) {
    Result<AccountFacts> facts = read_account(*database);
    if (!facts) return facts.error();
    if (facts->rate_limit) account = *facts;
  }
  Result<Plan> plan = planner.plan(file, *found, options.on_error);
  if (!plan) return plan.error();
  print_plan(file, *plan, account);
  const bool complete = found->problems.empty() && plan->conflicts.empty() &&
                        plan->contradictions == 0 && plan->rows.at_rest() == 0;
  return complete ? 0 : static_cast<int>(Errc::incomplete);  // as the load will end
}

}  // namespace

int run_plan(const Options& options) {
  print_database(options);
  Result<std::unique_ptr<Database>> database = open_if_there(options);
  if (!database) return complain(database.error());
  std::optional<JobLookup> lookup;
  if (*database != nullptr) lookup.emplace(**database);
  Planner planner(lookup ? &*lookup : nullptr);
  int exit_code = 0;
  for (std::size_t i = 0; i < input_count(options); ++i) {
    Result<InputFile> file = open_input(options, i);
    Result<int> code =
        file ? plan_one(options, *file, database->get(), planner) : Result<int>(file.error());
    exit_code = worse_of(exit_code, code ? *code : complain(code.error()));
  }
  return exit_code;
}

}  // namespace dl
