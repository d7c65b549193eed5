// The 34 rows of the table, one by one: each with what is seen of it in a DspReply, and what
// classify() makes of that. Rows whose end is not a reply are named with the tests that show them.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/core/outcome.h"

namespace dl {
namespace {

using enum OutcomeClass;

enum class Connection { fresh, used };

DspReply ended(Wire wire, int status = 0, Connection connection = Connection::fresh) {
  DspReply reply;
  reply.wire = wire;
  reply.fresh_connection = connection == Connection::fresh;
  reply.http_status = status;
  reply.answer.readable = wire == Wire::answered;
  return reply;
}

DspReply answered(int status, int ids = 1) {
  DspReply reply = ended(Wire::answered, status);
  for (int i = 0; i < ids; ++i) reply.answer.ids.push_back("id-" + std::to_string(i));
  return reply;
}

DspReply unreadable(int status) {
  DspReply reply = answered(status, 0);
  reply.answer.readable = false;
  return reply;
}

DspReply not_taken(NotTaken why) {
  DspReply reply = ended(Wire::no_answer);
  reply.not_taken = why;
  return reply;
}

DspReply with_error(int status) {
  DspReply reply = answered(status, 0);
  reply.answer.error = "throttled: code 17";
  return reply;
}

DspReply with_location(DspReply reply) {
  reply.location = "/ads/17";
  return reply;
}

struct Seen {
  int row;
  DspReply reply;
  OutcomeClass what;
};

std::vector<Seen> seen() {
  std::vector<Seen> all = {
      {1, ended(Wire::not_sent), not_sent},
      {2, ended(Wire::not_sent), not_sent},
      {3, ended(Wire::not_sent), not_sent},
      {4, ended(Wire::not_sent), not_sent},
      {6, not_taken(NotTaken::body_never_began), not_sent},
      {7, ended(Wire::no_answer), unknown},
      {7, ended(Wire::no_answer, 413), refused_for_good},  // the early answer decides
      {8, ended(Wire::no_answer), unknown},
      {9, ended(Wire::no_answer, 0, Connection::used), unknown},
      {10, not_taken(NotTaken::tls_refused_us), unauthorized},
      {11, ended(Wire::no_answer), unknown},
      {12, ended(Wire::no_answer, 200), unknown},
      {12, ended(Wire::no_answer, 201), unknown},
      {12, ended(Wire::no_answer, 422), refused_for_good},
      {13, ended(Wire::no_answer, 101), unknown},
      {14, answered(200), accepted},
      {14, answered(201), accepted},
      {15, answered(202), accepted},
      {15, with_location(answered(202, 0)), unknown},
      {16, answered(200, 0), unknown},
      {16, answered(201, 2), unknown},
      {16, unreadable(200), unknown},
      {16, unreadable(204), unknown},
      {17, with_error(200), unknown},
      {18, answered(207), unknown},
      {25, ended(Wire::answered, 408, Connection::used), unknown},
      {33, ended(Wire::no_answer), unknown},
  };
  const std::map<int, std::vector<int>> by_status = {
      {19, {300, 301, 302, 303, 304, 305, 306, 309, 399}},
      {20, {307, 308}},
      {21, {400, 402, 404, 405, 406, 410, 411, 413, 414, 415,
            416, 418, 422, 423, 424, 426, 428, 431, 451, 499}},
      {22, {401}},
      {23, {403}},
      {24, {407, 511}},
      {25, {408}},
      {26, {409}},
      {27, {412, 417, 421, 425}},
      {28, {429}},
      {29, {500}},
      {30, {501, 505}},
      {31, {502, 504, 506, 510, 520, 522, 599}},
      {32, {503}},
  };
  const std::map<int, OutcomeClass> becomes = {
      {19, unknown},      {20, refused_for_good}, {21, refused_for_good}, {22, unauthorized},
      {23, unauthorized}, {24, unauthorized},     {25, refused},          {26, refused_for_good},
      {27, refused},      {28, throttled},        {29, unknown},          {30, refused_for_good},
      {31, unknown},      {32, unavailable},
  };
  for (const auto& [row, statuses] : by_status) {
    for (const int status : statuses) {
      all.push_back({row, answered(status), becomes.at(row)});
      // what the body says changes nothing
      all.push_back({row, unreadable(status), becomes.at(row)});
    }
  }
  return all;
}

TEST(OutcomeRows, AreWhatClassifyMakesOfWhatIsSeen) {
  for (const Seen& each : seen()) {
    EXPECT_EQ(name_of(classify(Purpose::create, each.reply, {})), name_of(each.what))
        << "row " << each.row << ", status " << each.reply.http_status;
  }
}

TEST(OutcomeRows, SayThemselvesWhatTheyBecome) {
  ASSERT_EQ(outcome_rows().size(), 34U);
  std::map<int, std::set<OutcomeClass>> became;
  for (const Seen& each : seen()) became[each.row].insert(each.what);
  for (const OutcomeRow& row : outcome_rows()) {
    EXPECT_FALSE(row.end.empty());
    EXPECT_FALSE(row.why.empty());
    // 5: StoreCommit and the simulator; 34: StoreThread, the crash tests. Neither is a reply.
    if (row.number == 5 || row.number == 34) continue;
    EXPECT_TRUE(became[row.number].contains(row.post)) << "row " << row.number;
  }
}

TEST(OutcomeRows, OfAStatusAreTheOnesThatItsExamplesAreOf) {
  for (const Seen& each : seen()) {
    if (each.row < 19 || each.reply.wire != Wire::answered) continue;
    for (const StatusRule& rule : status_rules()) {
      if (each.reply.http_status < rule.first || each.reply.http_status > rule.last) continue;
      EXPECT_EQ(rule.row, each.row) << each.reply.http_status;
    }
  }
}

// Only these may lead to another POST under a new key, and each has a proof that the first was not
// applied.
TEST(OutcomeRows, OfUnknownOutcomeNeverCountAsRefused) {
  const std::set<int> refusals = {1, 2, 3, 4, 5, 6, 10, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30};
  for (const OutcomeRow& row : outcome_rows()) {
    const bool is_proof = row.post == not_sent || row.post == refused ||
                          row.post == refused_for_good || row.post == unauthorized ||
                          row.post == throttled;
    EXPECT_EQ(is_proof, refusals.contains(row.number)) << row.number;
  }
}

}  // namespace
}  // namespace dl
