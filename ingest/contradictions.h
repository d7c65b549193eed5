// Rows that say different things of one entity, told with both their lines and values. Runs only
// when the survey found a suspicion: it reads the file once more. Thread rule: one thread.
#pragma once

#include <vector>

#include "ingest/row.h"
#include "ingest/seen_entities.h"
#include "ingest/survey.h"

namespace dl {

// Adds a problem for every value that contradicts an earlier row, marks the later row as bad and
// the entity too. `suspicions`: sorted by later_row. Errors: io.
Status report_contradictions(const InputFile& file, Survey& survey,
                             const std::vector<SeenEntities::Suspicion>& suspicions);

}  // namespace dl
