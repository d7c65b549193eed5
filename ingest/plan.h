// What loading files one after the other would do, entity by entity, without writing anything.
// Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
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

class Planner {
 public:
  // `lookup`: nullptr where there is no database yet: all is new.
  explicit Planner(JobLookup* lookup) : lookup_(lookup) {}

  // Of the next file; what the ones before it bring is there by then. `survey`: of the same file, loadable. Errors: io,
  // SQLite's.
  Result<Plan> plan(const InputFile& file, const Survey& survey, OnError policy);

 private:
  // Of an entity, beside the hash of its key. Twelve bytes instead of key and body: a plan may be off by one in a billion
  // entities.
  struct Seen {
    std::uint32_t file = 0;  // the last that has it; 1 = first
    std::uint32_t body = 0;  // hash of what a file brings that is not in the database; 0: none
    bool has_stopped = false;  // it, or something above it, failed or was cancelled
  };

  Status add(const Row& row, const RowReader& reader, const RowEntities& entities, Plan& plan);
  Status judge(const Row& row, const RowReader& reader, JobKind kind, const Entity& entity, Seen& seen, Plan& plan);

  JobLookup* lookup_;
  std::unordered_map<std::size_t, Seen> seen_;
  std::uint32_t file_ = 0;
};

}  // namespace dl
