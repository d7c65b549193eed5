// Ids that a person reads as one and that are two: c2 and C2, or an accent that is part of its
// letter in one row and a mark behind it in another. Each becomes a campaign or an ad group of its
// own, so somebody should say that this is meant. Memory is bounded, as of seen_entities.h. Thread
// rule: one thread.
#pragma once

#include "ingest/input_file.h"
#include "ingest/seen_entities.h"
#include "ingest/survey.h"

namespace dl {

class LookAlikeIds {
 public:
  // The key of a campaign or an ad group; ads are too many, and nothing stands below them. Errors:
  // cant_create, io.
  Status add(std::string_view key, std::int64_t row);

  // A warning for each id that looks like an earlier one. Reads the file once more where there may
  // be such. Call once. Errors: io.
  Status warn(const InputFile& file, Survey& survey);

 private:
  SeenEntities seen_{1'000'000};  // 16 MB
  std::string form_;
};

}  // namespace dl
