// What an answer, or its absence, proves. One pure function over one table of 34 rows, which are
// all the ways in which a POST was seen to end; docs/OUTCOMES.md and the tests are made from the
// same table. Anything unlisted proves nothing: the POST is then in doubt. Sources: RFC 9110
// (status codes, methods), RFC 9112 (messages), RFC 6585 (429), the IETF Idempotency-Key draft.
// Pure; callable from any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "daemon/core/dsp.h"
#include "storage/model/account.h"

namespace dl {

enum class OutcomeClass {
  not_sent,          // no byte left: nothing happened
  accepted,          // POST: 2xx with the id
  throttled,         // 429: refused in front of any effect
  unauthorized,      // 401, 403, a TLS alert: about us, not about the job
  refused,           // not applied, may be tried again
  refused_for_good,  // not applied, trying again cannot help
  unavailable,       // bare 503: the account pauses; the POST is in doubt
  key_in_use,        // 409 where keys are honoured: a request with this key is still in progress
  key_mismatch,      // resubmission, 422: the key was used with another body
  unknown,           // no proof either way
  confirmed,         // status: success
  creation_failed,   // status: failed
  undecided,         // status: anything else readable; 404 soon after creation
  not_found,         // status or lookup: 404
  found,             // lookup: exactly one
  found_many,        // lookup: more than one
  look_failed,       // status or lookup: no usable answer; asking again is harmless
};
std::string_view name_of(OutcomeClass what);

// It speaks of the account, or of one entity only: whether others pass tells.
constexpr bool pauses_account(OutcomeClass what) {
  return what == OutcomeClass::throttled || what == OutcomeClass::unauthorized ||
         what == OutcomeClass::unavailable;
}

// A row of the table: a way in which a creation ends, and what that proves.
struct OutcomeRow {
  int number = 0;  // 1, 2, 3, …
  std::string_view end;
  OutcomeClass post = OutcomeClass::unknown;
  std::string_view why;
};
std::span<const OutcomeRow> outcome_rows();

// Which row a final answer with this status is of. A success still has to carry the id: rows 14
// to 18.
struct StatusRule {
  int first = 0;  // statuses first … last
  int last = 0;
  int row = 0;
};
std::span<const StatusRule> status_rules();

struct OutcomePolicy {
  MissingId missing_id = MissingId::in_doubt;
  std::vector<int> retryable_statuses;    // "not applied, try again" by this DSP's own word
  std::vector<int> not_applied_statuses;  // e.g. 503, where the DSP documents "not applied"
  // Idempotency-Key: 409 then says that the key is in use
  bool honours_keys = false;
};

OutcomeClass classify(Purpose purpose, const DspReply& reply, const OutcomePolicy& policy);

// Before classify(), of the answer to a lookup by `key`: where an entity of it says that it is
// another's, the DSP has not answered what it was asked (many ignore a query that they do not
// know), and the answer counts as one without an entity.
void disbelieve_anothers(DspReply& reply, std::string_view key);

// How the reply closes its limiter slot: only the origin's complete final answer frees it W later.
SlotEnd slot_end(const DspReply& reply, const OutcomePolicy& policy);

}  // namespace dl
