// What --verify asks the DSP: each attempt that may have reached it, with what the ledger believes
// of it.
#include <gmock/gmock.h>

#include "storage/verifier.h"
#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreInquiry : public StoreTest {
 protected:
  StoreInquiry() {
    policy_.unknown_outcome = UnknownOutcome::lookup;
    start();
  }
  std::vector<std::string> inquiries() {
    std::vector<std::string> all;
    const auto found = store_->inquiries(JobId{1}, JobId{1'000});
    EXPECT_TRUE(found) << found.error().message;
    for (const Inquiry& inquiry : *found) {
      constexpr const char* kWords[] = {"there", "dead", "declared", "not there", "unknown"};
      all.push_back(std::to_string(inquiry.job.value) + "/" + std::to_string(inquiry.attempt) +
                    " " + kWords[static_cast<int>(inquiry.believed)] +
                    (inquiry.dsp_id.empty() ? "" : " " + inquiry.dsp_id) +
                    (inquiry.can_be_asked ? "" : ", without its key"));
    }
    expect_at_rest();
    return all;
  }
};

TEST_F(StoreInquiry, OfAJobThatWasNeverSentIsNone) { EXPECT_THAT(inquiries(), IsEmpty()); }

TEST_F(StoreInquiry, BelievesWhatTheLedgerSaysOfEachAttempt) {
  finish(refused(grant(kCampaign)));
  pass(60'000);
  make_due(kCampaign);
  confirm(kCampaign, "dsp-1");
  doubt(kOther);
  EXPECT_THAT(inquiries(), ElementsAre("1/1 not there", "1/2 there dsp-1",
                                       std::to_string(kOther) + "/1 unknown"));
}

TEST_F(StoreInquiry, KnowsACreationThatIsDead) {
  confirm(kCampaign, "dsp-1");
  Outcome failed = outcome_of(grant(kCampaign, Purpose::status), JobEvent::creation_failed);
  failed.outcome_class = "creation_failed";
  failed.spends_attempt = true;
  failed.due_in_ms = 0;
  finish(failed);
  EXPECT_THAT(inquiries(), ElementsAre("1/1 dead dsp-1"));
}

TEST_F(StoreInquiry, KnowsAnOperatorsWord) {
  doubt(kCampaign);
  ASSERT_EQ("", as_stranger("INSERT INTO operator_act (job_id, act, dsp_id, who, why) VALUES (1, "
                            "'exists', 'seen', 'm', 'y')"));
  EXPECT_THAT(inquiries(), ElementsAre("1/1 declared seen"));
}

TEST_F(StoreInquiry, CannotAskForWhatWasSentWithoutItsKey) {
  policy_.unknown_outcome = UnknownOutcome::hold;
  start();
  confirm(kCampaign, "dsp-1");
  EXPECT_THAT(inquiries(), ElementsAre("1/1 there dsp-1, without its key"));
}

TEST_F(StoreInquiry, AsksAfterARestoreForEveryAttemptThatMayBeForgotten) {
  policy_.max_retries = 1;
  start();
  finish(refused(grant(kCampaign)));
  as_daemon("UPDATE account SET paused_by = 'generation check'");
  const std::vector<std::string> all = inquiries();
  EXPECT_THAT(std::vector<std::string>(all.begin(), all.begin() + 4),
              ElementsAre("1/1 not there", "1/2 not there", "2/1 not there", "2/2 not there"));
}

// It moves no job and takes nobody's lease; while it is open, nothing is broken; the next owner
// closes it.
TEST_F(StoreInquiry, IsALedgerRowThatTouchesNoJob) {
  confirm(kCampaign, "dsp-1");
  const std::string before = job(1, "state || updated_at || coalesce(lease_token, '-')");
  const auto found = store_->inquiries(JobId{1}, JobId{1});
  const auto granted = store_->permit_inquiry(found->front(), now_);
  ASSERT_TRUE(granted) << granted.error().message;
  EXPECT_EQ(request_column(granted->request, "purpose || worker || coalesce(finished_at, '-')"),
            "lookup-1-");
  const auto broken = [this] {
    int n = 0;
    EXPECT_TRUE(verify(*database_, [&n](const Finding&) { ++n; }));
    return n;
  };
  EXPECT_EQ(broken(), 0);
  start();
  EXPECT_EQ(request_column(granted->request, "slot"), "unsure") << "its slot may still be held";
  EXPECT_EQ(job(1, "state || updated_at || coalesce(lease_token, '-')"), before);
  EXPECT_EQ(broken(), 0);
}

// Neither the settings nor the doubts are the asking program's.
TEST_F(StoreInquiry, LeavesSettingsAndDoubtsAsTheDaemonLeftThem) {
  policy_.unknown_outcome = UnknownOutcome::hold;
  policy_.max_retries = 7;
  start();
  doubt(kCampaign);
  const std::string held = job(1, "hold || coalesce(due_at, '-')");
  policy_ = {};
  policy_.unknown_outcome = UnknownOutcome::lookup;
  policy_.only_asks = true;
  start();
  EXPECT_EQ(job(1, "hold || coalesce(due_at, '-')"), held);
  EXPECT_EQ(value("SELECT unknown_outcome || max_retries FROM account"), "hold7");
}

}  // namespace
}  // namespace dl
