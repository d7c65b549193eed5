#include "storage/model/job_state.h"

namespace dl {

std::string_view name_of(JobState state) {
  switch (state) {
    case JobState::blocked: return "blocked";
    case JobState::ready: return "ready";
    case JobState::waiting: return "waiting";
    case JobState::submitting: return "submitting";
    case JobState::in_doubt: return "in_doubt";
    case JobState::confirming: return "confirming";
    case JobState::succeeded: return "succeeded";
    case JobState::failed: return "failed";
    case JobState::cancelled: return "cancelled";
  }
  return "?";
}

std::string_view name_of(JobEvent event) {
  switch (event) {
    case JobEvent::parents_done: return "parents_done";
    case JobEvent::leased: return "leased";
    case JobEvent::due: return "due";
    case JobEvent::accepted: return "accepted";
    case JobEvent::not_sent: return "not_sent";
    case JobEvent::given_back: return "given_back";
    case JobEvent::throttled: return "throttled";
    case JobEvent::refused: return "refused";
    case JobEvent::refused_for_good: return "refused_for_good";
    case JobEvent::exhausted: return "exhausted";
    case JobEvent::unknown: return "unknown";
    case JobEvent::owner_lost: return "owner_lost";
    case JobEvent::resubmitted: return "resubmitted";
    case JobEvent::found: return "found";
    case JobEvent::absent: return "absent";
    case JobEvent::look_due: return "look_due";
    case JobEvent::confirmed: return "confirmed";
    case JobEvent::creation_failed: return "creation_failed";
    case JobEvent::id_not_found: return "id_not_found";
    case JobEvent::retry_confirming: return "retry_confirming";
    case JobEvent::retry_in_doubt: return "retry_in_doubt";
    case JobEvent::retry_blocked: return "retry_blocked";
    case JobEvent::retry_ready: return "retry_ready";
    case JobEvent::declared_absent: return "declared_absent";
    case JobEvent::declared_existing: return "declared_existing";
    case JobEvent::cancel: return "cancel";
  }
  return "?";
}

std::string_view name_of(Actor actor) {
  switch (actor) {
    case Actor::daemon: return "daemon";
    case Actor::ingest: return "ingest";
    case Actor::operator_: return "operator";
  }
  return "?";
}

std::optional<JobState> state_named(std::string_view name) {
  for (int i = 0; i < kJobStateCount; ++i) {
    const auto state = static_cast<JobState>(i);
    if (name_of(state) == name) return state;
  }
  return std::nullopt;
}

}  // namespace dl
