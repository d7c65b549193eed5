// What we know of the DSP's manners: properties of the account, set in the configuration, never
// guessed. Plain values; callable from any thread.
#pragma once

#include <array>
#include <string_view>

#include "storage/model/named.h"

namespace dl {

// What happens to a job whose POST may or may not have been applied.
enum class UnknownOutcome {
  hold,      // an operator decides
  resubmit,  // the DSP honours idempotency keys: the same key and bytes are sent again
  lookup,    // the DSP can be asked by our key
};
// As the setting and table account have them.
inline constexpr auto kUnknownOutcomes = std::to_array<Named<UnknownOutcome>>({
    {UnknownOutcome::hold, "hold"},
    {UnknownOutcome::resubmit, "resubmit"},
    {UnknownOutcome::lookup, "lookup"},
});
constexpr std::string_view name_of(UnknownOutcome what) { return name_in(kUnknownOutcomes, what); }

// Why a job in doubt waits where the account offers no means. That the account learns one frees the
// jobs that are held for this reason, byte for byte (storage/sql/release_doubts.sql), and no
// others: so everybody who holds a job for it writes these words, and they stay as released
// databases and their triggers (migrations/0003_acts.sql) have them.
inline constexpr const char* kHeldByPolicy = "no proof either way, and unknown_outcome is hold";

// What a readable 2xx answer to a POST without the id means.
enum class MissingId {
  in_doubt,  // the entity may exist
  refused,   // the entity was not created
};
inline constexpr auto kMissingIds = std::to_array<Named<MissingId>>({
    {MissingId::in_doubt, "in_doubt"},
    {MissingId::refused, "refused"},
});

}  // namespace dl
