// Every row below is asked of classify() and decide(): only the words are written here.
#include <string>
#include <vector>

#include "daemon/core/decide.h"
#include "daemon/core/outcome.h"
#include "tests/tidy/print_docs.h"

namespace dl::tidy {
namespace {

using enum OutcomeClass;

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

// "400, 402, 404 to 406"; "-": no status tells this row.
std::string statuses_of(int row) {
  std::string text;
  for (const StatusRule& rule : status_rules()) {
    if (rule.row != row) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(rule.first);
    if (rule.first != rule.last) text += " to " + std::to_string(rule.last);
  }
  return text.empty() ? "-" : text;
}

DspReply answered(int status) {
  DspReply reply;
  reply.wire = Wire::answered;
  reply.fresh_connection = true;
  reply.http_status = status;
  reply.answer.readable = true;
  return reply;
}

DspReply with_ids(int count) {
  DspReply reply = answered(200);
  for (int i = 0; i < count; ++i) reply.answer.ids.push_back("id-" + std::to_string(i));
  return reply;
}

DspReply with_status(const std::string& status) {
  DspReply reply = answered(200);
  reply.answer.status = status;
  return reply;
}

DspReply on_wire(Wire wire, int status = 0) {
  DspReply reply = answered(status);
  reply.wire = wire;
  return reply;
}

struct Example {
  std::string what;
  Purpose purpose = Purpose::create;
  DspReply reply;
  OutcomePolicy policy;
};

std::vector<Example> post_examples() {
  DspReply later_413 = answered(413);
  later_413.retry_after = "120";
  OutcomePolicy keys;
  keys.honours_keys = true;
  DspReply reused_408 = answered(408);
  reused_408.fresh_connection = false;
  OutcomePolicy missing_refused;
  missing_refused.missing_id = MissingId::refused;
  OutcomePolicy declared;
  declared.retryable_statuses = {400, 503};
  OutcomePolicy documented;
  documented.not_applied_statuses = {503};
  using enum Purpose;
  return {
      {"given back unsent", create, on_wire(Wire::not_sent), {}},
      {"4xx, cut before the end of its body: the status is enough",
       create,
       on_wire(Wire::no_answer, 422),
       {}},
      {"413 with Retry-After", create, later_413, {}},
      {"409 where keys are honoured: a request with this key is in progress", create, answered(409),
       keys},
      {"2xx, readable, without the id; `missing_id = in_doubt`", create, with_ids(0), {}},
      {"2xx, readable, without the id; `missing_id = refused`", create, with_ids(0),
       missing_refused},
      {"2xx with more than one id", create, with_ids(2), {}},
      {"408 on a connection that was used before", create, reused_408, {}},
      {"a status listed in `retryable_status`", create, answered(503), declared},
      {"a status listed in `not_applied_status`", create, answered(503), documented},
      {"a resubmission meets 409: the first request is still in progress",
       resubmit,
       answered(409),
       {}},
      {"a resubmission meets 422: the key was used with another body", resubmit, answered(422), {}},
  };
}

std::vector<Example> look_examples() {
  using enum Purpose;
  return {
      {"status `success`", status, with_status("success"), {}},
      {"status `failed`", status, with_status("failed"), {}},
      {"any other status", status, with_status("processing"), {}},
      {"one id", lookup, with_ids(1), {}},
      {"more than one id", lookup, with_ids(2), {}},
      {"404", status, answered(404), {}},
      {"404", lookup, answered(404), {}},
      {"429", status, answered(429), {}},
      {"503", status, answered(503), {}},
      {"401, 403, 407, 511", status, answered(401), {}},
      {"any other answer", status, answered(500), {}},
      {"no complete answer", status, on_wire(Wire::no_answer), {}},
      {"nothing was sent", status, on_wire(Wire::not_sent), {}},
  };
}

std::string examples_table(const std::vector<Example>& examples, std::string_view first_column) {
  std::string text =
      "| " + std::string(first_column) + " | sent as | class |\n| --- | --- | --- |\n";
  for (const Example& e : examples) {
    text += "| " + e.what + " | " + std::string(name_of(e.purpose)) + " | " +
            code(name_of(classify(e.purpose, e.reply, e.policy))) + " |\n";
  }
  return text;
}

std::string fate(const Outcome& outcome) {
  const JobState to = outcome.event ? rule_for(outcome.from, *outcome.event)->to : outcome.from;
  std::string text = outcome.event ? code(name_of(to)) : "stays " + code(name_of(to));
  if (outcome.hold) text += ", held for an operator";
  return text;
}

std::string fate_of(Purpose purpose, OutcomeClass what, UnknownOutcome unknown_outcome, int tries) {
  Granted granted;
  granted.job.id = JobId{1};
  granted.purpose = purpose;
  granted.tries = tries;
  DspReply reply = with_ids(2);
  DecisionPolicy policy;
  policy.unknown_outcome = unknown_outcome;
  const Outcome outcome = decide(granted, reply, what, policy, {}, Schedule(Pace::limited));
  std::string text = fate(outcome);
  if (outcome.spends_attempt && tries == 0) {
    const std::string last = fate_of(purpose, what, unknown_outcome, policy.max_retries);
    text += last == text ? "" : "; " + last + " after the last retry";
    text += " (an attempt is spent)";
  }
  return text;
}

std::string_view words(OutcomeClass what) {
  switch (what) {
    case not_sent: return "no byte left: nothing happened";
    case accepted: return "applied, and we know the id";
    case throttled: return "refused in front of any effect; the account pauses";
    case unauthorized: return "about us, not about the job; the account pauses";
    case refused: return "not applied, may be tried again";
    case refused_for_good: return "not applied, trying again cannot help";
    case unavailable: return "the account pauses; it proves nothing about the job";
    case key_in_use: return "the first request is still in progress";
    case key_mismatch: return "the key was used with another body";
    case unknown: return "no proof either way";
    case confirmed: return "the entity exists";
    case creation_failed: return "the entity was not created";
    case undecided: return "not decided yet";
    case not_found: return "not there, or not there yet";
    case found: return "exactly one entity under our key";
    case found_many: return "more than one entity under our key";
    case look_failed: return "no usable answer; asking again is harmless";
  }
  return "";
}

// A resubmission and a lookup happen only where the account says so.
std::string fates_table(Purpose purpose, const std::vector<OutcomeClass>& classes) {
  std::string text = "| class | means | the job |\n| --- | --- | --- |\n";
  for (const OutcomeClass what : classes) {
    std::string becomes = fate_of(purpose, what, UnknownOutcome::resubmit, 0);
    if (purpose == Purpose::create && fate_of(purpose, what, UnknownOutcome::hold, 0) != becomes) {
      becomes += "; held for an operator where `unknown_outcome` is `hold`";
    }
    text +=
        "| " + code(name_of(what)) + " | " + std::string(words(what)) + " | " + becomes + " |\n";
  }
  return text;
}

std::string slots_table() {
  std::string text = "| the request ended with | its slot is |\n| --- | --- |\n";
  const auto row = [&text](std::string_view what, const DspReply& reply) {
    std::string_view held;
    switch (slot_end(reply, {})) {
      case SlotEnd::answered: held = "held until W after the answer (`answered`)"; break;
      case SlotEnd::unsure: held = "held until D + W after it was given up (`unsure`)"; break;
      case SlotEnd::not_sent: held = "free at once (`not_sent`)"; break;
    }
    text += "| " + std::string(what) + " | " + std::string(held) + " |\n";
  };
  row("a complete final answer", answered(201));
  row("429", answered(429));
  row("408: may come from somebody in front", answered(408));
  row("502, 504, another 5xx of row 31: may come from somebody in front", answered(502));
  row("503 that `not_applied_status` does not list: may come from somebody in front",
      answered(503));
  row("no complete answer", on_wire(Wire::no_answer));
  row("no byte sent", on_wire(Wire::not_sent));
  return text;
}

std::string posts_section() {
  std::string text =
      "## How a creation can end\n\n"
      "Anything not listed proves nothing: the job is then in doubt.\n\n"
      "| row | end | statuses | class | why |\n| ---: | --- | --- | --- | --- |\n";
  for (const OutcomeRow& row : outcome_rows()) {
    text += "| " + std::to_string(row.number) + " | " + std::string(row.end) + " | " +
            statuses_of(row.number) + " | " + code(name_of(row.post)) + " | " +
            std::string(row.why) + " |\n";
  }
  text +=
      "\nWhat settings, keys and connections change:\n\n" + examples_table(post_examples(), "end");
  text += "\n## What becomes of the job after a POST\n\nA creation (a new key):\n\n";
  text += fates_table(Purpose::create, {not_sent, accepted, throttled, unauthorized, refused,
                                        refused_for_good, unavailable, unknown});
  text +=
      "\nA resubmission (the same key, the same bytes). It proves nothing about the first request, "
      "so\n"
      "anything but an id leads back into doubt:\n\n";
  text += fates_table(Purpose::resubmit,
                      {not_sent, accepted, throttled, unauthorized, refused, refused_for_good,
                       unavailable, key_in_use, key_mismatch, unknown});
  return text;
}

std::string looks_section() {
  std::string text =
      "\n## A look: status poll or lookup\n\nA look changes nothing at the DSP, so a failed one is "
      "simply"
      " repeated later.\n\n" +
      examples_table(look_examples(), "answer");
  text +=
      "\n## What becomes of the job after a look\n\nA status poll. One that is refused while "
      "others pass is sent ever more "
      "rarely. A status `failed` of an id that an operator gave (`declared_id_failed` in the "
      "ledger) "
      "is not\nabout our own creation for sure: his word is withdrawn, and the POST is in doubt "
      "again:\n\n";
  text += fates_table(Purpose::status, {confirmed, creation_failed, undecided, not_found, throttled,
                                        unauthorized, unavailable, look_failed, not_sent});
  text += "\nA lookup. " + std::to_string(kAbsentLooks) + " absences, " +
          std::to_string(kAbsentLooksApart / 1'000) +
          " s apart and after the settle time, count as absent;\n"
          "then the job is `ready` again, with the same attempt and key. Only 404 is absent. An "
          "answer that is neither "
          "an\n"
          "entity nor 404 (an empty list, say, or an entity whose `external_id` is another's), " +
          std::to_string(kUselessLookups) +
          " times in a row, or a refusal other than 429 while others pass, " +
          std::to_string(kSetbacksMax) +
          " times, leaves\nthe job to an operator. So does one entity without an `external_id` "
          "whose id another job of the kind has. Where\nthe DSP is in trouble (5xx, no answer) it "
          "is asked ever more rarely, up to every quarter of an hour:\n\n";
  text += fates_table(Purpose::lookup, {found, found_many, not_found, throttled, unauthorized,
                                        unavailable, look_failed, not_sent});
  return text;
}

}  // namespace

std::string outcomes_page() {
  return "# What each answer proves\n\n"
         "<!-- Printed from daemon/core/outcome.cpp and decide.cpp: DL_UPDATE_DOCS=1 tidy_tests. "
         "-->\n\n"
         "The class of a request's end is `outcome` in the table `request`. Sources: RFC 9110, RFC "
         "6585,\n"
         "the IETF Idempotency-Key draft, and what servers were seen to do.\n\n" +
         posts_section() + looks_section() + "\n## What becomes of the limiter's slot\n\n" +
         slots_table();
}

}  // namespace dl::tidy
