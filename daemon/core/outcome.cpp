#include "daemon/core/outcome.h"

#include <algorithm>
#include <array>

#include "storage/model/planted.h"

namespace dl {
namespace {

using enum OutcomeClass;

// One creation each, not a resubmission: that one proves nothing about the first request
// (decide.cpp).
constexpr auto kRows = std::to_array<OutcomeRow>({
    {1, "the name does not resolve", not_sent, "nothing was sent"},
    {2, "connecting fails: refused, unreachable, reset, timeout", not_sent,
     "no byte of a request left"},
    {3, "this machine is out of descriptors, buffers or ports", not_sent,
     "no byte of a request left"},
    {4, "TLS fails: handshake, wrong name, expired or unknown certificate, old version", not_sent,
     "the permit comes after the handshake"},
    {5, "the intent cannot be committed", not_sent, "what is not committed is not sent"},
    {6, "writing fails before the first byte of the body left", not_sent,
     "an incomplete message can be taken for no request (RFC 9112, 8)"},
    {7, "writing fails later", unknown,
     "an answer that came early is read first and decides by its status; without one nothing is "
     "known"},
    {8, "written; then reset, end or deadline before the first byte of an answer", unknown,
     "never read, and applied before it died, look the same"},
    {9, "the same on a connection that was used before", unknown,
     "why a creation gets a fresh connection, unless the DSP honours keys"},
    {10,
     "in place of an answer a TLS alert: our certificate is missing, bad or unknown, or access is "
     "denied",
     unauthorized,
     "TLS 1.3 refuses us after our side of the handshake; no data is processed before it is "
     "complete"},
    {11, "the header is cut, or no HTTP", unknown, "it conveys nothing (RFC 9112, 8)"},
    {12, "a success whose body is cut, or has no length and no readable end", unknown,
     "applied, but the id is lost. Other statuses count as if they were complete"},
    {13, "1xx", unknown, "not an answer: read past. 101 was not asked for"},
    {14, "200, 201 or another success with the id", accepted, "applied, and we know the id"},
    {15, "202 with the id", accepted,
     "accepted, not done: polled like the others. A Location is kept for the operator"},
    {16, "a success without a legal id, with two, of another content type, or empty", unknown,
     "most likely applied; a readable one without id: see `missing_id`"},
    {17, "a success with an error object", unknown,
     "what of it is a refusal is the DSP's to document: see `missing_id`"},
    {18, "207", unknown, "several outcomes in one answer: none is taken for ours"},
    {19, "a redirect", unknown, "never followed; 303 can mean: done, look there"},
    {20, "307, 308", refused_for_good,
     "never followed; the target says: not here. Mend the endpoint"},
    {21, "4xx that is not named below", refused_for_good,
     "refused before any effect; an unknown 4xx is 400 (RFC 9110, 15). 413 with Retry-After is "
     "`refused`"},
    {22, "401", unauthorized, "our credentials; not attempted"},
    {23, "403", unauthorized, "our permissions; not attempted"},
    {24, "407, 511", unauthorized, "a proxy or portal answered, not the DSP"},
    {25, "408", refused,
     "the server did not receive a complete request; on a used connection `unknown`: it may answer "
     "the idling"},
    {26, "409", refused_for_good,
     "conflict with what exists, maybe another's of the same name: not adopted unasked, also where "
     "lookups are offered; "
     "who knows it for ours says `exists`. Where keys are honoured `key_in_use`: asked again under "
     "the same key"},
    {27, "412, 417, 421, 425", refused,
     "refused in front of any effect, for a reason that may pass"},
    {28, "429", throttled, "the limiter stands in front of any effect (RFC 6585)"},
    {29, "500", unknown, "can be: applied, but the answer could not be built"},
    {30, "501, 505", refused_for_good, "method or version are not supported"},
    {31, "502, 504, another 5xx", unknown, "a gateway lost its upstream after forwarding"},
    {32, "503", unavailable,
     "the account pauses; may come from a proxy in the middle of the request. See "
     "`not_applied_status`"},
    {33, "the daemon or the machine dies after the intent", unknown,
     "the request may have left; the row says `owner_lost`"},
    {34, "the outcome of an answer cannot be committed", accepted,
     "the commit is tried again, never the POST; where the daemon dies over it, row 33"},
});

constexpr std::array kStatusRules = {
    StatusRule{100, 199, 13}, StatusRule{200, 201, 14}, StatusRule{202, 202, 15},
    StatusRule{203, 206, 14}, StatusRule{207, 207, 18}, StatusRule{208, 299, 14},
    StatusRule{300, 306, 19}, StatusRule{307, 308, 20}, StatusRule{309, 399, 19},
    StatusRule{400, 400, 21}, StatusRule{401, 401, 22}, StatusRule{402, 402, 21},
    StatusRule{403, 403, 23}, StatusRule{404, 406, 21}, StatusRule{407, 407, 24},
    StatusRule{408, 408, 25}, StatusRule{409, 409, 26}, StatusRule{410, 411, 21},
    StatusRule{412, 412, 27}, StatusRule{413, 416, 21}, StatusRule{417, 417, 27},
    StatusRule{418, 420, 21}, StatusRule{421, 421, 27}, StatusRule{422, 424, 21},
    StatusRule{425, 425, 27}, StatusRule{426, 428, 21}, StatusRule{429, 429, 28},
    StatusRule{430, 499, 21}, StatusRule{500, 500, 29}, StatusRule{501, 501, 30},
    StatusRule{502, 502, 31}, StatusRule{503, 503, 32}, StatusRule{504, 504, 31},
    StatusRule{505, 505, 30}, StatusRule{506, 510, 31}, StatusRule{511, 511, 24},
    StatusRule{512, 599, 31},
};

constexpr bool rows_are_numbered() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (kRows[i].number != static_cast<int>(i) + 1) return false;
  }
  return true;
}
static_assert(rows_are_numbered(), "a status rule finds its row by its number");

constexpr int kCutShort = 25;       // 408
constexpr int kGatewayFailed = 31;  // 502, 504, another 5xx
constexpr int kBusy = 32;           // 503

int row_of(int status) {
  for (const StatusRule& rule : kStatusRules) {
    if (status >= rule.first && status <= rule.last) return rule.row;
  }
  return 0;
}

OutcomeClass by_status(int status) {
  const int row = row_of(status);
  return row == 0 ? unknown : kRows[static_cast<std::size_t>(row) - 1].post;
}

bool lists(const std::vector<int>& statuses, int status) {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

OutcomeClass classify_post(Purpose purpose, const DspReply& reply, const OutcomePolicy& policy) {
  if (reply.http_status == 0) return unknown;  // rows 7 to 9, 11, 13, 33
  if (planted(Fault::server_error_is_a_refusal) && reply.http_status == 500) return refused;
  // A cut answer: its status still tells what a refusal tells; a success has lost its id.
  const OutcomeClass by_rule = by_status(reply.http_status);
  if (lists(policy.not_applied_statuses, reply.http_status)) return throttled;
  // may answer an idle connection
  if (reply.http_status == 408 && !reply.fresh_connection) return unknown;
  // for the time being (RFC 9110 15.5.14)
  if (reply.http_status == 413 && reply.retry_after) return refused;
  const bool has_key = purpose == Purpose::resubmit || policy.honours_keys;
  if (has_key && reply.http_status == 409) return key_in_use;
  if (purpose == Purpose::resubmit && reply.http_status == 422) return key_mismatch;
  const bool by_itself = by_rule == accepted || by_rule == throttled || by_rule == unauthorized;
  if (!by_itself && lists(policy.retryable_statuses, reply.http_status)) return refused;
  if (by_rule != accepted) return by_rule;
  if (reply.wire != Wire::answered || !reply.answer.readable) return unknown;
  if (reply.answer.ids.size() == 1) return accepted;
  // A readable 2xx without the id.
  switch (planted(Fault::missing_id_is_a_refusal) ? MissingId::refused : policy.missing_id) {
    case MissingId::in_doubt: return unknown;
    case MissingId::refused: return reply.answer.ids.empty() ? refused : unknown;
  }
  return unknown;
}

OutcomeClass classify_look(Purpose purpose, const DspReply& reply, const OutcomePolicy& policy) {
  if (reply.wire != Wire::answered) return look_failed;
  const OutcomeClass by_rule = by_status(reply.http_status);
  if (by_rule == throttled || by_rule == unauthorized || by_rule == unavailable) return by_rule;
  if (reply.http_status == 404) return not_found;  // whatever a creation's 404 may mean
  if (lists(policy.not_applied_statuses, reply.http_status)) return throttled;
  if (reply.http_status < 200 || reply.http_status > 299 || !reply.answer.readable)
    return look_failed;
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

std::span<const OutcomeRow> outcome_rows() { return kRows; }
std::span<const StatusRule> status_rules() { return kStatusRules; }

OutcomeClass classify(Purpose purpose, const DspReply& reply, const OutcomePolicy& policy) {
  if (reply.wire == Wire::not_sent) return not_sent;
  if (reply.http_status == 0) {
    switch (reply.not_taken) {
      case NotTaken::no_proof: break;
      case NotTaken::body_never_began: return not_sent;
      case NotTaken::tls_refused_us: return unauthorized;
    }
  }
  return is_post(purpose) ? classify_post(purpose, reply, policy)
                          : classify_look(purpose, reply, policy);
}

void disbelieve_anothers(DspReply& reply, std::string_view key) {
  // a UUID stays one in capitals
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto is_ours = [&](const std::string& said) {
    return std::equal(said.begin(), said.end(), key.begin(), key.end(),
                      [&](char a, char b) { return lower(a) == lower(b); });
  };
  const auto& said = reply.answer.external_ids;
  const auto anothers = std::find_if_not(said.begin(), said.end(), is_ours);
  if (anothers == said.end()) return;
  reply.trouble = "an entity of " +
                  (anothers->empty() ? "no external_id" : "external_id " + *anothers) + " where " +
                  std::string(key) + " was asked for (does it ignore the query?)";
  reply.answer = {};
  reply.answer.readable = true;
}

SlotEnd slot_end(const DspReply& reply, const OutcomePolicy& policy) {
  switch (reply.wire) {
    case Wire::not_sent: return SlotEnd::not_sent;
    case Wire::no_answer: return SlotEnd::unsure;
    case Wire::answered: break;
  }
  if (reply.http_status < 200) return SlotEnd::unsure;
  // These may come from somebody in front, while the request is still on its way to the DSP.
  const int row = row_of(reply.http_status);
  const bool may_be_a_gateways = row == kCutShort || row == kGatewayFailed || row == kBusy;
  const bool is_the_dsps = lists(policy.not_applied_statuses, reply.http_status);
  return may_be_a_gateways && !is_the_dsps ? SlotEnd::unsure : SlotEnd::answered;
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
