// What loading a file would do, entity by entity, without writing anything.
// Thread rule: one thread.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "ingest/survey.h"
#include "storage/batch_reader.h"

namespace dl {

struct Plan {
  struct OfKind {
    std::int64_t create = 0;
    std::int64_t unchanged = 0;
    std::int64_t change = 0;
    std::int64_t conflict = 0;
  };
  std::array<OfKind, 3> kinds;     // campaign, ad group, ad
  std::vector<Problem> conflicts;  // told like problems of the file
  std::int64_t at_rest = 0;        // new or changed, but cancelled, or below something that failed or was cancelled

  // Each new or changed entity costs a POST and at least one question for its status, unless it is at rest.
  std::int64_t requests() const;
};

// `survey`: of the same file, loadable. `lookup`: nullptr where there is no database yet: all is
// new. Errors: io, SQLite's.
Result<Plan> make_plan(const InputFile& file, const Survey& survey, OnError policy,
                       JobLookup* lookup);

}  // namespace dl
