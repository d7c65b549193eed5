// Are the promises kept, as far as the database alone can show? What a bad disk, a stray program or
// a fault of ours has done to the tables comes to light here: the view v_broken_promises, the
// digests of payloads and sent bodies, the idempotency keys, the windows of the limit, and what is
// still in doubt. Reads one snapshot of everything; works beside a running daemon. Thread rule and
// ownership: as the Database it borrows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "storage/database.h"

namespace dl {

struct Finding {
  enum class Kind {
    broken,    // a promise, a digest, a key: the tables contradict themselves
    in_doubt,  // nobody knows yet whether the DSP has it
    // the DSP does not have what it once confirmed (daemon/reconcile.h: this one and those below)
    missing,
    duplicate,  // the DSP has it more than once, or what by our tables it should not have
    unasked,    // the DSP gave no usable answer
    remark,     // no fault: what the DSP says of one that is in doubt
  };
  Kind kind = Kind::broken;
  std::int64_t job_id = 0;  // 0: of no job
  std::string key;          // the job's
  std::string what;
};
std::string_view name_of(Finding::Kind kind);

struct Verified {
  std::int64_t jobs = 0;
  std::int64_t requests = 0;
};

// `found` is called for each finding, in the order of promises. Errors: data (SQLite finds the file
// damaged), and SQLite's own.
Result<Verified> verify(Database& database, const std::function<void(Finding)>& found);

}  // namespace dl
