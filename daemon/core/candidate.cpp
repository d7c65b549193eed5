#include "daemon/core/candidate.h"

namespace dl {

OrderKey order_of(const Candidate& candidate, EndGame end_game) {
  const JobRef& job = candidate.job;
  const bool is_poll = candidate.purpose == Purpose::status;
  switch (end_game) {
    case EndGame::yes: return {job.priority, job.level, is_poll ? 1 : 0, job.root_id, job.id};
    case EndGame::no: break;
  }
  int rank = 1;
  if (candidate.purpose == Purpose::lookup) rank = 0;
  if (is_poll) rank = job.has_children ? 0 : 2;
  return {job.priority, job.root_id, rank, job.level, job.id};
}

}  // namespace dl
