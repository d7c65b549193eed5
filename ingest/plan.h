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
#include "storage/batch_writer.h"

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
  // values that would take the place of others, one each, of the first kChangesTold entities
  std::vector<Problem> changes;
  std::int64_t changes_told = 0;    // entities in them
  std::int64_t contradictions = 0;  // of the changed: an earlier file has them with other values
  // new or changed, but cancelled, or below something that has stopped
  std::int64_t at_rest = 0;
  // changed, but an earlier file has them, whose plan has counted their requests
  std::int64_t counted_before = 0;
  RowFates rows;  // as the load will find them, but for those that succeeded

  // Each new or changed entity costs a POST and at least one question for its status, unless it is
  // at rest, or an earlier file's.
  std::int64_t requests() const;
  std::int64_t changed() const;  // of all kinds
};

class Planner {
 public:
  // `lookup`: nullptr where there is no database yet: all is new.
  explicit Planner(JobLookup* lookup) : lookup_(lookup) {}

  // Of the next file; what the ones before it bring is there by then. `survey`: of the same file,
  // loadable. Errors: io, SQLite's.
  Result<Plan> plan(const InputFile& file, const Survey& survey, OnError policy);

 private:
  // What an entity is on once the files are loaded; all but the first: nobody sends it as things
  // stand.
  enum class Way : std::uint8_t { goes_on, failed, cancelled, held, stuck };
  static Way way_of(const std::optional<KnownJob>& known, Way above);

  // Of an entity, beside the hash of its key. Twelve bytes instead of key and body: a plan may be
  // off by one in a billion entities.
  struct Seen {
    std::uint32_t file = 0;  // the last that has it; 1 = first
    std::uint32_t body = 0;  // hash of what a file brings that is not in the database; 0: none
    Way way = Way::goes_on;  // with the values of that file
  };

  Status add(const Row& row, const RowReader& reader, const RowEntities& entities, Plan& plan);
  // `above`: the way of its parent.
  Status judge(const Row& row, const RowReader& reader, JobKind kind, const Entity& entity,
               Way above, Seen& seen, Plan& plan);
  static void tell_change(const Row& row, const RowReader& reader, JobKind kind,
                          const Entity& entity, const KnownJob& known, Plan& plan);
  static void tell_contradiction(const Row& row, const RowReader& reader, JobKind kind, Plan& plan);
  Result<std::optional<KnownJob>> look_up(const Entity& entity);

  JobLookup* lookup_;
  std::unordered_map<std::size_t, Seen> seen_;
  std::uint32_t file_ = 0;
};

}  // namespace dl
