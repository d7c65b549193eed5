// What waits for the DSP: young, likely, ripe, and what may be sent of it.
#include "daemon/core/poll_queue.h"

#include <gtest/gtest.h>

#include <random>

namespace dl {
namespace {

constexpr Millis kSpacing = 1'500;

struct PollSpec {
  std::int64_t id = 1;
  std::int64_t posted = 0;
  bool has_children = false;
  Millis looked = kNeverLooked;
  JobKind kind = JobKind::ad;
};

Candidate poll(const PollSpec& spec) {
  Candidate candidate{.job = {}, .purpose = Purpose::status};
  candidate.job.id = JobId{spec.id};
  candidate.job.kind = spec.kind;
  candidate.job.has_children = spec.has_children;
  candidate.posted_boot_ms = spec.posted;
  candidate.looked_age_ms = spec.looked;
  return candidate;
}

class PollQueueTest : public ::testing::Test {
 protected:
  // The DSP takes three to five seconds with everything, as was seen a hundred times.
  PollQueueTest() {
    for (const JobKind kind : {JobKind::campaign, JobKind::ad_group, JobKind::ad}) {
      for (const Millis takes : {3'000, 4'000, 5'000}) teach(kind, takes);
    }
  }
  void teach(JobKind kind, Millis takes) {
    for (int i = 0; i < 100; ++i) {
      schedule_.saw_undone(kind, kNeverLooked, takes * 9 / 10);
      schedule_.saw_done(kind, takes * 9 / 10, takes);
    }
    schedule_.believe_what_was_seen(taught_at_ += 1'000);
  }
  Millis likely() const { return schedule_.likely_age(JobKind::ad, kNeverLooked); }
  Millis ripe() const { return schedule_.ripe_age(JobKind::ad, kNeverLooked); }
  std::vector<std::int64_t> certain(std::int64_t now, EndGame end_game = EndGame::no) {
    std::vector<std::int64_t> ids;
    for (const Candidate& candidate : queue_.take_certain(now, end_game))
      ids.push_back(candidate.job.id.value);
    return ids;
  }
  std::int64_t doubtful(std::int64_t now) const {
    const std::optional<Candidate> candidate = queue_.doubtful(now, kSpacing);
    return candidate ? candidate->job.id.value : 0;
  }

  Schedule schedule_{Pace::limited};
  std::int64_t taught_at_ = 0;
  PollQueue queue_{schedule_};
};

TEST_F(PollQueueTest, HandsOverWhatIsRipeAndNothingSooner) {
  queue_.add(poll({.id = 1, .posted = 10'000}), 0);
  queue_.add(poll({.id = 2, .posted = 20'000}), 0);
  EXPECT_EQ(queue_.next_certain_at(EndGame::no), 10'000 + ripe());
  EXPECT_TRUE(certain(10'000 + ripe() - 1).empty());
  EXPECT_EQ(certain(10'000 + ripe()), std::vector<std::int64_t>{1});
  EXPECT_EQ(queue_.size(), 1U);
  EXPECT_TRUE(queue_.remove(JobId{2}));
  EXPECT_FALSE(queue_.remove(JobId{2}));
  EXPECT_EQ(queue_.next_certain_at(EndGame::no), std::nullopt);
}

TEST_F(PollQueueTest, MovesWhatWasNeverLookedAtWithWhatIsLearned) {
  queue_.add(poll({.posted = 10'000}), 0);
  const Millis before = ripe();
  teach(JobKind::ad, 50'000);
  teach(JobKind::ad, 50'000);
  ASSERT_GT(ripe(), 4 * before);
  EXPECT_TRUE(certain(10'000 + before).empty());
  EXPECT_EQ(queue_.next_certain_at(EndGame::no), 10'000 + ripe());
  EXPECT_FALSE(queue_.is_certain(poll({.posted = 10'000}), 10'000 + before, EndGame::no));
  EXPECT_TRUE(queue_.is_certain(poll({.posted = 10'000}), 10'000 + ripe(), EndGame::no));
}

TEST_F(PollQueueTest, CountsAfterAnUndoneLookFromThere) {
  const Candidate looked = poll({.posted = 10'000, .looked = 6'000});
  queue_.add(looked, 0);
  const Millis next = schedule_.ripe_age(JobKind::ad, 6'000);
  EXPECT_GT(next, 6'000);
  EXPECT_TRUE(certain(10'000 + next - 1).empty());
  EXPECT_EQ(certain(10'000 + next), std::vector<std::int64_t>{1});
}

TEST_F(PollQueueTest, LooksNotBeforeItIsAskedTo) {
  queue_.add(poll({.posted = 10'000}), 90'000);
  EXPECT_EQ(queue_.next_certain_at(EndGame::no), 90'000);
  EXPECT_TRUE(certain(89'999).empty());
  EXPECT_EQ(doubtful(89'999), 0) << "not even as a probe";
  EXPECT_EQ(certain(90'000), std::vector<std::int64_t>{1}) << "ripe since long";
}

TEST_F(PollQueueTest, GuessesOncePerSpacingParentsFirstTheLongestLikelyFirst) {
  queue_.add(poll({.id = 1, .posted = 9'000}), 0);
  queue_.add(poll({.id = 2, .posted = 9'500, .has_children = true, .kind = JobKind::ad_group}), 0);
  queue_.add(poll({.id = 3, .posted = 9'400, .has_children = true, .kind = JobKind::campaign}), 0);
  const std::int64_t now = 9'500 + likely();
  queue_.note_sent(now);
  queue_.note_guessed(now - kSpacing + 1);
  EXPECT_EQ(doubtful(now), 0) << "never from saved-up burst";
  EXPECT_EQ(queue_.next_doubtful_at(kSpacing), now + 1);
  EXPECT_EQ(doubtful(now + 1), 3);
  queue_.remove(JobId{3});
  EXPECT_EQ(doubtful(now + 1), 2);
  queue_.remove(JobId{2});
  EXPECT_EQ(doubtful(now + 1), 1) << "what nobody waits for comes last";
  queue_.remove(JobId{1});
  queue_.add(poll({.id = 4, .posted = now}), 0);
  EXPECT_EQ(doubtful(now + 1), 0) << "less likely than not";
}

TEST_F(PollQueueTest, ProbesWhenNothingElseWasSentForLong) {
  queue_.add(poll({.id = 1, .posted = 100'000}), 0);
  queue_.add(poll({.id = 2, .posted = 99'000, .has_children = true, .looked = 1'000}), 0);
  queue_.note_sent(100'000);
  EXPECT_EQ(doubtful(100'000 + 4 * kSpacing - 5'950), 0);
  const std::int64_t now = 100'000 + 4 * kSpacing;
  queue_.note_guessed(now);
  EXPECT_EQ(doubtful(now), 2);
  queue_.remove(JobId{2});
  EXPECT_EQ(doubtful(now), 1);
  queue_.remove(JobId{1});
  queue_.add(poll({.id = 3, .posted = now - 10'000, .looked = 9'900}), 0);
  EXPECT_EQ(doubtful(now), 0) << "looked at just now";
  EXPECT_EQ(queue_.next_doubtful_at(kSpacing), now + 395) << "not before, or it would wake in vain";
  EXPECT_EQ(doubtful(now + 395), 3) << "at 1.05 times the age of the last look";
}

// Told a time at which there is nothing, the dispatcher would wake every millisecond from then on.
TEST_F(PollQueueTest, SaysOfAProbeOnlyWhenThereIsOne) {
  queue_.add(poll({.id = 1, .posted = 0, .looked = 1'000'000}), 0);
  queue_.note_sent(1'000'000);
  queue_.note_guessed(1'000'000);
  const std::optional<std::int64_t> at = queue_.next_doubtful_at(kSpacing);
  ASSERT_TRUE(at.has_value());
  EXPECT_EQ(doubtful(*at - 1), 0);
  EXPECT_EQ(doubtful(*at), 1) << "at " << *at;
}

TEST_F(PollQueueTest, TakesLikelyParentsInTheEndGame) {
  queue_.add(poll({.id = 1, .posted = 10'000, .has_children = true}), 0);
  queue_.add(poll({.id = 2, .posted = 10'000}), 0);
  queue_.add(poll({.id = 3, .posted = -1'000, .has_children = true, .looked = 6'000}), 0);
  EXPECT_EQ(queue_.next_certain_at(EndGame::yes),
            -1'000 + schedule_.likely_age(JobKind::ad, 6'000));
  EXPECT_EQ(certain(10'000 + likely() - 1, EndGame::yes), std::vector<std::int64_t>{3});
  EXPECT_EQ(certain(10'000 + likely(), EndGame::yes), std::vector<std::int64_t>{1});
  EXPECT_EQ(certain(10'000 + ripe(), EndGame::yes), std::vector<std::int64_t>{2});
}

// Against the rule read off one by one, over random queues.
TEST_F(PollQueueTest, AgreesWithLookingAtEveryOneOfThem) {
  std::mt19937_64 random(3);
  const auto below = [&](std::int64_t n) {
    return std::uniform_int_distribution<std::int64_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 300; ++round) {
    PollQueue queue(schedule_);
    std::vector<Candidate> all;
    const std::int64_t now = 100'000;
    for (std::int64_t id = 1; id <= 12; ++id) {
      all.push_back(poll({.id = id,
                          .posted = 88'000 + below(12'000),
                          .has_children = below(2) == 0,
                          .looked = below(2) == 0 ? kNeverLooked : 3'000 + below(4'000),
                          .kind = static_cast<JobKind>(below(3))}));
      queue.add(all.back(), 0);
    }
    const EndGame end_game = below(2) == 0 ? EndGame::no : EndGame::yes;
    std::vector<Candidate> left;
    std::size_t expected = 0;
    for (const Candidate& each : all) {
      const bool early = end_game == EndGame::yes && each.job.has_children;
      const Millis age = early ? schedule_.likely_age(each.job.kind, each.looked_age_ms)
                               : schedule_.ripe_age(each.job.kind, each.looked_age_ms);
      const bool is_certain = each.posted_boot_ms + age <= now;
      if (is_certain) ++expected;
      if (!is_certain) left.push_back(each);
    }
    EXPECT_EQ(queue.take_certain(now, end_game).size(), expected) << "round " << round;
    queue.note_sent(now);
    const auto likely_at = [&](const Candidate& each) {
      return each.posted_boot_ms + schedule_.likely_age(each.job.kind, each.looked_age_ms);
    };
    const Candidate* best = nullptr;
    for (const Candidate& each : left) {
      if (likely_at(each) > now) continue;
      const auto rank = [&](const Candidate& c) {
        return std::pair(c.job.has_children ? 0 : 1, likely_at(c));
      };
      if (best == nullptr || rank(each) < rank(*best)) best = &each;
    }
    const std::optional<Candidate> guess = queue.doubtful(now, kSpacing);
    ASSERT_EQ(guess.has_value(), best != nullptr) << "round " << round;
    if (best != nullptr) {
      EXPECT_EQ(likely_at(*guess), likely_at(*best)) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace dl
