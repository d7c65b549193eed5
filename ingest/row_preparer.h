// The second pass, prepared: reads the rows again and makes their entities, bodies and digests.
// Thread rule: one thread an object.
#pragma once

#include <array>

#include "ingest/prepared_row.h"
#include "ingest/rejects.h"
#include "ingest/survey.h"
#include "ingest/user_row.h"

namespace dl {

class RowPreparer final : public ChunkSource {
 public:
  // All are borrowed. `rejects` gets the rows that the survey leaves out.
  RowPreparer(RowReader& reader, const Survey& survey, OnError policy, Rejects& rejects);

  // In the order of the file.
  Result<bool> fill(PreparedChunk& chunk) override;

  // After the end: rows that could not be read at all.
  std::int64_t unreadable_rows() const { return told_before_.bad_rows(); }

 private:
  Status prepare(const Row& row, PreparedChunk& chunk);

  RowReader& reader_;
  const Survey& survey_;
  OnError policy_;
  Rejects& rejects_;
  RowEntities entities_;
  UserRows user_rows_;
  Problems told_before_;
  std::array<bool, 3> known_{};  // the writer has this level's entity from the row before
};

}  // namespace dl
