// dl-daemon --verify through the real program: what the database alone shows, and what the DSP has.
#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <csignal>
#include <map>

#include "storage/model/job.h"
#include "storage/model/work.h"
#include "tests/e2e/site.h"
#include "tests/e2e/verifying.h"

namespace dl::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What was looked up at the mock, in order; looks for the same must be as far apart as they are to
// be.
std::vector<std::string> looked_up(const Site& mock) {
  std::vector<std::string> looks;
  std::map<std::string, double> last;
  for (const Row& line : mock.ledger()) {
    if (line.at("path").find("?external_id=") == std::string::npos) continue;
    const std::string& look = looks.emplace_back(line.at("path"));
    const double at = std::stod(line.at("arrival_scaled_ms"));
    if (last.contains(look)) {
      EXPECT_GE(at - last[look], kAbsentLooksApart) << look;
    }
    last[look] = at;
  }
  return looks;
}

// Sends what `site` sent, as far as `which` chooses it, to another mock.
void copy_entities(const Site& site, const Site& other, const std::string& which = "true") {
  for (const Row& job :
       site.rows("SELECT kind, body FROM job JOIN request ON job_id = job.id JOIN request_body "
                 "ON request_id = request.id WHERE " +
                 which + " ORDER BY request.id")) {
    const std::string collection(names_of(*kind_named(job.at("kind"))).collection);
    ASSERT_THAT(other.post("/" + collection, job.at("body")), HasSubstr("201 Created"));
  }
}

TEST(Verify, FindsNothingWhereTheDspHasWhatTheTablesSay) {
  const Site site(kMock);
  site.load_sheet(shape(2, 2, 3));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const std::int64_t before = site.number("SELECT count(*) FROM request");
  const Finish finish = verify(site);
  EXPECT_EQ(finish.exit_code, 0) << finish.out << finish.err;
  EXPECT_THAT(
      finish.out,
      HasSubstr(
          "0 broken, 0 in doubt; 18 attempts looked up: 0 missing, 0 duplicate, 0 not answered"));
  EXPECT_EQ(site.number("SELECT count(*) FROM request") - before, 18)
      << "its requests are in the ledger";
  EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE purpose = 'lookup' AND outcome = "
                        "'found' AND slot = 'answered'"),
            18);
  EXPECT_THAT(finish.err, Not(HasSubstr("look 2 of 3")))
      << "nothing is absent, so nothing is waited for";
  expect_within_the_limit(site);
  site.expect_promises_kept("40/60s", entities(2, 2, 3));
}

// All of it is absent at each look, and the looks go in rounds.
TEST(Verify, NamesWhatTheDspDoesNotHave) {
  const Site site(kMock);
  site.load_sheet(shape(2, 2, 3));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const Site forgetful(kMock);
  const Finish finish = verify(site, joined(kLooksUp, {"--endpoint", forgetful.endpoint()}));
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.out,
              HasSubstr("missing: job 3 " + site.text("SELECT key FROM job WHERE id = 3") +
                        ": attempt 1, external_id " + key_of(site, 3) +
                        ": the DSP does not know it; we have the id " +
                        site.text("SELECT dsp_id FROM job WHERE id = 3")));
  EXPECT_THAT(finish.out, HasSubstr("18 attempts looked up: 18 missing, 0 duplicate"));
  for (const char* look : {"look 2 of 3", "look 3 of 3"}) EXPECT_THAT(finish.err, HasSubstr(look));
  const std::vector<std::string> looks = looked_up(forgetful);
  ASSERT_EQ(looks.size(), 3 * 18);
  for (std::size_t i = 18; i < looks.size(); ++i)
    EXPECT_EQ(looks[i], looks[i - 18]) << "all once, then all again: " << i;
  EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE worker = -1 AND outcome = 'not_found' "
                        "AND slot = 'answered'"),
            3 * 18);
  expect_within_the_limit(forgetful);
}

// Three entities whose index is behind for one of them, for all, and for two looks.
TEST(Verify, LooksAgainForWhatAnIndexThatIsBehindDenied) {
  const Flags mock = joined(kMock, {"--ids", "echo"});  // so that a copy has the same ids
  const Site site(mock);
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  struct Case {
    std::string denied;
    std::size_t looks;
    std::string says;
  };
  for (const Case& c :
       {Case{"get.404:@2", 3 + 1, "; 1 found only when looked for again"},
        Case{"get.404:@1,get.404:@2,get.404:@3", 3 + 3, "; 3 found only when looked for again"},
        Case{"get.404:@1,get.404:@3,get.404:@4,get.404:@5", 3 + 2 + 2,
             "; 2 found only when looked for again"}}) {
    const Site other(joined(mock, {"--faults", c.denied}));
    copy_entities(site, other);
    const Finish finish = verify(site, joined(kLooksUp, {"--endpoint", other.endpoint()}));
    EXPECT_EQ(finish.exit_code, 0) << c.denied << finish.out << finish.err;
    EXPECT_THAT(finish.out,
                HasSubstr("3 attempts looked up: 0 missing, 0 duplicate, 0 not answered" + c.says))
        << c.denied;
    EXPECT_EQ(looked_up(other).size(), c.looks) << c.denied;
    EXPECT_THAT(finish.err, HasSubstr("look 2 of 3")) << c.denied;
  }
}

TEST(Verify, SaysOnTheTerminalWhatItWaitsFor) {
  const Site site(kMock);
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const Site forgetful(kMock);
  Launch launch = site.daemon(joined({"--verify", "--endpoint", forgetful.endpoint()}, kLooksUp));
  launch.errors_to = ErrorsTo::terminal;  // of 80 columns
  const Finish finish = run(launch);
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.err, HasSubstr("look 2 of 3, 0 of 3 absent done; next in "));
  EXPECT_THAT(finish.err, HasSubstr("look 3 of 3, 0 of 3 absent done; next in "));
}

// Under another id it is missing as well, whichever look finds that.
TEST(Verify, ComparesTheIdThatALaterLookFinds) {
  const Site site(kMock);
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const Site other(joined(kMock, {"--ids", "echo", "--faults", "get.404:@1,get.404:@4"}));
  copy_entities(site, other, "kind = 'campaign'");
  const Finish finish = verify(site, joined(kLooksUp, {"--endpoint", other.endpoint()}));
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.out, HasSubstr("the DSP has cmp_1 under this key; we have the id "))
      << "denied twice, found at the third look";
  EXPECT_THAT(finish.out, HasSubstr("3 attempts looked up: 3 missing"));
}

TEST(Verify, NamesWhatTheDspHasTwice) {
  const Site site(kMock);
  site.load_sheet(shape(2, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const std::string answer =
      site.post("/campaigns", R"({"id":"x","external_id":")" + key_of(site, 1) + "\"}");
  ASSERT_THAT(answer, HasSubstr("201 Created"));
  const Finish finish = verify(site);
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.out, HasSubstr("duplicate: job 1 "));
  EXPECT_THAT(finish.out,
              HasSubstr("external_id " + key_of(site, 1) + ": the DSP has 2 under this key: " +
                        site.text("SELECT dsp_id FROM job WHERE id = 1") + ", "));
  EXPECT_THAT(finish.out, HasSubstr("0 missing, 1 duplicate"));
}

// The tables say that it was refused, and so never created.
TEST(Verify, NamesWhatTheDspHasAgainstItsOwnWord) {
  const Site site(joined(kMock, {"--faults", "post.400_applied:@1"}));
  site.load_sheet(shape(1, 1, 1));
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 1);
  const Finish finish = verify(site);
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.out, HasSubstr(", which by our tables was never created"));
  EXPECT_THAT(finish.out, HasSubstr("0 missing, 1 duplicate"));
}

// Its POST was applied, and he has found another one with that name.
TEST(Verify, NamesWhatTheDspHasBesideWhatAnOperatorSaid) {
  const Site site(joined(kMock, {"--faults", "post.lost_answer:@1"}));
  site.load_sheet(shape(1, 1, 1));
  {
    Process daemon(site.daemon(joined(kLooksUp, {"--settle", "24h"})));
    eventually("it is in doubt",
               [&] { return site.number("SELECT count(*) FROM v_in_doubt") == 1; });
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  }
  const std::string answer = site.post("/campaigns", R"({"id":"by hand"})");
  const std::size_t at = answer.find(R"("campaign_id":")") + 15;
  const std::string other = answer.substr(at, answer.find('"', at) - at);
  site.operate("INSERT INTO operator_act (job_id, act, dsp_id, who, why) VALUES (1, 'exists', '" +
               other + "', 'maria', 'seen')");
  ASSERT_EQ(site.drain(kLooksUp).exit_code, 0);
  const Finish finish = verify(site);
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.out, HasSubstr(" under this key; an operator said that it is " + other));
  EXPECT_THAT(finish.out, HasSubstr("0 missing, 1 duplicate"));
}

TEST(Verify, SaysWhatTheDspHasOfWhatIsInDoubt) {
  const Site site(joined(kMock, {"--faults", "post.lost_answer:@1,post.lost_request:@2"}));
  site.load_sheet(shape(2, 1, 1));
  {
    Process daemon(site.daemon(joined(kLooksUp, {"--settle", "24h"})));
    eventually("two are in doubt",
               [&] { return site.number("SELECT count(*) FROM v_in_doubt") == 2; });
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  }
  const Finish finish = verify(site);
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.out,
              HasSubstr("0 broken, 2 in doubt; 2 attempts looked up: 0 missing, 0 duplicate"));
  EXPECT_THAT(finish.out, HasSubstr("asked: job "));
  EXPECT_THAT(finish.out, HasSubstr(": the DSP has it: "));
  EXPECT_THAT(finish.out, HasSubstr(": the DSP does not know it"));
  EXPECT_EQ(site.number("SELECT count(*) FROM v_in_doubt"), 2) << "it decides nothing";
}

// Of two that are in doubt one has other bytes now: the DSP sees the other one's again, and those
// never.
TEST(Verify, NamesSentBytesThatWereChangedWhichAreNotSentAgain) {
  const Site site({"--faults", "post.lost_answer:@1,post.lost_answer:@2"});
  site.load_sheet(shape(2, 1, 1));
  ASSERT_EQ(site.drain({"--unknown-outcome", "hold"}).exit_code, 1);
  ASSERT_EQ(site.number("SELECT count(*) FROM v_in_doubt"), 2);
  {
    SQLite::Database hand(site.db(), SQLite::OPEN_READWRITE, 60'000);
    sqlite3_db_config(hand.getHandle(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    ASSERT_EQ(hand.exec("UPDATE request_body SET body = replace(body, '\"id\"', '\"di\"') WHERE "
                        "request_id = 1"),
              1);
  }
  const std::string spoilt =
      site.text("SELECT key FROM job JOIN request ON job_id = job.id WHERE request.id = 1");
  const Finish finish = verify(site, {"--offline"});
  EXPECT_EQ(finish.exit_code, 1) << finish.err;
  EXPECT_THAT(finish.out,
              HasSubstr(" " + spoilt + ": the stored bytes of request 1 are not what it has sent"));
  EXPECT_THAT(finish.out, HasSubstr("1 broken, 2 in doubt"));
  EXPECT_EQ(site.drain({"--unknown-outcome", "resubmit"}).exit_code, 1);
  EXPECT_EQ(
      site.text(
          "SELECT group_concat(key) FROM job WHERE state <> 'succeeded' AND kind = 'campaign'"),
      spoilt);
  EXPECT_THAT(site.text("SELECT hold FROM v_in_doubt"), HasSubstr("changed behind our back"));
  EXPECT_EQ(site.number("SELECT count(*) FROM request WHERE purpose = 'resubmit'"), 1);
  site.let_mock_catch_up();
  int campaigns = 0;
  for (const Row& line : site.ledger()) campaigns += line.at("path") == "/campaigns" ? 1 : 0;
  EXPECT_EQ(campaigns, 3) << "two lost answers, and one resubmission";
}

}  // namespace
}  // namespace dl::e2e
