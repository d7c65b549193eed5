#include "tests/chaos/verdict.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "storage/model/rate_spec.h"
#include "tests/mock_dsp/judge.h"
#include "tests/support/process.h"
#include "tests/support/tree.h"

namespace dl::chaos {
namespace {

constexpr int kBusyWaitMs = 20'000;

std::string lines_of(SQLite::Database& database, const std::string& query) {
  std::string text;
  SQLite::Statement rows(database, query);
  while (rows.executeStep()) {
    for (int i = 0; i < rows.getColumnCount(); ++i)
      text += (i == 0 ? "" : " ") + rows.getColumn(i).getString();
    text += "; ";
  }
  return text;
}

void judge_ledger(const std::string& path, const std::string& limit, std::int64_t entities,
                  Verdict& verdict) {
  std::ifstream file(path);
  const Result<std::vector<Tier>> tiers = parse_rate_spec(limit);
  DL_CHECK(tiers, "a plan's limit can be read");
  const Result<mock::Judgement> judged = mock::judge(file, *tiers);
  if (!judged) {
    verdict.findings.push_back("the ledger: " + judged.error().message);
    return;
  }
  verdict.requests = judged->requests;
  if (judged->passes(entities)) return;
  std::ostringstream text;
  mock::print(*judged, text);
  for (const std::string& finding : judged->findings) text << finding << "\n";
  verdict.is_only_unfinished = judged->duplicates == 0 && judged->child_before_parent == 0 &&
                               judged->child_before_confirmation == 0 &&
                               judged->entities_created < entities;
  for (const auto& use : judged->tiers) verdict.is_only_unfinished &= use.most <= use.tier.count;
  verdict.findings.push_back("by the DSP's ledger (" + std::to_string(entities) +
                             " entities expected):\n" + text.str());
}

void judge_database(const std::string& path, Verdict& verdict) {
  const auto broken = [&](std::string what) {
    verdict.findings.push_back(std::move(what));
    verdict.is_only_unfinished = false;
  };
  if (std::string damage = damage_of(path); !damage.empty()) broken(std::move(damage));
  const std::string script = in_tree("storage/operator_sql/check_promises.sql");
  Process shell(Launch{.program = "sqlite3",
                       .arguments = {path, ".read " + script},
                       .environment = {},
                       .errors_to = ErrorsTo::file});
  if (!shell.ends_within(kTestDeadline) || shell.wait() != 0)
    return broken("check_promises.sql: " + shell.err());
  std::istringstream said(shell.out());
  int promises = 0;
  for (std::string line; std::getline(said, line); ++promises) {
    if (!line.starts_with("-- "))
      return broken("a broken promise, by check_promises.sql:\n" + shell.out());
  }
  if (promises == 0) broken("check_promises.sql says nothing");
}

}  // namespace

Verdict judge_world(const std::string& database, const std::string& ledger,
                    const std::string& limit, std::int64_t entities) {
  Verdict verdict;
  judge_ledger(ledger, limit, entities, verdict);
  judge_database(database, verdict);
  return verdict;
}

std::string promises_broken_in(const std::string& ledger) {
  std::ifstream file(ledger);
  const Result<mock::Judgement> judged = mock::judge(file, {});
  if (!judged) return "the ledger: " + judged.error().message;
  if (judged->passes(std::nullopt)) return "";
  std::string text;
  for (const std::string& finding : judged->findings) text += finding + "; ";
  return text.empty() ? "by the DSP's ledger a promise is broken" : text;
}

std::string damage_of(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) return "";
  try {
    SQLite::Database database(path, SQLite::OPEN_READWRITE, kBusyWaitMs);
    const std::string verdict = lines_of(database, "PRAGMA integrity_check") +
                                lines_of(database, "PRAGMA foreign_key_check");
    return verdict == "ok; " ? "" : "integrity_check: " + verdict;
  } catch (const SQLite::Exception& e) {
    return std::string("integrity_check: ") + e.what();
  }
}

std::string stuck_jobs(const std::string& path) {
  SQLite::Database database(path, SQLite::OPEN_READWRITE, kBusyWaitMs);
  return lines_of(database,
                  "SELECT id, state, tries, coalesce(hold, ''), coalesce(error, '') FROM job "
                  "WHERE state NOT IN ('succeeded', 'blocked') LIMIT 5");
}

}  // namespace dl::chaos
