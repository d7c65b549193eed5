#include <map>
#include <string>
#include <utility>

#include "storage/model/job_state.h"
#include "tests/tidy/print_docs.h"

namespace dl::tidy {
namespace {

std::string_view meaning(JobState state) {
  switch (state) {
    case JobState::blocked: return "waits for one or more parents";
    case JobState::ready: return "may be submitted now";
    case JobState::waiting: return "a retry is scheduled (`due_at`)";
    case JobState::submitting:
      return "the intent to POST is committed; the request may be on the wire";
    case JobState::in_doubt: return "the POST may or may not have been applied";
    case JobState::confirming: return "the DSP's id is recorded; status polls are due at `due_at`";
    case JobState::succeeded: return "confirmed; children were promoted in the same transaction";
    case JobState::failed: return "given up after `max_retries`, or refused for good";
    case JobState::cancelled: return "an operator said so; nothing more is sent for it";
  }
  return "";
}

std::string_view meaning(JobEvent event) {
  switch (event) {
    case JobEvent::parents_done:
      return "the last parent succeeded, or a batch without open parents was published";
    case JobEvent::leased: return "the intent row is committed before the first byte leaves";
    case JobEvent::due: return "the scheduled retry is due";
    case JobEvent::accepted: return "2xx with the DSP's id";
    case JobEvent::not_sent: return "provably nothing left this machine; no attempt is spent";
    case JobEvent::given_back:
      return "leased, but handed back unsent: its connection was not free, or a stop came";
    case JobEvent::throttled: return "429, 401 or 403; no attempt is spent, the account pauses";
    case JobEvent::refused: return "refused, may be tried again; an attempt is spent";
    case JobEvent::refused_for_good: return "refused, and trying again cannot help";
    case JobEvent::exhausted: return "refused or failed once more than `max_retries` allows";
    case JobEvent::unknown: return "no proof either way: whatever is not listed";
    case JobEvent::owner_lost: return "the daemon that held the lease is proven dead";
    case JobEvent::resubmitted: return "leased again: same key, same bytes";
    case JobEvent::found: return "a lookup found exactly one entity under our key";
    case JobEvent::absent: return "three lookups after the settle time found nothing";
    case JobEvent::look_due:
      return "declared absent and settled, and the account can be asked: looked up";
    case JobEvent::confirmed: return "the DSP says success";
    case JobEvent::creation_failed: return "the DSP says failed: the entity was not created";
    case JobEvent::id_not_found:
      return "an id that an operator gave stays 404, or its creation failed";
    case JobEvent::retry_confirming: return "`retry`, and the DSP's id is known";
    case JobEvent::retry_in_doubt: return "`retry`, and a POST is unresolved";
    case JobEvent::retry_blocked: return "`retry`, and parents are open";
    case JobEvent::retry_ready: return "`retry`, and nothing stands in the way";
    case JobEvent::declared_absent: return "`absent`: the DSP does not have it";
    case JobEvent::declared_existing: return "`exists`: the DSP has it, under this id";
    case JobEvent::cancel: return "`cancel`: send nothing more for it";
  }
  return "";
}

// The daemon's own ways only; the operator's would bury them.
std::string picture() {
  std::map<std::pair<JobState, JobState>, std::string> arrows;
  for (const Rule& rule : kRules) {
    if (rule.actor == Actor::operator_) continue;
    std::string& label = arrows[{rule.from, rule.to}];
    if (!label.empty()) label += ", ";
    label += name_of(rule.event);
  }
  std::string text = "```mermaid\nstateDiagram-v2\n";
  text += "    [*] --> blocked\n";
  for (const auto& [ends, label] : arrows) {
    text += "    " + std::string(name_of(ends.first)) + " --> " +
            std::string(name_of(ends.second)) + " : " + label + "\n";
  }
  for (int i = 0; i < kJobStateCount; ++i) {
    const auto state = static_cast<JobState>(i);
    if (is_resting(state) && state != JobState::cancelled) {
      text += "    " + std::string(name_of(state)) + " --> [*]\n";
    }
  }
  return text + "```\n";
}

}  // namespace

std::string state_machine_page() {
  std::string text =
      "# A job's life\n\n"
      "<!-- Printed from kRules in storage/model/job_state.h: DL_UPDATE_DOCS=1 tidy_tests. -->\n\n"
      "One table is the whole definition: the guards in the database, the daemon, the tests and "
      "this\n"
      "page derive from it. What is not listed is not possible.\n\n"
      "| state | means |\n| --- | --- |\n";
  for (int i = 0; i < kJobStateCount; ++i) {
    const auto state = static_cast<JobState>(i);
    text += "| `" + std::string(name_of(state)) + "` | " + std::string(meaning(state)) + " |\n";
  }
  text += "\nWhat happens by itself:\n\n" + picture() +
          "\nEvery rule. The number is `rule` in `job_history`; it never changes its meaning. An "
          "operator acts\n"
          "by inserting into `operator_act`; the act decides which rule applies.\n\n"
          "| rule | from | event | to | by | when |\n| ---: | --- | --- | --- | --- | --- |\n";
  for (const Rule& rule : kRules) {
    text += "| " + std::to_string(rule.id) + " | `" + std::string(name_of(rule.from)) + "` | `" +
            std::string(name_of(rule.event)) + "` | `" + std::string(name_of(rule.to)) + "` | " +
            std::string(name_of(rule.actor)) + " | " + std::string(meaning(rule.event)) + " |\n";
  }
  return text;
}

}  // namespace dl::tidy
