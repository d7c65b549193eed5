// Was a promise broken? By the DSP's own ledger first, then by the database alone.
// Thread rule: any thread; no daemon runs meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dl::chaos {

struct Verdict {
  std::int64_t requests = 0;
  std::vector<std::string> findings;
  bool is_only_unfinished = true;  // nothing worse than that entities are missing
};

// Duplicates, children before parents, entities missing, windows above the limit; integrity_check,
// foreign keys, and storage/operator_sql/check_promises.sql (the history replays).
Verdict judge_world(const std::string& database, const std::string& ledger,
                    const std::string& limit, std::int64_t entities);

// By a DSP's ledger, whatever was or was not created: duplicates, children before their parents.
// Empty: none.
std::string promises_broken_in(const std::string& ledger);

// What integrity_check says; empty: sound, or not there yet.
std::string damage_of(const std::string& database);
// Jobs that have not succeeded and why, a few of them.
std::string stuck_jobs(const std::string& database);

}  // namespace dl::chaos
