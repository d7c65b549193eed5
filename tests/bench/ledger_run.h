// A run of the real daemon, read from what the server took down: the mock's ledger, or nginx's
// access log.
// Thread rule: one owner.
#pragma once

#include <string>
#include <vector>

#include "storage/model/result.h"
#include "tests/bench/figures.h"
#include "tests/bench/workload.h"

namespace dl::bench {

struct LedgerRun {
  std::vector<Exchange> exchanges;  // times on the mock's clock
  // The graph that was submitted, with the processing times that the mock drew: the simulator can
  // run the very same day.
  Workload workload;
};

// `shape`: of the sheet (dl-make-sheet without --quirks). A request about an entity that is not of
// the sheet has campaign -1. Errors: no_input; data, naming the line.
Result<LedgerRun> read_ledger(const std::string& path, const std::string& shape);

// Arrivals only, in ms times `scale`, from the lines of tools/nginx-dsp: end, duration, ….
Result<std::vector<Exchange>> read_access_log(const std::string& path, double scale);

}  // namespace dl::bench
