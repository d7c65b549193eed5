#include "tests/planted/table.h"

namespace dl::sim {
namespace {

constexpr std::string_view kTwice = "nothing is created twice";
constexpr std::string_view kLost = "nothing is lost";
constexpr std::string_view kOrder = "children after parents";
constexpr std::string_view kLimit = "the limit holds";
constexpr std::string_view kMeans = "doubts end by themselves";
constexpr std::string_view kHistory = "history leads to the state";

constexpr Mutant kMutants[] = {
    {Fault::synchronous_normal, "synchronous = NORMAL", kTwice, 50},
    {Fault::intent_after_the_send, "the intent is written after the send", kTwice, 50},
    {Fault::slot_refunded_on_a_crash, "a slot is given back on a crash", kLimit, 1'000},
    {Fault::slot_freed_from_the_send, "a slot is free W after the send", kLimit, 500},
    {Fault::late_arrivals_forgotten, "an unanswered request is held without D", kLimit, 200},
    {Fault::limiter_forgets_at_a_restart, "the limiter forgets at a restart", kLimit, 200},
    {Fault::other_boots_forgotten, "requests of another boot are forgotten", kLimit, 1'000},
    {Fault::gate_is_not_persisted, "a refusal's pause is not kept", kLimit, 500},
    {Fault::lookup_before_it_settled, "looked up before the settle time", kTwice, 1'000},
    {Fault::absent_after_one_look, "absent after one look", kTwice, 1'000},
    {Fault::refused_resubmission_is_proof, "a refused resubmission is proof", kTwice, 500},
    {Fault::expired_key_is_used, "a key is used after its lifetime", kTwice, 500},
    {Fault::new_key_after_a_doubt, "a new key after an unknown outcome", kTwice, 100},
    {Fault::old_key_after_a_failed_status, "the old key after a failed status", kTwice, 100},
    {Fault::doubt_is_always_held, "a doubt is always held", kMeans, 50},
    {Fault::server_error_is_a_refusal, "500 is taken for a refusal", kTwice, 500},
    {Fault::missing_id_is_a_refusal, "2xx without id is taken for a refusal", kTwice, 200},
    {Fault::reclaimed_as_not_sent, "a dead owner's POST counts as not sent", kTwice, 100},
    {Fault::reclaimed_from_a_stopped_owner, "reclaimed from a stopped owner", kTwice, 500},
    {Fault::requests_of_dead_owners_stay_open, "a dead owner's requests stay open", kLost, 50},
    {Fault::retry_of_a_cancelled_job_sends, "retry of a cancelled job sends at once", kTwice,
     1'000},
    {Fault::children_promoted_later, "children promoted in a second transaction", kLost, 200},
    {Fault::children_promoted_when_accepted, "children promoted before the confirmation", kOrder,
     50},
    {Fault::one_try_too_many, "one try more than allowed", kLost, 1'000},
    {Fault::history_line_missing, "a promotion without its line of history", kHistory, 50},
    {Fault::orphans_stay, "what a dead loader left stays", kLost, 500},
};

}  // namespace

std::span<const Mutant> mutants() { return kMutants; }

}  // namespace dl::sim
