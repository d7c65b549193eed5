#include "daemon/core/decide.h"

#include <algorithm>

#include "daemon/core/backoff.h"
#include "storage/model/check.h"
#include "storage/model/planted.h"

namespace dl {
namespace {

constexpr Millis kSoon = 1'000;
constexpr Millis kOverdueStepMax = 3'600'000;
constexpr int kFirstLookupBackoff = 5;  // 2^5 s: about kAbsentLooksApart

struct Decider {
  const Granted& granted;
  const DspReply& reply;
  OutcomeClass what;
  const DecisionPolicy& policy;
  const DecisionContext& context;
  const Schedule& schedule;
  Outcome outcome;

  void describe() {
    outcome.request = granted.request;
    outcome.job = granted.job.id;
    outcome.purpose = granted.purpose;
    outcome.slot = slot_end(reply, policy.outcome);
    outcome.http_status = reply.http_status;
    outcome.outcome_class = name_of(what);
    outcome.latency_us = reply.latency_us;
    outcome.dsp_request_id = reply.dsp_request_id;
    outcome.looks = granted.looks;
    outcome.setbacks = granted.setbacks;
    outcome.error = words();
  }

  std::string words() const {
    std::string text = reply.answer.error.value_or("");
    const bool fine = what == OutcomeClass::accepted || what == OutcomeClass::confirmed ||
                      what == OutcomeClass::undecided || what == OutcomeClass::found;
    if (fine) return "";
    if (text.empty()) text = reply.trouble;
    const bool has_more = reply.answer.error ? false : !reply.excerpt.empty();
    if (has_more) text += (text.empty() ? "" : "; it begins: ") + reply.excerpt;
    if (!reply.location.empty())
      text += (text.empty() ? "Location: " : "; Location: ") + reply.location;
    if (reply.http_status == 0) return text;
    return "HTTP " + std::to_string(reply.http_status) + (text.empty() ? "" : ": " + text);
  }

  // An attempt is spent: the next one has a new key, or there is none.
  void spend(JobEvent again, JobEvent never) {
    outcome.spends_attempt = true;
    outcome.setbacks = 0;
    outcome.looks = 0;
    if (granted.tries + 1 > policy.max_retries + (planted(Fault::one_try_too_many) ? 1 : 0)) {
      outcome.event = never;
      return;
    }
    outcome.event = again;
    outcome.due_in_ms = std::max(retry_backoff(granted.job.id.value, granted.tries + 1),
                                 context.wait_ms.value_or(0));
  }

  void doubt(const std::string& why) {
    if (planted(Fault::new_key_after_a_doubt) && granted.purpose == Purpose::create) {
      outcome.resolution = "refused";
      return spend(JobEvent::refused, JobEvent::exhausted);
    }
    outcome.event = JobEvent::unknown;
    outcome.setbacks = 0;
    switch (planted(Fault::doubt_is_always_held) ? UnknownOutcome::hold : policy.unknown_outcome) {
      case UnknownOutcome::hold: outcome.hold = why.empty() ? kHeldByPolicy : why; break;
      case UnknownOutcome::resubmit:
        outcome.looks = granted.purpose == Purpose::resubmit ? granted.looks + 1 : 0;
        outcome.due_in_ms = retry_backoff(granted.job.id.value, outcome.looks);
        break;
      case UnknownOutcome::lookup:
        outcome.looks = 0;
        outcome.due_in_ms = planted(Fault::lookup_before_it_settled) ? 0 : policy.settle_ms;
        break;
    }
  }

  // 401, 403, 429: spends no attempt, but a job that keeps meeting them while others pass is set
  // back. How long.
  Millis set_back() {
    outcome.setbacks = context.others_pass ? granted.setbacks + 1 : granted.setbacks;
    return outcome.setbacks <= 1 ? 0
                                 : policy.window_ms << std::min(outcome.setbacks - 2, kSetbacksMax);
  }

  void set_back_or_fail() {
    const Millis wait = set_back();
    if (outcome.setbacks >= kSetbacksMax) {
      outcome.event = JobEvent::exhausted;
      return;
    }
    outcome.event = JobEvent::throttled;
    outcome.due_in_ms = wait;
  }

  // An entity may not keep the account shut by its looks: it is asked ever more rarely.
  Millis set_back_look() { return std::clamp(set_back(), kSoon, kOverdueStepMax); }

  void decide_create() {
    outcome.from = JobState::submitting;
    using enum OutcomeClass;
    switch (what) {
      case not_sent:
        outcome.event = JobEvent::not_sent;
        outcome.resolution = "not_sent";
        outcome.due_in_ms = kSoon;
        return;
      case accepted: return accept();
      case throttled:
      case unauthorized: outcome.resolution = "refused"; return set_back_or_fail();
      case refused:
        outcome.resolution = "refused";
        return spend(JobEvent::refused, JobEvent::exhausted);
      case refused_for_good:
        outcome.resolution = "refused";
        outcome.spends_attempt = true;
        outcome.event = JobEvent::refused_for_good;
        return;
      case unavailable:
      case key_in_use:
      case key_mismatch:
      case unknown:
      case confirmed:
      case creation_failed:
      case undecided:
      case not_found:
      case found:
      case found_many:
      case look_failed: return doubt("");
    }
  }

  void accept() {
    outcome.event = JobEvent::accepted;
    outcome.dsp_id = reply.answer.ids.front();
    outcome.resolution = "accepted";
    outcome.setbacks = 0;
    outcome.looks = 0;
    outcome.not_before_in_ms = context.wait_ms.value_or(0);
    outcome.due_in_ms = schedule.next_look_age(granted.job.kind, kNeverLooked);
  }

  // It proves nothing about the first request, so anything but an id leads back to in_doubt.
  void decide_resubmit() {
    outcome.from = JobState::submitting;
    if (what == OutcomeClass::accepted) return accept();
    const bool is_refused = what == OutcomeClass::refused || what == OutcomeClass::refused_for_good;
    if (planted(Fault::refused_resubmission_is_proof) && is_refused) return decide_create();
    doubt("");
    if (what == OutcomeClass::not_sent) outcome.resolution = "not_sent";
    if (what == OutcomeClass::key_mismatch) {
      outcome.hold = "the DSP says that the key was used with another body";
      outcome.due_in_ms.reset();
    }
  }

  Millis overdue_step() const {
    return outcome.overdue ? std::clamp(context.age_ms / 4, kSoon, kOverdueStepMax) : 0;
  }

  void decide_status() {
    outcome.from = JobState::confirming;
    outcome.overdue = context.age_ms > policy.confirm_timeout_ms;
    if (what == OutcomeClass::not_sent) {
      outcome.not_before_in_ms = kSoon;
      outcome.due_in_ms = kSoon;
      return;
    }
    if (pauses_account(what)) {
      outcome.not_before_in_ms =
          std::max({set_back_look(), overdue_step(), context.wait_ms.value_or(0)});
      outcome.due_in_ms = outcome.not_before_in_ms;
      return;
    }
    outcome.setbacks = 0;
    if (what == OutcomeClass::confirmed) {
      outcome.event = JobEvent::confirmed;
      outcome.overdue = false;
      return;
    }
    if (what == OutcomeClass::creation_failed && granted.declared_id) {
      // It need not be ours: where it is another's, a new key would make a second one of ours.
      doubt(
          "the DSP says that the creation of the id that an operator gave has failed; if it was "
          "this job's, say absent");
      outcome.event = JobEvent::id_not_found;
      outcome.overdue = false;
      outcome.outcome_class = kDeclaredIdFailed;
      return;
    }
    if (what == OutcomeClass::creation_failed) {
      outcome.overdue = false;
      spend(JobEvent::creation_failed, JobEvent::exhausted);
      if (planted(Fault::old_key_after_a_failed_status)) outcome.spends_attempt = false;
      return;
    }
    if (what == OutcomeClass::not_found && granted.declared_id &&
        granted.looks + 1 >= kDeclaredIdLooks) {
      doubt("the DSP does not know the id that an operator gave");  // as it was before it was given
      outcome.event = JobEvent::id_not_found;
      return;
    }
    outcome.looks = granted.looks + 1;
    outcome.looked = what == OutcomeClass::undecided || what == OutcomeClass::not_found;
    const Millis step = schedule.next_look_age(granted.job.kind, context.age_ms) - context.age_ms;
    Millis wait = std::max(context.wait_ms.value_or(0), overdue_step());
    if (!outcome.looked)
      wait = std::max(wait, retry_backoff(granted.job.id.value, std::min(granted.looks, 6)));
    outcome.not_before_in_ms = wait;
    outcome.due_in_ms = outcome.overdue ? wait : std::max({Millis{1}, step, wait});
  }

  void decide_lookup() {
    outcome.from = JobState::in_doubt;
    using enum OutcomeClass;
    if (what == found) {
      outcome.event = JobEvent::found;
      outcome.dsp_id = reply.answer.ids.front();
      outcome.id_is_proved = !reply.answer.external_ids.empty();  // another's was disbelieved
      outcome.resolution = "found";
      outcome.looks = 0;
      outcome.setbacks = 0;
      outcome.due_in_ms = 0;
    } else if (what == found_many) {
      outcome.hold =
          "the DSP has " + std::to_string(reply.answer.ids.size()) + " entities under our key";
    } else if (what == not_found) {
      outcome.looks = granted.looks + 1;
      outcome.setbacks = 0;
      outcome.due_in_ms = kAbsentLooksApart;
      if (outcome.looks < (planted(Fault::absent_after_one_look) ? 1 : kAbsentLooks)) return;
      outcome.event = JobEvent::absent;
      outcome.resolution = "absent";
      outcome.looks = 0;
      outcome.due_in_ms.reset();
    } else {
      look_up_again();
    }
  }

  // It said nothing of the entity. Where that is not the DSP's bad hour, it never will.
  void look_up_again() {
    outcome.due_in_ms = std::max(kAbsentLooksApart, context.wait_ms.value_or(0));
    const bool is_by_the_dsp = reply.wire == Wire::answered && reply.http_status < 500;
    const bool is_useless = is_by_the_dsp && what == OutcomeClass::look_failed &&
                            (reply.answer.readable || reply.http_status >= 300);
    if (pauses_account(what)) {
      const Millis wait = set_back_look();
      // One that all met alike is the DSP's bad hour, whatever answers were of no use before it.
      if (outcome.setbacks == granted.setbacks) return;
      outcome.due_in_ms = std::max(*outcome.due_in_ms, wait);
      // A 429 is about the rate: eight in a row, while others pass, can be mere bad luck.
      if (outcome.setbacks < kSetbacksMax || what == OutcomeClass::throttled) return;
      outcome.hold = "the DSP refuses the lookup while it answers others (" + outcome.error +
                     "): look there yourself";
    } else if (is_useless) {
      if (++outcome.setbacks < kUselessLookups) return;
      outcome.hold = "the DSP's lookup answers " + outcome.error +
                     ", which is neither our entity nor 404: look there yourself";
    } else {
      // Doubts are asked for before anything new is sent: they may not use the limit up.
      const int n = kFirstLookupBackoff + context.failed_lookups;
      outcome.due_in_ms = std::max(*outcome.due_in_ms, retry_backoff(granted.job.id.value, n));
    }
    if (outcome.hold) outcome.due_in_ms.reset();
  }
};

}  // namespace

Outcome decide(const Granted& granted, const DspReply& reply, OutcomeClass what,
               const DecisionPolicy& policy, const DecisionContext& context,
               const Schedule& schedule) {
  Decider decider{granted, reply, what, policy, context, schedule, {}};
  decider.describe();
  switch (granted.purpose) {
    case Purpose::create: decider.decide_create(); break;
    case Purpose::resubmit: decider.decide_resubmit(); break;
    case Purpose::status: decider.decide_status(); break;
    case Purpose::lookup: decider.decide_lookup(); break;
  }
  const Outcome& outcome = decider.outcome;
  DL_CHECK(!outcome.event || rule_for(outcome.from, *outcome.event),
           "a decision follows the state machine");
  return decider.outcome;
}

}  // namespace dl
