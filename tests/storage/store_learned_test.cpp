// What the daemon has learned comes back after a restart: how long the DSP takes, and how the cap
// of a limit climbs back.
#include <gmock/gmock.h>

#include "tests/storage/store_fixture.h"

namespace dl {
namespace {

using namespace fixture;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class StoreLearned : public StoreTest {
 protected:
  StoreLearned() { start(); }
};

TEST_F(StoreLearned, ProcessingTimesComeBack) {
  EXPECT_THAT(start().processing, IsEmpty());
  WorkBatch batch;
  batch.processing = {{JobKind::ad, 40, 2'057, 3.25, 1.5, 0.125},
                      {JobKind::campaign, 0, 50, 7, 0, 0.5}};
  commit(batch);
  batch.processing = {{JobKind::ad, 40, 2'057, 4.0, 2.5, 0.125}};
  commit(batch);
  const Recovery recovery = start();
  ASSERT_EQ(recovery.processing.size(), 2U);
  const ProcessingBin& ad = recovery.processing[0];
  EXPECT_EQ(ad.kind, JobKind::ad);
  EXPECT_EQ(ad.bin, 40);
  EXPECT_EQ(ad.until_ms, 2'057);
  EXPECT_EQ(ad.entered, 4.0) << "the newer";
  EXPECT_EQ(ad.done, 2.5);
  EXPECT_EQ(ad.believed, 0.125);
  EXPECT_EQ(recovery.processing[1].kind, JobKind::campaign);
}

TEST_F(StoreLearned, TheCapsWayBackComesBackInTheSameBoot) {
  WorkBatch batch;
  batch.account = AccountState{};
  batch.account->cap = 30;
  batch.account->ceiling = 33;
  batch.account->lowered_boot_ms = now_.boot_ms - 7'000;
  batch.account->clean_boot_ms = now_.boot_ms - 5'000;
  batch.account->clean_windows = 3;
  commit(batch);
  const std::int64_t then = now_.boot_ms;
  pass(1'000);
  const AccountState account = start().account;
  EXPECT_EQ(account.cap, 30);
  EXPECT_EQ(account.lowered_boot_ms, then - 7'000);
  EXPECT_EQ(account.clean_boot_ms, then - 5'000);
  EXPECT_EQ(account.clean_windows, 3);
  facts_.boot_key = "another boot";
  const AccountState later = start().account;
  EXPECT_EQ(later.cap, 30);
  EXPECT_EQ(later.lowered_boot_ms, 0) << "another boot's clock says nothing";
  EXPECT_EQ(later.clean_boot_ms, 0);
  EXPECT_EQ(later.clean_windows, 3);
}

// Else a limit that was raised would creep up from the old one: by one every fifth window.
TEST_F(StoreLearned, TheCapOfOneLimitSaysNothingAboutAnother) {
  const auto save_cap = [this] {
    WorkBatch batch;
    batch.account = AccountState{};
    batch.account->refusals = 2;
    batch.account->cap = batch.account->ceiling = 40;
    batch.account->lowered_boot_ms = batch.account->clean_boot_ms = now_.boot_ms;
    batch.account->clean_windows = 3;
    commit(batch);
  };
  const std::vector<Tier> before = policy_.tiers;
  for (const std::vector<Tier>& after : {std::vector<Tier>{{400, 60'000}}, {{20, 60'000}}, {}}) {
    policy_.tiers = before;
    start();
    save_cap();
    policy_.tiers = after;
    const AccountState account = start().account;
    EXPECT_FALSE(account.cap || account.ceiling) << format_rate_spec(after);
    EXPECT_EQ(account.lowered_boot_ms + account.clean_boot_ms + account.clean_windows, 0);
    EXPECT_EQ(account.refusals, 2) << "and still one probe goes first";
  }
}

TEST_F(StoreLearned, WhatWasAcceptedOfLateIsReadFromTheLedger) {
  confirm(kCampaign, "dsp-1");
  pass(70'000);
  const auto poll = [this](int status, SlotEnd slot) {
    Outcome outcome = undecided(grant(kCampaign, Purpose::status), 0);
    pass(1'000);
    outcome.http_status = status;
    outcome.slot = slot;
    finish(outcome);
  };
  poll(200, SlotEnd::answered);
  poll(404, SlotEnd::answered);
  poll(429, SlotEnd::answered);
  poll(500, SlotEnd::answered);
  poll(504, SlotEnd::unsure);
  const std::int64_t now = now_.boot_ms;
  EXPECT_THAT(start().accepted_boot_ms, ElementsAre(now - 4'000, now - 3'000))
      << "neither refusals nor what proves nothing nor the POST a window ago";
}

}  // namespace
}  // namespace dl
