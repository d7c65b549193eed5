// The table itself is compared with design 2 row by row: the expectations below are written out by
// hand, not derived from kRules.
#include "storage/model/job_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace dl {
namespace {

using enum JobState;

constexpr auto kEvents = std::to_array<JobEvent>({JobEvent::parents_done,
                                                  JobEvent::leased,
                                                  JobEvent::due,
                                                  JobEvent::accepted,
                                                  JobEvent::not_sent,
                                                  JobEvent::given_back,
                                                  JobEvent::throttled,
                                                  JobEvent::refused,
                                                  JobEvent::refused_for_good,
                                                  JobEvent::exhausted,
                                                  JobEvent::unknown,
                                                  JobEvent::owner_lost,
                                                  JobEvent::resubmitted,
                                                  JobEvent::found,
                                                  JobEvent::absent,
                                                  JobEvent::confirmed,
                                                  JobEvent::creation_failed,
                                                  JobEvent::id_not_found,
                                                  JobEvent::retry_confirming,
                                                  JobEvent::retry_in_doubt,
                                                  JobEvent::retry_blocked,
                                                  JobEvent::retry_ready,
                                                  JobEvent::declared_absent,
                                                  JobEvent::declared_existing,
                                                  JobEvent::cancel});

std::vector<JobState> all_states() {
  std::vector<JobState> states;
  for (int i = 0; i < kJobStateCount; ++i) states.push_back(static_cast<JobState>(i));
  return states;
}

// Design 2, the table: from -> event -> to.
const std::map<JobState, std::map<JobEvent, JobState>>& design() {
  using enum JobEvent;
  static const std::map<JobEvent, JobState> retries = {{retry_confirming, confirming},
                                                       {retry_in_doubt, in_doubt},
                                                       {retry_blocked, blocked},
                                                       {retry_ready, ready}};
  static const auto with_retries = [](std::map<JobEvent, JobState> more) {
    more.insert(retries.begin(), retries.end());
    return more;
  };
  static const std::map<JobState, std::map<JobEvent, JobState>> table = {
      {blocked, {{parents_done, ready}, {cancel, cancelled}}},
      {ready, {{leased, submitting}, {cancel, cancelled}}},
      {waiting, with_retries({{due, ready}, {cancel, cancelled}})},
      {submitting,
       {{accepted, confirming},
        {not_sent, waiting},
        {given_back, ready},
        {throttled, waiting},
        {refused, waiting},
        {refused_for_good, failed},
        {exhausted, failed},
        {unknown, in_doubt},
        {owner_lost, in_doubt}}},
      {in_doubt,
       {{resubmitted, submitting},
        {found, confirming},
        {absent, ready},
        {declared_absent, waiting},
        {declared_existing, confirming},
        {cancel, cancelled}}},
      {confirming,
       {{confirmed, succeeded},
        {creation_failed, waiting},
        {exhausted, failed},
        {id_not_found, in_doubt},
        {cancel, cancelled}}},
      {succeeded, {}},
      {failed, with_retries({{declared_existing, confirming}, {cancel, cancelled}})},
      {cancelled, with_retries({})},
  };
  return table;
}

TEST(JobState, FollowsTheDesignInEveryStateForEveryEvent) {
  for (const JobState from : all_states()) {
    const std::map<JobEvent, JobState>& row = design().at(from);
    for (const JobEvent event : kEvents) {
      const std::optional<Rule> rule = rule_for(from, event);
      const auto expected = row.find(event);
      ASSERT_EQ(rule.has_value(), expected != row.end()) << name_of(from) << " " << name_of(event);
      if (rule) {
        EXPECT_EQ(rule->to, expected->second) << name_of(from) << " " << name_of(event);
      }
    }
  }
}

TEST(JobState, HasARuleInTheTableForEveryRuleFound) {
  for (const Rule& rule : kRules) {
    const std::optional<Rule> found = rule_for(rule.from, rule.event);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, rule.id);
    EXPECT_NE(rule.from, rule.to) << "a rule changes the state; what stays needs none";
  }
}

// job_history stores the ids: a rule may be added at the end, never renumbered.
TEST(JobState, NumbersItsRulesOnceAndForAll) {
  ASSERT_EQ(kRules.size(), 41U);
  for (std::size_t i = 0; i < kRules.size(); ++i) EXPECT_EQ(kRules[i].id, static_cast<int>(i) + 1);
  EXPECT_EQ(rule_for(ready, JobEvent::leased)->id, 2);
  EXPECT_EQ(rule_for(submitting, JobEvent::unknown)->id, 11);
  EXPECT_EQ(rule_for(in_doubt, JobEvent::absent)->id, 15);
  EXPECT_EQ(rule_for(confirming, JobEvent::confirmed)->id, 16);
  EXPECT_EQ(rule_for(failed, JobEvent::retry_ready)->id, 23);
  EXPECT_EQ(rule_for(waiting, JobEvent::look_due)->id, 41);
  EXPECT_EQ(rule_for(failed, JobEvent::cancel)->id, 40);
}

std::set<JobState> reachable(JobState from, bool with_operator) {
  std::set<JobState> seen = {from};
  for (bool grew = true; grew;) {
    grew = false;
    for (const Rule& rule : kRules) {
      if (!with_operator && rule.actor == Actor::operator_) continue;
      if (seen.contains(rule.from)) grew |= seen.insert(rule.to).second;
    }
  }
  return seen;
}

TEST(JobState, CanReachSuccessFromEveryStateTheDaemonWorksOn) {
  for (const JobState from : all_states()) {
    const bool given_up = from == failed || from == cancelled;
    EXPECT_EQ(reachable(from, false).contains(succeeded), !given_up) << name_of(from);
    EXPECT_TRUE(reachable(from, true).contains(succeeded)) << name_of(from);
  }
}

TEST(JobState, IsReachableInAllItsStatesFromBlocked) {
  EXPECT_EQ(reachable(blocked, true).size(), static_cast<std::size_t>(kJobStateCount));
}

TEST(JobState, RestsWhereTheDaemonHasNoEvent) {
  for (const JobState state : all_states()) {
    const bool daemon_leaves = std::any_of(kRules.begin(), kRules.end(), [&](const Rule& rule) {
      return rule.from == state && rule.actor != Actor::operator_;
    });
    EXPECT_EQ(is_resting(state), !daemon_leaves) << name_of(state);
  }
}

TEST(JobState, KeepsTheOperatorFromWhatIsOnTheWireOrDone) {
  for (const Rule& rule : kRules) {
    if (rule.actor != Actor::operator_) continue;
    EXPECT_NE(rule.from, submitting) << rule.id;
    EXPECT_NE(rule.from, succeeded) << rule.id;
  }
}

TEST(JobState, GivesEachActorItsOwnEvents) {
  const std::set<JobEvent> acts = {
      JobEvent::retry_confirming, JobEvent::retry_in_doubt,  JobEvent::retry_blocked,
      JobEvent::retry_ready,      JobEvent::declared_absent, JobEvent::declared_existing,
      JobEvent::cancel,
  };
  for (const Rule& rule : kRules) {
    EXPECT_EQ(rule.actor == Actor::operator_, acts.contains(rule.event)) << rule.id;
  }
}

TEST(JobState, EntersSubmittingOnlyThroughAnIntent) {
  for (const Rule& rule : kRules) {
    if (rule.to != submitting) continue;
    EXPECT_TRUE(rule.event == JobEvent::leased || rule.event == JobEvent::resubmitted) << rule.id;
  }
}

TEST(JobState, NamesEveryStateAndEventDifferently) {
  std::set<std::string_view> states;
  for (const JobState state : all_states()) {
    EXPECT_TRUE(states.insert(name_of(state)).second);
    EXPECT_EQ(state_named(name_of(state)), state);
  }
  std::set<std::string_view> events;
  for (const JobEvent event : kEvents) EXPECT_TRUE(events.insert(name_of(event)).second);
  EXPECT_FALSE(events.contains("?"));
  EXPECT_EQ(state_named("done"), std::nullopt);
  EXPECT_EQ(state_named(""), std::nullopt);
}

}  // namespace
}  // namespace dl
