// What dl-daemon --verify asks the DSP by its lookup: one attempt of one job, and what we believe
// of it. Plain values.
#pragma once

#include <string>

#include "storage/model/ids.h"
#include "storage/model/job.h"
#include "storage/model/job_state.h"

namespace dl {

enum class Believed {
  there,      // the ledger has its id
  dead,       // its status was `failed`: it may still be there, or not
  declared,   // an operator has said under which id it exists, which need not be its key's
  not_there,  // never sent, refused, or proven absent
  unknown,    // a POST of it is unresolved
};

struct Inquiry {
  JobId job;
  std::string job_key;
  JobKind kind = JobKind::campaign;
  JobState state = JobState::blocked;  // of the job
  int attempt = 1;
  std::string key;           // the attempt's, which is its external_id
  std::string dsp_id;        // there: what the ledger has
  bool can_be_asked = true;  // its POST carried the key in its body, or it was never sent
  Believed believed = Believed::unknown;
};

}  // namespace dl
