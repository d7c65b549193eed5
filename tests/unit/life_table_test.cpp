// What is learned from polls that say "done" or "not yet": held against the definition by brute
// force, and against processing times that are known.
#include "daemon/core/life_table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace dl {
namespace {

TEST(LifeTable, BeginsWithALogNormalOfMedianThreeSeconds) {
  const LifeTable table;
  EXPECT_FALSE(table.has_seen());
  EXPECT_NEAR(table.undone_at(3'000), 0.5, 0.02);
  const double one_sigma_later = 3'000 * std::exp(1.5);
  EXPECT_NEAR(table.undone_at(static_cast<Millis>(one_sigma_later)), 0.159, 0.02);
  EXPECT_EQ(table.undone_at(0), 1.0);
}

TEST(LifeTable, AnswersTheLeastBinEdgeThatIsLikelyEnough) {
  const LifeTable table;
  for (const double likelihood : {0.3, 0.5, 0.9, 0.98, 0.99}) {
    for (const Millis looked : {kNeverLooked, Millis{100}, Millis{4'000}, Millis{60'000}}) {
      const Millis age = table.age_when(likelihood, looked);
      const double undone_then = looked == kNeverLooked ? 1.0 : table.undone_at(looked);
      EXPECT_GT(age, looked);
      EXPECT_LE(table.undone_at(age), (1 - likelihood) * undone_then + 1e-9);
      const Millis bin_before = static_cast<Millis>(static_cast<double>(age) / 1.1) - 1;
      const bool is_first_step =
          static_cast<double>(bin_before) < 1.02 * static_cast<double>(looked);
      if (is_first_step || bin_before < 50) continue;
      EXPECT_GT(table.undone_at(bin_before), (1 - likelihood) * undone_then) << "not the least";
    }
  }
}

TEST(LifeTable, StepsOnByHalfBeyondItsLastBin) {
  const LifeTable table;
  EXPECT_EQ(table.age_when(0.98, 100'000'000), 150'000'000);
}

double raw(const std::vector<ProcessingBin>& bins, int bin, bool done) {
  for (const ProcessingBin& b : bins) {
    if (b.bin == bin) return done ? b.done : b.entered;
  }
  return 0;
}

// One step of EM by its definition: given that it was done in (looked, age], the chance that it was
// in the part of a bin between `from` and `to` is (S(from) - S(to)) / (S(looked) - S(age)).
TEST(LifeTable, SharesADoneLookOutAsOneStepOfEm) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int round = 0; round < 200; ++round) {
    LifeTable table;
    for (int i = 0; i < round % 7; ++i) {  // not only from the prior
      table.saw_done(kNeverLooked, static_cast<Millis>(500 + uniform(random) * 20'000));
    }
    table.take_changes(JobKind::ad);
    const LifeTable before = table;
    std::vector<double> edges{0};
    for (int i = 0; i < LifeTable::kBins; ++i) edges.push_back(50 * std::pow(1.1, i));
    const Millis looked = round % 2 == 0 ? 0 : static_cast<Millis>(uniform(random) * 5'000);
    const Millis age = looked + 100 + static_cast<Millis>(uniform(random) * 10'000);
    table.saw_done(looked, age);
    const std::vector<ProcessingBin> after = table.take_changes(JobKind::ad);
    ASSERT_FALSE(after.empty());
    const double sum = before.undone_at(looked) - before.undone_at(age);
    double done_sum = 0;
    for (const ProcessingBin& bin : after) {
      const auto i = static_cast<std::size_t>(bin.bin);
      const double from = std::max<double>(edges[i], static_cast<double>(looked));
      const double to = std::min<double>(edges[i + 1], static_cast<double>(age));
      const double expected = (before.undone_at(static_cast<Millis>(std::llround(from))) -
                               before.undone_at(static_cast<Millis>(std::llround(to)))) /
                              sum;
      const double alive =
          (before.undone_at(static_cast<Millis>(std::llround(from))) - before.undone_at(age)) / sum;
      done_sum += bin.done;
      if (round % 7 != 0) continue;  // the counts are the step's own only in an empty table
      EXPECT_NEAR(bin.done, expected, 0.01) << "round " << round << " bin " << bin.bin;
      EXPECT_NEAR(bin.entered, alive * (to - from) / (edges[i + 1] - edges[i]), 0.02)
          << "round " << round;
    }
    if (round % 7 == 0) {
      EXPECT_NEAR(done_sum, 1.0, 1e-6) << "one entity is done once";
    }
  }
}

TEST(LifeTable, CountsAnUndoneLookInTheBinsItCovers) {
  LifeTable table;
  table.saw_undone(kNeverLooked, 5'000);
  const std::vector<ProcessingBin> bins = table.take_changes(JobKind::ad);
  EXPECT_EQ(raw(bins, 0, false), 1.0);
  EXPECT_EQ(raw(bins, 20, false), 1.0);
  for (const ProcessingBin& bin : bins) EXPECT_EQ(bin.done, 0.0);
  EXPECT_LE(raw(bins, bins.back().bin, false), 1.0) << "the last bin only in part";
  EXPECT_GE(bins.back().until_ms, 5'000);
}

// Looks at the median of what is believed, until done: what is learned is what is true.
TEST(LifeTable, FindsTheTruthFromCensoredLooks) {
  std::mt19937_64 random(11);
  const auto learned_from = [&](auto&& draw) {
    LifeTable table;
    for (int i = 0; i < 2'000; ++i) {
      const double takes = draw();
      Millis looked = kNeverLooked;
      for (int look = 0; look < 100; ++look) {
        const Millis age = table.age_when(i % 2 == 0 ? 0.5 : 0.98, looked);
        if (static_cast<double>(age) >= takes) {
          table.saw_done(looked, age);
          break;
        }
        table.saw_undone(looked, age);
        looked = age;
      }
    }
    return table;
  };
  std::uniform_real_distribution<double> two_to_five(2'000, 5'000);
  const LifeTable even = learned_from([&] { return two_to_five(random); });
  EXPECT_NEAR(static_cast<double>(even.age_when(0.98, kNeverLooked)), 5'000, 750);
  EXPECT_NEAR(static_cast<double>(even.mean_ms()), 3'500, 700)
      << "looks that late tell little of what is earlier";
  std::lognormal_distribution<double> minutes(std::log(300'000), 0.5);
  const LifeTable slow = learned_from([&] { return minutes(random); });
  EXPECT_NEAR(slow.undone_at(300'000), 0.5, 0.12);
  EXPECT_NEAR(static_cast<double>(slow.age_when(0.98, kNeverLooked)),
              300'000 * std::exp(0.5 * 2.05), 150'000);
}

TEST(LifeTable, ForgetsWhatIsLongAgo) {
  LifeTable table;
  for (int i = 0; i < 2'000; ++i) table.saw_done(kNeverLooked, 3'000);
  ASSERT_LT(table.age_when(0.98, kNeverLooked), 3'500);
  int seen = 0;
  for (; table.age_when(0.5, kNeverLooked) < 50'000; ++seen) {  // now the DSP takes a minute
    ASSERT_LT(seen, 1'000) << "it is not believed";
    table.saw_undone(kNeverLooked, 55'000);
    table.saw_done(55'000, 61'000);
  }
  EXPECT_LT(seen, 600) << "its memory is of a few hundred";
}

TEST(LifeTable, LetsANewKindBeginAsItsParents) {
  LifeTable parent;
  for (int i = 0; i < 300; ++i)
    parent.saw_undone(kNeverLooked, 50'000), parent.saw_done(50'000, 60'000);
  LifeTable child;
  child.believe(parent);
  EXPECT_EQ(child.age_when(0.98, kNeverLooked), parent.age_when(0.98, kNeverLooked));
  EXPECT_FALSE(child.has_seen()) << "it has seen nothing itself";
  for (int i = 0; i < 20; ++i) child.saw_done(kNeverLooked, 2'000);
  EXPECT_LT(child.age_when(0.5, kNeverLooked), 3'000) << "what it sees itself soon outweighs that";
}

TEST(LifeTable, IsTheSameAfterARestart) {
  LifeTable parent;
  for (int i = 0; i < 50; ++i) parent.saw_done(kNeverLooked, 7'000);
  LifeTable table;
  table.believe(parent);
  std::vector<ProcessingBin> rows;
  std::vector<ProcessingBin> more = table.take_changes(JobKind::ad);
  rows.insert(rows.end(), more.begin(), more.end());
  for (int i = 0; i < 100; ++i)
    table.saw_undone(2'000, 4'000 + i * 10), table.saw_done(kNeverLooked, 9'000 + i);
  EXPECT_TRUE(table.has_changes());
  more = table.take_changes(JobKind::ad);
  rows.insert(rows.end(), more.begin(), more.end());
  EXPECT_FALSE(table.has_changes());
  EXPECT_TRUE(table.take_changes(JobKind::ad).empty());
  LifeTable again;
  again.restore(rows);
  EXPECT_TRUE(again.has_seen());
  EXPECT_FALSE(again.has_changes());
  for (Millis age = 10; age < 80'000'000; age = age * 11 / 10 + 1) {
    EXPECT_NEAR(again.undone_at(age), table.undone_at(age), 1e-12) << age;
  }
}

TEST(LifeTable, TakesNoNonsenseBack) {
  LifeTable table;
  table.restore(std::vector<ProcessingBin>{{JobKind::ad, -1, 0, 5, 5, 0.5},
                                           {JobKind::ad, 150, 0, 5, 5, 0.5},
                                           {JobKind::ad, 3, 0, 5, 7, 2},
                                           {JobKind::ad, 4, 0, -5, -7, -2}});
  double last = 1;
  for (Millis age = 10; age < 1'000'000; age *= 2) {
    EXPECT_LE(table.undone_at(age), last);
    EXPECT_GE(table.undone_at(age), 0);
    last = table.undone_at(age);
  }
}

}  // namespace
}  // namespace dl
