// The judge over ledgers planted by hand, made by a real mock, and damaged.
#include "tests/mock_dsp/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/mock/mock_process.h"
#include "tests/mock/plain_client.h"
#include "tests/mock_dsp/ledger.h"

namespace dl::mock {
namespace {

// A ledger in the making; each line 1 ms after the one before.
class Story {
 public:
  void post(std::string_view kind, const std::string& entity, const std::string& parent,
            const std::string& dsp_id) {
    add({.method = "POST",
         .kind = kind,
         .entity = entity,
         .parent = parent,
         .status = 201,
         .created = true,
         .dsp_id = dsp_id});
  }
  void post_that_fails(std::string_view kind, const std::string& entity, const std::string& parent,
                       const std::string& dsp_id) {
    add({.method = "POST",
         .kind = kind,
         .entity = entity,
         .parent = parent,
         .status = 201,
         .created = true,
         .fails = true,
         .dsp_id = dsp_id});
  }
  void told(std::string_view kind, const std::string& dsp_id, std::string_view answer) {
    add({.method = "GET",
         .path = "/x/status",
         .kind = kind,
         .status = 200,
         .dsp_id = dsp_id,
         .answer = answer});
  }
  void refused(std::string_view kind, const std::string& entity, const std::string& parent) {
    add({.method = "POST",
         .kind = kind,
         .entity = entity,
         .parent = parent,
         .status = 422,
         .note = "child_before_parent"});
  }
  void wait_until(Micros now_us) { now_us_ = now_us; }
  void applied_late(const std::string& entity, const std::string& dsp_id) {
    LedgerEntry entry;
    entry.kind = "campaign";
    entry.entity = entity;
    entry.created = true;
    entry.dsp_id = dsp_id;
    ledger_.applied_late(entry);
  }
  Judgement judged(const std::vector<Tier>& tiers = {}) {
    EXPECT_TRUE(ledger_.flush());
    std::ifstream file(path_);
    return *judge(file, tiers);
  }

 private:
  // The fields of a LedgerEntry that a story tells.
  struct Told {
    std::string method{}, path = "/x";
    std::string_view kind{};
    std::string entity{}, parent{};
    int status = 0;
    bool created = false, fails = false;
    std::string dsp_id{};
    std::string_view answer{};
    std::string note{};
  };
  void add(const Told& told) {
    LedgerEntry entry;
    entry.seq = ++seq_;
    entry.at = {now_us_, now_us_};
    now_us_ += 1'000;
    entry.method = told.method;
    entry.path = told.path;
    entry.kind = told.kind;
    entry.entity = told.entity;
    entry.parent = told.parent;
    entry.status = told.status;
    entry.created = told.created;
    entry.fails = told.fails;
    entry.dsp_id = told.dsp_id;
    entry.answer = told.answer;
    entry.note = told.note;
    ledger_.request(entry);
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.file("ledger");
  Ledger ledger_ = std::move(*Ledger::open(path_));
  std::int64_t seq_ = 0;
  Micros now_us_ = 0;
};

TEST(Judge, PassesAnOrderlyRun) {
  Story story;
  story.post("campaign", "c", "", "1");
  story.told("campaign", "1", "pending");
  story.told("campaign", "1", "success");
  story.post("ad_group", "g", "1", "2");
  story.told("ad_group", "2", "success");
  story.post("ad", "a", "2", "3");
  story.post("ad", "b", "2", "4");
  const Judgement judgement = story.judged({{7, 10}, {1, 1}});
  EXPECT_TRUE(judgement.passes(4));
  EXPECT_TRUE(judgement.passes(std::nullopt));
  EXPECT_FALSE(judgement.passes(5));
  EXPECT_EQ(judgement.requests, 7);
  EXPECT_EQ(judgement.polls, 3);
  EXPECT_EQ(judgement.makespan_us, 6'000);
  EXPECT_EQ(judgement.tiers[0].most, 7);
  EXPECT_EQ(judgement.tiers[1].most, 1);
}

TEST(Judge, FindsADuplicate) {
  Story story;
  story.post("campaign", "c", "", "1");
  story.post("campaign", "c", "", "2");
  const Judgement judgement = story.judged();
  EXPECT_EQ(judgement.duplicates, 1);
  EXPECT_FALSE(judgement.passes(std::nullopt));
  EXPECT_THAT(judgement.findings, testing::ElementsAre(testing::HasSubstr("line 2: duplicate")));
}

TEST(Judge, FindsADuplicateThatWasAppliedLate) {
  Story story;
  story.post("campaign", "c", "", "1");
  story.applied_late("c", "2");
  EXPECT_EQ(story.judged().duplicates, 1);
}

TEST(Judge, TellsEqualIdsUnderDifferentParentsApart) {
  Story story;
  story.post("campaign", "c", "", "1");
  story.post("campaign", "d", "", "2");
  story.told("campaign", "1", "success");
  story.told("campaign", "2", "success");
  story.post("ad_group", "g", "1", "3");
  story.post("ad_group", "g", "2", "4");
  EXPECT_TRUE(story.judged().passes(4));
}

TEST(Judge, AllowsACreationAfterAFailureThatWasTold) {
  Story story;
  story.post_that_fails("campaign", "c", "", "1");
  story.told("campaign", "1", "failed");
  story.post("campaign", "c", "", "2");
  const Judgement judgement = story.judged();
  EXPECT_TRUE(judgement.passes(1));
  EXPECT_EQ(judgement.creations_failed, 1);
}

TEST(Judge, FindsACreationBeforeTheFailureWasTold) {
  Story story;
  story.post_that_fails("campaign", "c", "", "1");
  story.post("campaign", "c", "", "2");
  EXPECT_EQ(story.judged().duplicates, 1);
}

TEST(Judge, FindsAChildBeforeItsParent) {
  Story story;
  story.refused("ad_group", "g", "nowhere");
  EXPECT_EQ(story.judged().child_before_parent, 1);
}

TEST(Judge, FindsAChildBeforeItsParentsConfirmation) {
  Story story;
  story.post("campaign", "c", "", "1");
  story.told("campaign", "1", "pending");
  story.post("ad_group", "g", "1", "2");
  const Judgement judgement = story.judged();
  EXPECT_EQ(judgement.child_before_confirmation, 1);
  EXPECT_FALSE(judgement.passes(2));
}

TEST(Judge, Finds41ArrivalsInAWindowAndNot40) {
  const auto most = [](Micros last_us) {
    Story story;
    for (int i = 0; i < 40; ++i) story.told("ad", "1", "pending");
    story.wait_until(last_us);
    story.told("ad", "1", "pending");
    return story.judged({{40, 60'000}});
  };
  EXPECT_EQ(most(59'999'999).tiers[0].most, 41);
  EXPECT_FALSE(most(59'999'999).passes(std::nullopt));
  EXPECT_EQ(most(60'000'000).tiers[0].most, 40);  // a window does not hold its own end
  EXPECT_TRUE(most(60'000'000).passes(std::nullopt));
}

TEST(Judge, CountsEchoedIdsByHowManyParentsShareThem) {
  const auto duplicates_of = [](int equal_ads) {
    Story story;
    for (const char* const campaign : {"c", "d"}) {
      story.post("campaign", campaign, "", campaign);
      story.told("campaign", campaign, "success");
      story.post("ad_group", "g", campaign, "g");
    }
    story.told("ad_group", "g", "success");
    for (int i = 0; i < equal_ads; ++i) story.post("ad", "a", "g", "a");
    return story.judged().duplicates;
  };
  EXPECT_EQ(duplicates_of(2), 0);
  EXPECT_EQ(duplicates_of(3), 1);
}

TEST(Judge, KnowsAnEchoedIdThatFailedAndCameBack) {
  Story story;
  story.post_that_fails("campaign", "c", "", "c");
  story.told("campaign", "c", "failed");
  story.post_that_fails("campaign", "c", "", "c");
  story.told("campaign", "c", "failed");
  story.post("campaign", "c", "", "c");
  EXPECT_TRUE(story.judged().passes(1));
}

TEST(Judge, NamesADamagedLine) {
  std::istringstream ledger("{\"event\":\"started\"}\n{\"seq\":1,\n");
  const auto judgement = judge(ledger, {});
  ASSERT_FALSE(judgement.has_value());
  EXPECT_EQ(judgement.error().code, Errc::data);
  EXPECT_THAT(judgement.error().message, testing::HasSubstr("line 2"));
}

TEST(JudgeProgram, PrintsAVerdictOnARealLedger) {
  MockProcess mock({"--idempotency", "off"});
  PlainClient client(mock.port());
  client.post("/campaigns", R"({"id":"c"})");
  client.get("/campaigns/dsp_c1/status");
  EXPECT_EQ(mock.stop(), 0);
  const Finish good = run_program(
      "dl-mock-dsp", {"judge", mock.ledger_path(), "--limit", "2/60s,40/1h", "--expect", "1"});
  EXPECT_EQ(good.exit_code, 0);
  for (const char* const line :
       {"requests: 2\n", "entities_created: 1\n", "duplicates: 0\n", "child_before_parent: 0\n",
        "most_in_window_2/60s: 2\n", "most_in_window_40/1h: 2\n", "answered_429: 0\n",
        "requests_per_entity: 2.0000\n", "makespan_ms: "}) {
    EXPECT_THAT(good.out, testing::HasSubstr(line));
  }
  const auto code_with = [&](const std::string& flag, const std::string& value) {
    return run_program("dl-mock-dsp", {"judge", mock.ledger_path(), flag, value}).exit_code;
  };
  EXPECT_EQ(code_with("--expect", "2"), 1);
  EXPECT_EQ(code_with("--limit", "1/1h"), 1);
  EXPECT_EQ(run_program("dl-mock-dsp", {"judge", "/nowhere/ledger"}).exit_code, 66);
}

}  // namespace
}  // namespace dl::mock
