// Which windows the ledger alone proves to be too full: against a count by brute force, and through
// --verify.
#include "storage/ledger_windows.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "storage/verifier.h"
#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Sent {
  std::int64_t sent_ms;
  std::int64_t answered_ms;
};

std::int64_t count_in_window(const std::vector<Sent>& all, std::int64_t begin, Millis window) {
  return std::ranges::count_if(all, [&](const Sent& one) {
    return one.sent_ms >= begin && one.answered_ms < begin + window;
  });
}

TEST(FullestWindow, IsWhatACountOfEachWindowFinds) {
  std::mt19937 random(7);
  const auto below = [&](int n) {
    return static_cast<std::int64_t>(random() % static_cast<unsigned>(n));
  };
  for (int round = 0; round < 300; ++round) {
    const Millis window = 1 + below(60);
    const int slow = 1 + static_cast<int>(below(90));
    std::vector<Sent> all;
    std::int64_t now = 1'000;
    FullestWindow fullest({1, window});
    for (std::int64_t i = below(60); i > 0; --i) {
      now += below(3) == 0 ? below(40) : 0;
      all.push_back({now, now + below(slow)});
      fullest.add(std::ssize(all), now, all.back().answered_ms);
    }
    fullest.end();
    std::int64_t expected = 0;
    for (const Sent& one : all)
      expected = std::max(expected, count_in_window(all, one.sent_ms, window));
    ASSERT_EQ(fullest.count(), expected) << "round " << round;
    if (expected == 0) continue;
    const Sent& first = all[static_cast<std::size_t>(fullest.first() - 1)];
    EXPECT_EQ(count_in_window(all, first.sent_ms, window), expected) << "round " << round;
  }
}

class LedgerWindows : public StoreTest {
 protected:
  std::vector<std::string> broken() {
    std::vector<std::string> all;
    EXPECT_TRUE(
        verify(*database_, [&all](const Finding& finding) { all.push_back(finding.what); }));
    return all;
  }
  // A POST and a look, which ends `later` after the POST has left.
  void two_requests(Millis later) {
    start();
    const Granted post = grant(kCampaign);
    finish(accepted(post, "dsp-1"));
    const Granted look = grant(kCampaign, Purpose::status);
    pass(later);
    finish(outcome_of(look, JobEvent::confirmed));
  }
};

TEST_F(LedgerWindows, AreFullWhereMoreWasSentAndAnsweredThanTheLimitAllows) {
  policy_.tiers = {{2, 60'000}, {1, 1'000}};
  two_requests(999);
  EXPECT_THAT(broken(), ElementsAre("the limit 1/1s was broken: 2 requests were sent and answered "
                                    "in the window that began with request 1"));
}

TEST_F(LedgerWindows, AreNotProvenToBeFullByWhatMayHaveArrivedLater) {
  policy_.tiers = {{1, 1'000}};
  two_requests(1'000);
  EXPECT_THAT(broken(), IsEmpty());
}

TEST_F(LedgerWindows, AreOfOneLimitAndOneBoot) {
  policy_.tiers = {{1, 60'000}};
  start();
  finish(accepted(grant(kCampaign), "dsp-1"));
  // another, by its text; nobody knows what the DSP thought of the two together
  policy_.tiers = {{1, 30'000}};
  start();
  finish(accepted(grant(kOther), "dsp-2"));
  EXPECT_THAT(broken(), IsEmpty());
  facts_.boot_key = "boot-b";
  start();
  finish(outcome_of(grant(kCampaign, Purpose::status), JobEvent::confirmed));
  EXPECT_THAT(broken(), IsEmpty());
  start();  // one more daemon, but the same limit and boot
  finish(outcome_of(grant(kOther, Purpose::status), JobEvent::confirmed));
  EXPECT_THAT(broken(), ElementsAre(HasSubstr("the limit 1/30s was broken: 2 requests")));
}

TEST_F(LedgerWindows, AreNotJudgedWithoutALimit) {
  policy_.tiers = {};
  two_requests(0);
  EXPECT_THAT(broken(), IsEmpty());
  policy_.tiers = {{1, 60'000}};
  start();
  as_daemon("UPDATE instance SET rate_limit = NULL");  // older than the column
  EXPECT_THAT(broken(), IsEmpty());
}

}  // namespace
}  // namespace dl
