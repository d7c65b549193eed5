#include "daemon/core/outcome.h"

#include <algorithm>
#include <array>

namespace dl {
namespace {

using enum OutcomeClass;

constexpr std::array kStatusRules = {
    StatusRule{200, 206, accepted, "applied, and the answer carries the id; without it see missing_id"},
    StatusRule{207, 207, unknown, "several outcomes in one answer: none is taken for ours"},
    StatusRule{208, 299, accepted, "applied, and the answer carries the id; without it see missing_id"},
    StatusRule{300, 306, unknown, "never followed; 303 can mean: done, look there"},
    StatusRule{307, 308, refused_for_good, "never followed; the target says: not here. Mend the endpoint"},
    StatusRule{400, 400, refused_for_good, "refused before any effect"},
    StatusRule{401, 401, unauthorized, "our credentials; not attempted"},
    StatusRule{402, 402, refused_for_good, "refused before any effect"},
    StatusRule{403, 403, unauthorized, "our permissions; not attempted"},
    StatusRule{404, 406, refused_for_good, "refused before any effect"},
    StatusRule{407, 407, unauthorized, "a proxy answered, not the DSP"},
    StatusRule{408, 408, refused, "the server did not receive a complete request (fresh connection only)"},
    StatusRule{409, 409, refused_for_good, "conflict with what exists; under a reused key: in progress"},
    StatusRule{410, 411, refused_for_good, "refused before any effect"},
    StatusRule{412, 412, refused, "a precondition failed in front of any effect"},
    StatusRule{413, 416, refused_for_good, "refused before any effect"},
    StatusRule{417, 417, refused, "Expect failed in front of any effect"},
    StatusRule{418, 420, refused_for_good, "unknown 4xx is 400 (RFC 9110 15)"},
    StatusRule{421, 421, refused, "misdirected: may be repeated on another connection"},
    StatusRule{422, 422, refused_for_good, "the content was refused; under a reused key: another body"},
    StatusRule{423, 424, refused_for_good, "refused before any effect"},
    StatusRule{425, 425, refused, "too early: refused in front of any effect"},
    StatusRule{426, 428, refused_for_good, "refused before any effect"},
    StatusRule{429, 429, throttled, "the limiter stands in front of any effect (RFC 6585)"},
    StatusRule{430, 499, refused_for_good, "unknown 4xx is 400 (RFC 9110 15)"},
    StatusRule{500, 500, unknown, "can be: applied, but the answer could not be built"},
    StatusRule{501, 501, refused_for_good, "the method is not supported"},
    StatusRule{502, 502, unknown, "a gateway lost its upstream after forwarding"},
    StatusRule{503, 503, unavailable, "the account pauses; may come from a proxy mid-request"},
    StatusRule{504, 504, unknown, "a gateway lost its upstream after forwarding"},
    StatusRule{505, 505, refused_for_good, "the version is not supported"},
    StatusRule{506, 510, unknown, "unexpected condition"},
    StatusRule{511, 511, unauthorized, "a portal answered, not the DSP"},
    StatusRule{512, 599, unknown, "unexpected condition"},
};

OutcomeClass by_status(int status) {
  for (const StatusRule& rule : kStatusRules) {
    if (status >= rule.first && status <= rule.last) return rule.post;
  }
  return unknown;
}

bool lists(const std::vector<int>& statuses, int status) {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

OutcomeClass classify_post(Purpose purpose, const DspReply& reply, const OutcomePolicy& policy) {
  if (reply.http_status == 0) return unknown;
  // A cut answer: its status still tells what a refusal tells; a success has lost its id.
  const OutcomeClass by_rule = by_status(reply.http_status);
  if (lists(policy.not_applied_statuses, reply.http_status)) return throttled;
  if (reply.http_status == 408 && !reply.fresh_connection) return unknown;  // may answer an idle connection
  if (purpose == Purpose::resubmit && reply.http_status == 409) return key_in_use;
  if (purpose == Purpose::resubmit && reply.http_status == 422) return key_mismatch;
  const bool by_itself = by_rule == accepted || by_rule == throttled || by_rule == unauthorized;
  if (!by_itself && lists(policy.retryable_statuses, reply.http_status)) return refused;
  if (by_rule != accepted) return by_rule;
  if (reply.wire != Wire::answered || !reply.answer.readable) return unknown;
  if (reply.answer.ids.size() == 1) return accepted;
  // A readable 2xx without the id.
  switch (policy.missing_id) {
    case MissingId::in_doubt: return unknown;
    case MissingId::refused: return reply.answer.ids.empty() ? refused : unknown;
  }
  return unknown;
}

OutcomeClass classify_look(Purpose purpose, const DspReply& reply, const OutcomePolicy& policy) {
  if (reply.wire != Wire::answered) return look_failed;
  const OutcomeClass by_rule = by_status(reply.http_status);
  if (by_rule == throttled || by_rule == unauthorized || by_rule == unavailable) return by_rule;
  if (lists(policy.not_applied_statuses, reply.http_status)) return throttled;
  if (reply.http_status == 404) return not_found;
  if (reply.http_status < 200 || reply.http_status > 299 || !reply.answer.readable) return look_failed;
  if (purpose == Purpose::lookup) {
    if (reply.answer.ids.empty()) return look_failed;
    return reply.answer.ids.size() == 1 ? found : found_many;
  }
  if (!reply.answer.status) return look_failed;
  if (*reply.answer.status == "success") return confirmed;
  if (*reply.answer.status == "failed") return creation_failed;
  return undecided;
}

}  // namespace

std::span<const StatusRule> status_rules() { return kStatusRules; }

OutcomeClass classify(Purpose purpose, const DspReply& reply, const OutcomePolicy& policy) {
  if (reply.wire == Wire::not_sent) return not_sent;
  return is_post(purpose) ? classify_post(purpose, reply, policy) : classify_look(purpose, reply, policy);
}

SlotEnd slot_end(const DspReply& reply) {
  switch (reply.wire) {
    case Wire::not_sent: return SlotEnd::not_sent;
    case Wire::no_answer: return SlotEnd::unsure;
    case Wire::answered: break;
  }
  // 408, 502 and 504 may come from somebody in front, while the request is still on its way.
  const bool by_a_gateway = reply.http_status == 408 || reply.http_status == 502 || reply.http_status == 504;
  const bool is_final = reply.http_status >= 200;
  return is_final && !by_a_gateway ? SlotEnd::answered : SlotEnd::unsure;
}

std::string_view name_of(OutcomeClass what) {
  switch (what) {
    case not_sent: return "not_sent";
    case accepted: return "accepted";
    case throttled: return "throttled";
    case unauthorized: return "unauthorized";
    case refused: return "refused";
    case refused_for_good: return "refused_for_good";
    case unavailable: return "unavailable";
    case key_in_use: return "key_in_use";
    case key_mismatch: return "key_mismatch";
    case unknown: return "unknown";
    case confirmed: return "confirmed";
    case creation_failed: return "creation_failed";
    case undecided: return "undecided";
    case not_found: return "not_found";
    case found: return "found";
    case found_many: return "found_many";
    case look_failed: return "look_failed";
  }
  return "?";
}

}  // namespace dl
