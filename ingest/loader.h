// Writes prepared rows into a batch, in transactions that let the daemon through. Parents are
// placed at once, the ads of a chunk together. Thread rule: as the BatchWriter; it sleeps.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ingest/late_rows.h"
#include "ingest/row_pump.h"
#include "ingest/survey.h"
#include "ingest/user_row.h"
#include "storage/batch_writer.h"

namespace dl {

inline constexpr std::size_t kParentsKept = 200'000;  // about 40 MiB

class Loader {
 public:
  // `survey`: its header, and whether the rows are scattered.
  Loader(Database& database, BatchWriter& writer, const Survey& survey);

  // Writes all rows that the pump gives. Errors: as load().
  Status write_all(RowPump& pump, const ProgressSink& progress);

  std::vector<Problem> conflicts;  // changed rows of jobs that can no longer change

 private:
  using Chunks = std::vector<std::unique_ptr<PreparedChunk>>;

  Result<Chunks> take_chunks(RowPump& pump);
  Status write_late_rows();
  Status put_rows(std::span<const BatchRow> rows);
  struct Family;
  Status write_in_steps(std::span<const std::span<const PreparedRow>> parts);
  Status write(std::span<const std::span<const PreparedRow>> parts);
  Status add(const PreparedRow& row);
  Status place_parent(const PreparedRow& row, JobKind kind);
  Status flush();
  const std::string* raw_of(const PreparedRow& row, const Family& family, const PlacedJob& deepest);
  void report_conflict(const PreparedRow& row, JobKind kind, const PlacedJob& placed);
  Status let_others_through();

  // A campaign and one of its ad groups.
  struct Family {
    std::array<PlacedJob, 2> placed;
    std::array<std::string, 3> bodies;  // as this file has them; the third is the ad's
  };
  struct WaitingAd {
    const PreparedRow* row = nullptr;
    std::size_t family = 0;
  };

  Database& database_;
  BatchWriter& writer_;
  UserRows user_rows_;
  std::optional<LateRows> late_rows_;  // where the rows do not come in the order of the sheet
  std::deque<Family> families_{1};     // of the ads that wait; the last one is of the last row
  std::unordered_map<std::string, PlacedJob> parents_;
  std::vector<WaitingAd> waiting_;
  std::vector<JobText> texts_;
  std::vector<PlacedJob> ads_;
  std::vector<BatchRow> rows_;
  std::deque<std::string> raws_;  // that rows_ borrows
  bool is_beside_daemon_ = true;
};

}  // namespace dl
