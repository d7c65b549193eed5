#include "daemon/core/decide.h"

#include <gtest/gtest.h>

#include <vector>

#include "daemon/core/backoff.h"

namespace dl {
namespace {

using enum OutcomeClass;

constexpr OutcomeClass kClasses[] = {
    not_sent,    accepted,   throttled,    unauthorized, refused,    refused_for_good,
    unavailable, key_in_use, key_mismatch, unknown,      confirmed,  creation_failed,
    undecided,   not_found,  found,        found_many,   look_failed};
constexpr UnknownOutcome kUnknowns[] = {UnknownOutcome::hold, UnknownOutcome::resubmit,
                                        UnknownOutcome::lookup};

struct Asked {
  Granted granted;
  DspReply reply;
  DecisionPolicy policy;
  DecisionContext context;
};

Asked asked(Purpose purpose, UnknownOutcome unknown_outcome = UnknownOutcome::hold) {
  Asked a;
  a.granted.request = RequestId{70};
  a.granted.job.id = JobId{7};
  a.granted.purpose = purpose;
  a.reply.wire = Wire::answered;
  a.reply.http_status = 400;
  a.reply.answer.ids = {"dsp-1", "dsp-2"};
  a.policy.unknown_outcome = unknown_outcome;
  return a;
}

Outcome decided(const Asked& a, OutcomeClass what) {
  return decide(a.granted, a.reply, what, a.policy, a.context, Schedule(Pace::limited));
}

// What follows a creation, column by column as design 2 has it.
struct CreateRow {
  OutcomeClass what;
  JobEvent event;
  bool spends;
  const char* resolution;  // nullptr: none, the POST stays unresolved
  bool due;
};
const CreateRow kCreateRows[] = {
    {not_sent, JobEvent::not_sent, false, "not_sent", true},
    {accepted, JobEvent::accepted, false, "accepted", true},
    {throttled, JobEvent::throttled, false, "refused", true},
    {unauthorized, JobEvent::throttled, false, "refused", true},
    {refused, JobEvent::refused, true, "refused", true},
    {refused_for_good, JobEvent::refused_for_good, true, "refused", false},
    {unavailable, JobEvent::unknown, false, nullptr, false},
    {key_in_use, JobEvent::unknown, false, nullptr, false},
    {key_mismatch, JobEvent::unknown, false, nullptr, false},
    {unknown, JobEvent::unknown, false, nullptr, false},
};

TEST(Decide, CreationFollowsTheDesignsTable) {
  for (const CreateRow& row : kCreateRows) {
    const Outcome outcome = decided(asked(Purpose::create), row.what);
    const std::string_view name = name_of(row.what);
    EXPECT_EQ(outcome.from, JobState::submitting) << name;
    EXPECT_EQ(outcome.event, row.event) << name;
    EXPECT_EQ(outcome.spends_attempt, row.spends) << name;
    EXPECT_EQ(outcome.resolution,
              row.resolution ? std::optional<std::string>(row.resolution) : std::nullopt)
        << name;
    EXPECT_EQ(outcome.due_in_ms.has_value(), row.due) << name;
    EXPECT_EQ(outcome.dsp_id.has_value(), row.what == accepted) << name;
  }
}

TEST(Decide, EveryPurposeAndClassFollowsTheStateMachine) {
  for (const Purpose purpose :
       {Purpose::create, Purpose::resubmit, Purpose::status, Purpose::lookup}) {
    for (const UnknownOutcome unknown_outcome : kUnknowns) {
      for (const OutcomeClass what : kClasses) {
        const Outcome outcome = decided(asked(purpose, unknown_outcome), what);
        EXPECT_EQ(outcome.request, RequestId{70});
        EXPECT_EQ(outcome.job, JobId{7});
        EXPECT_EQ(outcome.outcome_class, name_of(what));
        if (!outcome.event) {
          EXPECT_FALSE(is_post(purpose)) << "a POST always moves its job";
          EXPECT_TRUE(outcome.due_in_ms || outcome.hold) << "what stays is looked at again";
          EXPECT_FALSE(outcome.spends_attempt);
          continue;
        }
        EXPECT_TRUE(rule_for(outcome.from, *outcome.event));
      }
    }
  }
}

// The store frees what is held for this reason, word for word, once the account learns a means.
TEST(Decide, HoldsADoubtForTheReasonThatAMeansFreesWhereTheAccountSaysHold) {
  for (const OutcomeClass what : {unknown, unavailable}) {
    const Outcome outcome = decided(asked(Purpose::create), what);
    EXPECT_EQ(outcome.hold, kHeldByPolicy);
    EXPECT_FALSE(outcome.due_in_ms);
  }
}

TEST(Decide, LooksUpADoubtAfterTheSettleTime) {
  Asked a = asked(Purpose::create, UnknownOutcome::lookup);
  a.policy.settle_ms = 180'000;
  const Outcome outcome = decided(a, unknown);
  EXPECT_EQ(outcome.due_in_ms, 180'000);
  EXPECT_FALSE(outcome.hold);
}

TEST(Decide, ResubmitsADoubtSoonAndThenEverLater) {
  Asked a = asked(Purpose::create, UnknownOutcome::resubmit);
  Outcome outcome = decided(a, unknown);
  EXPECT_FALSE(outcome.hold);
  EXPECT_LE(*outcome.due_in_ms, 2'000);
  a.granted.purpose = Purpose::resubmit;
  for (int look = 1; look <= 12; ++look) {
    a.granted.looks = outcome.looks;
    outcome = decided(a, unknown);
    EXPECT_EQ(outcome.looks, look);
    EXPECT_EQ(outcome.due_in_ms, retry_backoff(7, look));
  }
}

TEST(Decide, AResubmissionYieldsAnIdOrNothing) {
  for (const UnknownOutcome unknown_outcome : kUnknowns) {
    for (const OutcomeClass what : kClasses) {
      const Outcome outcome = decided(asked(Purpose::resubmit, unknown_outcome), what);
      EXPECT_EQ(outcome.from, JobState::submitting);
      EXPECT_FALSE(outcome.spends_attempt) << name_of(what);
      if (what == accepted) {
        EXPECT_EQ(outcome.event, JobEvent::accepted);
        EXPECT_EQ(outcome.dsp_id, "dsp-1");
        EXPECT_EQ(outcome.resolution, "accepted");
        continue;
      }
      EXPECT_EQ(outcome.event, JobEvent::unknown) << name_of(what);
      EXPECT_FALSE(outcome.dsp_id) << name_of(what);
      const bool only_this_one = what == not_sent;
      EXPECT_EQ(outcome.resolution.has_value(), only_this_one) << name_of(what);
    }
  }
}

TEST(Decide, HoldsWhenTheKeyWasUsedWithAnotherBody) {
  const Outcome outcome = decided(asked(Purpose::resubmit, UnknownOutcome::resubmit), key_mismatch);
  EXPECT_TRUE(outcome.hold);
  EXPECT_FALSE(outcome.due_in_ms);
  const Outcome in_progress =
      decided(asked(Purpose::resubmit, UnknownOutcome::resubmit), key_in_use);
  EXPECT_FALSE(in_progress.hold);
  EXPECT_TRUE(in_progress.due_in_ms);
}

// 1 + max_retries creations in all, whether they were refused or failed later.
TEST(Decide, CreatesFourTimesInAllAndThenGivesUp) {
  for (const bool refused_at_once : {true, false}) {
    Asked a = asked(refused_at_once ? Purpose::create : Purpose::status);
    int creations = 0;
    for (a.granted.tries = 0;; ++a.granted.tries) {
      ++creations;
      const Outcome outcome = decided(a, refused_at_once ? refused : creation_failed);
      EXPECT_TRUE(outcome.spends_attempt);
      if (outcome.event == JobEvent::exhausted) {
        EXPECT_FALSE(outcome.due_in_ms);
        break;
      }
      EXPECT_EQ(outcome.event, refused_at_once ? JobEvent::refused : JobEvent::creation_failed);
      EXPECT_EQ(outcome.due_in_ms, retry_backoff(7, creations)) << "retry n waits 2^n s and some";
      ASSERT_LT(creations, 10);
    }
    EXPECT_EQ(creations, 4);
  }
}

TEST(Decide, TriesARefusalAgainNoSoonerThanRetryAfterSays) {
  Asked create = asked(Purpose::create);
  create.context.wait_ms = 600'000;
  EXPECT_EQ(decided(create, refused).due_in_ms, 600'000);
  create.context.wait_ms = 1;
  EXPECT_GE(*decided(create, refused).due_in_ms, 2'000) << "the own backoff is the least";
}

TEST(Decide, CreatesOnceWhereNoRetryIsAllowed) {
  Asked a = asked(Purpose::create);
  a.policy.max_retries = 0;
  EXPECT_EQ(decided(a, refused).event, JobEvent::exhausted);
}

TEST(Decide, SpendsNoAttemptOnAnythingButARefusalOrAFailedStatus) {
  for (const Purpose purpose :
       {Purpose::create, Purpose::resubmit, Purpose::status, Purpose::lookup}) {
    for (const OutcomeClass what : kClasses) {
      const bool refusal =
          purpose == Purpose::create && (what == refused || what == refused_for_good);
      const bool failed_status = purpose == Purpose::status && what == creation_failed;
      EXPECT_EQ(decided(asked(purpose), what).spends_attempt, refusal || failed_status)
          << name_of(purpose) << " " << name_of(what);
    }
  }
}

TEST(Decide, SetsBackTheJobThatIsRefusedWhileOthersPassAndAtLastFailsIt) {
  for (const OutcomeClass what : {throttled, unauthorized}) {
    Asked a = asked(Purpose::create);
    a.context.others_pass = true;
    std::vector<Millis> waits;
    for (int i = 0; i < 20; ++i) {
      const Outcome outcome = decided(a, what);
      a.granted.setbacks = outcome.setbacks;
      if (outcome.event == JobEvent::exhausted) break;
      ASSERT_EQ(outcome.event, JobEvent::throttled);
      waits.push_back(*outcome.due_in_ms);
    }
    const std::vector<Millis> expected = {0, 60'000, 120'000, 240'000, 480'000, 960'000, 1'920'000};
    EXPECT_EQ(waits, expected);
    EXPECT_EQ(a.granted.setbacks, kSetbacksMax);
  }
}

TEST(Decide, DoesNotBlameAJobForWhatTheWholeAccountMeets) {
  Asked a = asked(Purpose::create);
  for (int i = 0; i < 100; ++i) {
    const Outcome outcome = decided(a, throttled);
    ASSERT_EQ(outcome.event, JobEvent::throttled);
    EXPECT_EQ(outcome.setbacks, 0);
    a.granted.setbacks = outcome.setbacks;
  }
}

TEST(Decide, ForgetsSetbacksOnceSomethingElseHappens) {
  Asked a = asked(Purpose::create);
  a.granted.setbacks = 5;
  for (const OutcomeClass what : {accepted, refused, unknown}) {
    EXPECT_EQ(decided(a, what).setbacks, 0) << name_of(what);
  }
}

TEST(Decide, ExcerptAndTroubleBecomeTheErrorsWords) {
  Asked a = asked(Purpose::create);
  a.reply.excerpt = "<html>";
  EXPECT_EQ(decided(a, refused_for_good).error, "HTTP 400: <html>");
  a.reply.trouble = "cut after 12 bytes";
  EXPECT_EQ(decided(a, refused_for_good).error, "HTTP 400: cut after 12 bytes; it begins: <html>");
  a.reply.location = "/ads/17";
  EXPECT_EQ(decided(a, unknown).error,
            "HTTP 400: cut after 12 bytes; it begins: <html>; Location: /ads/17")
      << "all that an operator may go by";
  EXPECT_EQ(decided(a, accepted).error, "");
  a.reply.location.clear();
  a.reply.answer.error = "bid too low";
  EXPECT_EQ(decided(a, refused_for_good).error, "HTTP 400: bid too low");
  EXPECT_EQ(decided(a, accepted).error, "");
  a.reply.http_status = 0;
  EXPECT_EQ(decided(a, unknown).error, "bid too low");
}

}  // namespace
}  // namespace dl
