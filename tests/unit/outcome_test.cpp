// The oracle below is written from the research note's rows (reliability, section c; row numbers in
// the comments) and from design 2, which wins where they differ. It shares nothing with the table
// under test.
#include "daemon/core/outcome.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

namespace dl {
namespace {

using enum OutcomeClass;

constexpr Purpose kPurposes[] = {Purpose::create, Purpose::resubmit, Purpose::status,
                                 Purpose::lookup};
constexpr Wire kWires[] = {Wire::not_sent, Wire::no_answer, Wire::answered};

enum class Body { unreadable, no_id, one_id, two_ids, success, failed, pending };
constexpr Body kBodies[] = {Body::unreadable, Body::no_id,  Body::one_id, Body::two_ids,
                            Body::success,    Body::failed, Body::pending};

struct Case {
  Purpose purpose = Purpose::create;
  Wire wire = Wire::answered;
  bool fresh = true;
  int status = 0;
  Body body = Body::one_id;
  MissingId missing_id = MissingId::in_doubt;
};

DspReply reply_of(const Case& c) {
  DspReply reply;
  reply.wire = c.wire;
  reply.fresh_connection = c.fresh;
  reply.http_status = c.status;
  reply.answer.readable = c.body != Body::unreadable;
  switch (c.body) {
    case Body::unreadable:
    case Body::no_id: break;
    case Body::two_ids: reply.answer.ids.push_back("id-2"); [[fallthrough]];
    case Body::one_id: reply.answer.ids.push_back("id-1"); break;
    case Body::success: reply.answer.status = "success"; break;
    case Body::failed: reply.answer.status = "failed"; break;
    case Body::pending: reply.answer.status = "processing"; break;
  }
  return reply;
}

int ids_in(Body body) { return body == Body::one_id ? 1 : body == Body::two_ids ? 2 : 0; }

// Rows 14 to 18, and design 2: "accepted (2xx with the id)", "2xx without id: missing_id".
OutcomeClass success_oracle(const Case& c) {
  if (c.wire != Wire::answered) return unknown;    // 12: applied, id unknown
  if (c.status == 207) return unknown;             // 18
  if (c.body == Body::unreadable) return unknown;  // 16
  if (ids_in(c.body) == 1) return accepted;        // 14, 15
  if (ids_in(c.body) == 2) return unknown;
  return c.missing_id == MissingId::refused ? refused : unknown;
}

OutcomeClass post_oracle(const Case& c) {
  static const std::set<int> retryable = {412, 417, 421, 425};             // 27
  static const std::set<int> credentials = {401, 403, 407, 511};           // 22 to 24, design 2
  static const std::set<int> permanent_beyond_4xx = {307, 308, 501, 505};  // 20, 30
  const int status = c.status;
  if (c.wire == Wire::not_sent) return not_sent;  // 1 to 6
  if (status == 0) return unknown;                // 8 to 11
  if (status >= 200 && status <= 299) return success_oracle(c);
  if (status == 408) return c.fresh ? refused : unknown;                     // 25
  if (status == 409 && c.purpose == Purpose::resubmit) return key_in_use;    // 26, design 2
  if (status == 422 && c.purpose == Purpose::resubmit) return key_mismatch;  // design 2
  if (status == 429) return throttled;                                       // 28
  if (status == 503) return unavailable;                                     // 32, design 3
  if (credentials.contains(status)) return unauthorized;
  if (retryable.contains(status)) return refused;
  if (permanent_beyond_4xx.contains(status)) return refused_for_good;
  if (status >= 400 && status <= 499) return refused_for_good;  // 21, 26: unknown 4xx is 400
  return unknown;  // 13, 19, 29, 31, and anything unlisted
}

// "GET polls and lookups: every failure is R; 404 is not yet, not gone."
OutcomeClass look_oracle(const Case& c) {
  static const std::set<int> credentials = {401, 403, 407, 511};
  if (c.wire == Wire::not_sent) return not_sent;
  if (c.wire == Wire::no_answer) return look_failed;
  if (c.status == 429) return throttled;
  if (c.status == 503) return unavailable;
  if (credentials.contains(c.status)) return unauthorized;
  if (c.status == 404) return not_found;
  if (c.status < 200 || c.status > 299 || c.body == Body::unreadable) return look_failed;
  if (c.purpose == Purpose::lookup) {
    return ids_in(c.body) == 0 ? look_failed : ids_in(c.body) == 1 ? found : found_many;
  }
  if (c.body == Body::success) return confirmed;
  if (c.body == Body::failed) return creation_failed;
  return c.body == Body::pending ? undecided : look_failed;
}

std::string text_of(const Case& c) {
  return std::string(name_of(c.purpose)) + " wire " + std::to_string(static_cast<int>(c.wire)) +
         (c.fresh ? " fresh " : " reused ") + std::to_string(c.status) + " body " +
         std::to_string(static_cast<int>(c.body)) + " missing_id " +
         std::to_string(static_cast<int>(c.missing_id));
}

template <class Check>
void for_every_case(const Check& check) {
  for (int status = 99; status <= 600; ++status) {
    for (const Purpose purpose : kPurposes) {
      for (const Wire wire : kWires) {
        for (const Body body : kBodies) {
          for (const bool fresh : {true, false}) {
            for (const MissingId missing : {MissingId::in_doubt, MissingId::refused}) {
              check(Case{purpose, wire, fresh, status == 99 ? 0 : status, body, missing});
            }
          }
        }
      }
    }
  }
}

TEST(Outcome, IsWhatTheResearchAndTheDesignSayForEveryStatus) {
  std::set<std::string> wrong;
  for_every_case([&wrong](const Case& c) {
    OutcomePolicy policy;
    policy.missing_id = c.missing_id;
    const OutcomeClass expected = is_post(c.purpose) ? post_oracle(c) : look_oracle(c);
    const OutcomeClass what = classify(c.purpose, reply_of(c), policy);
    if (what == expected) return;
    wrong.insert(text_of(c) + ": " + std::string(name_of(what)) + ", not " +
                 std::string(name_of(expected)));
  });
  EXPECT_TRUE(wrong.empty()) << wrong.size() << " wrong, the first: " << *wrong.begin();
}

TEST(Outcome, ClosesTheSlotAsAnsweredOnlyForTheOriginsFinalAnswer) {
  std::set<std::string> wrong;
  for_every_case([&wrong](const Case& c) {
    // of 5xx; research rows 29, 30, 24
    static const std::set<int> by_the_dsp = {500, 501, 505, 511};
    SlotEnd expected = SlotEnd::unsure;
    const bool may_be_by_somebody_in_front =
        c.status == 408 || (c.status > 499 && c.status < 600 && !by_the_dsp.contains(c.status));
    const bool is_final = c.status >= 200 && !may_be_by_somebody_in_front;
    if (c.wire == Wire::answered && is_final) expected = SlotEnd::answered;
    if (c.wire == Wire::not_sent) expected = SlotEnd::not_sent;
    if (slot_end(reply_of(c), {}) != expected) wrong.insert(text_of(c));
  });
  EXPECT_TRUE(wrong.empty()) << wrong.size() << " wrong, the first: " << *wrong.begin();
}

TEST(Outcome, ClosesTheSlotOfA503AsAnsweredWhereTheDspSaysThatItIsItsOwn) {
  OutcomePolicy policy;
  EXPECT_EQ(slot_end(reply_of({.status = 503}), policy), SlotEnd::unsure);
  policy.not_applied_statuses = {503};
  EXPECT_EQ(slot_end(reply_of({.status = 503}), policy), SlotEnd::answered);
  EXPECT_EQ(slot_end(reply_of({.status = 502}), policy), SlotEnd::unsure);
}

TEST(Outcome, TriesAgainWhatIsTooLargeForTheTimeBeing) {
  DspReply reply = reply_of({.status = 413});
  EXPECT_EQ(classify(Purpose::create, reply, {}), refused_for_good);
  reply.retry_after = "120";
  EXPECT_EQ(classify(Purpose::create, reply, {}), refused);
  reply.http_status = 414;
  EXPECT_EQ(classify(Purpose::create, reply, {}), refused_for_good);
}

// What may be sent again under a new key must be proven not applied.
TEST(Outcome, NeverCallsALostOrBrokenPostRefused) {
  for (const int status :
       {0, 100, 101, 200, 201, 202, 204, 207, 301, 303, 500, 502, 503, 504, 520}) {
    for (const Purpose purpose : {Purpose::create, Purpose::resubmit}) {
      const Case cut{.purpose = purpose, .wire = Wire::no_answer, .status = status};
      const OutcomeClass what = classify(purpose, reply_of(cut), {});
      EXPECT_TRUE(what == unknown || what == unavailable) << status << " " << name_of(what);
    }
  }
}

TEST(Outcome, TakesA503ForAThrottleOnlyWhereTheAccountDeclaresIt) {
  OutcomePolicy policy;
  policy.not_applied_statuses = {503};
  for (const Purpose purpose : kPurposes) {
    const DspReply reply = reply_of({.purpose = purpose, .status = 503});
    EXPECT_EQ(classify(purpose, reply, {}), unavailable);
    if (is_post(purpose)) {
      EXPECT_EQ(classify(purpose, reply, policy), throttled);
    }
  }
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 500}), policy), unknown);
}

TEST(Outcome, TakesALooks404ForNotFoundWhateverIsDeclaredOfCreations) {
  OutcomePolicy policy;
  policy.not_applied_statuses = {404};
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 404}), policy), throttled);
  EXPECT_EQ(
      classify(Purpose::lookup, reply_of({.purpose = Purpose::lookup, .status = 404}), policy),
      not_found);
  EXPECT_EQ(
      classify(Purpose::status, reply_of({.purpose = Purpose::status, .status = 404}), policy),
      not_found);
}

TEST(Outcome, RetriesWhatTheConfigurationCallsRetryable) {
  OutcomePolicy policy;
  policy.retryable_statuses = {400, 409, 422, 500, 502};
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 400}), policy), refused);
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 409}), policy), refused);
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 404}), policy), refused_for_good);
}

// "A connector may move a row only towards knowledge it documents."
TEST(Outcome, LetsTheAccountDeclareA5xxNotApplied) {
  OutcomePolicy policy;
  policy.retryable_statuses = {500, 503};
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 500}), policy), refused);
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 502}), policy), unknown);
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 0}), policy), unknown);
}

TEST(Outcome, CannotBeConfiguredToRetryASuccessOrAnAccountsTrouble) {
  OutcomePolicy policy;
  policy.retryable_statuses = {200, 201, 401, 403, 408, 409, 422, 429};
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 201}), policy), accepted);
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 429}), policy), throttled);
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 403}), policy), unauthorized);
  EXPECT_EQ(classify(Purpose::create, reply_of({.fresh = false, .status = 408}), policy), unknown);
  EXPECT_EQ(classify(Purpose::resubmit, reply_of({.status = 409}), policy), key_in_use);
  EXPECT_EQ(classify(Purpose::resubmit, reply_of({.status = 422}), policy), key_mismatch);
}

TEST(OutcomeTable, CoversEveryStatusOnceAndInOrder) {
  int next = 100;
  for (const StatusRule& rule : status_rules()) {
    EXPECT_EQ(rule.first, next);
    EXPECT_GE(rule.last, rule.first);
    EXPECT_GE(rule.row, 13);
    EXPECT_LE(rule.row, 32);
    next = rule.last + 1;
  }
  EXPECT_EQ(next, 600);
}

// A request of which bytes left, but which no server can have acted upon: rows 6 and 10.
TEST(Outcome, KnowsWhatWasCertainlyNotTakenThoughBytesLeft) {
  DspReply reply = reply_of({.wire = Wire::no_answer});
  reply.not_taken = NotTaken::body_never_began;
  EXPECT_EQ(classify(Purpose::create, reply, {}), not_sent);
  EXPECT_EQ(slot_end(reply, {}), SlotEnd::unsure) << "it may be counted all the same";
  reply.not_taken = NotTaken::tls_refused_us;
  EXPECT_EQ(classify(Purpose::create, reply, {}), unauthorized);
  EXPECT_EQ(classify(Purpose::status, reply, {}), unauthorized);
  reply.not_taken = NotTaken::body_never_began;
  reply.http_status = 201;  // then an answer came after all
  EXPECT_EQ(classify(Purpose::create, reply, {}), unknown);
}

// Many a DSP ignores a query that it does not know, and lists what it has.
TEST(Outcome, OfALookupIsNotFoundInAnothersEntity) {
  const auto looked_up = [](std::vector<std::string> ids, std::vector<std::string> external_ids) {
    DspReply reply = reply_of({.status = 200});
    reply.answer.readable = true;
    reply.answer.ids = std::move(ids);
    reply.answer.external_ids = std::move(external_ids);
    disbelieve_anothers(reply, "7c04-ab");
    return reply;
  };
  EXPECT_EQ(classify(Purpose::lookup, looked_up({"x1"}, {}), {}), found)
      << "it need not say whose it is";
  EXPECT_EQ(classify(Purpose::lookup, looked_up({"x1"}, {"7C04-AB"}), {}), found);
  EXPECT_EQ(classify(Purpose::lookup, looked_up({"x1", "x2"}, {"7c04-ab", "7c04-ab"}), {}),
            found_many);
  for (const std::vector<std::string>& said :
       {std::vector<std::string>{"31c8"}, {""}, {"7c04-a"}, {"7c04-ab", "31c8"}}) {
    const DspReply reply = looked_up({"x1"}, said);
    EXPECT_EQ(classify(Purpose::lookup, reply, {}), look_failed) << said.back();
    EXPECT_NE(reply.trouble.find("where 7c04-ab was asked for"), std::string::npos);
  }
}

TEST(Outcome, AsksAgainUnderTheSameKeyWhereItIsInUse) {
  OutcomePolicy policy;
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 409}), policy), refused_for_good);
  policy.honours_keys = true;
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 409}), policy), key_in_use);
  EXPECT_EQ(classify(Purpose::create, reply_of({.status = 422}), policy), refused_for_good)
      << "its content";
}

TEST(OutcomeClass, HasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(look_failed); ++i) {
    EXPECT_TRUE(names.insert(name_of(static_cast<OutcomeClass>(i))).second) << i;
  }
  EXPECT_FALSE(names.contains("?"));
}

}  // namespace
}  // namespace dl
