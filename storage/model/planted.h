// Faults that can be planted on purpose, each against one promise, to show that the simulator would
// find them (tests/planted/table.cpp). They exist only where DL_PLANTED_FAULTS is defined, which
// the build does for the target dl-sim-mutants and nothing else: everywhere else planted() is a
// constant false. A switch is one condition beside the rule that it breaks. Thread rule: chosen
// once, before anything runs.
#pragma once

namespace dl {

enum class Fault {
  none,
  synchronous_normal,
  intent_after_the_send,
  slot_refunded_on_a_crash,
  slot_freed_from_the_send,
  late_arrivals_forgotten,
  limiter_forgets_at_a_restart,
  other_boots_forgotten,
  gate_is_not_persisted,
  lookup_before_it_settled,
  absent_after_one_look,
  refused_resubmission_is_proof,
  expired_key_is_used,
  new_key_after_a_doubt,
  old_key_after_a_failed_status,
  doubt_is_always_held,
  server_error_is_a_refusal,
  missing_id_is_a_refusal,
  reclaimed_as_not_sent,
  reclaimed_from_a_stopped_owner,
  requests_of_dead_owners_stay_open,
  retry_of_a_cancelled_job_sends,
  children_promoted_later,
  children_promoted_when_accepted,
  one_try_too_many,
  history_line_missing,
  orphans_stay,
};

#ifdef DL_PLANTED_FAULTS
inline Fault g_planted = Fault::none;
inline bool planted(Fault fault) { return g_planted == fault; }
#else
constexpr bool planted(Fault) { return false; }
#endif

}  // namespace dl
