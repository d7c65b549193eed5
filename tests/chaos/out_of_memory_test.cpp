// Memory that runs out at the n-th allocation of a submission, SQLite's or anybody's: the programs
// try again or say so and end with 74; nothing is lost, and nothing is sent twice.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <functional>

#include "storage/model/result.h"
#include "tests/chaos/one_campaign.h"
#include "tests/e2e/site.h"

namespace dl::chaos {
namespace {

using e2e::Site;

constexpr int kIo = static_cast<int>(Errc::io);
constexpr int kSamples = 10;
const std::string kOfTheStart = "";
const std::string kOfTheWork = ",alloc_from:takeover.after_commit";

// `fails_at(n)`: lets the n-th allocation fail, and says whether there was one. There are too many
// to try each: first n grows until there is none, then they are sampled at equal distances.
void sample(const std::function<bool(std::int64_t)>& fails_at) {
  constexpr std::int64_t kGrows = 6;
  std::int64_t beyond = 100;
  while (fails_at(beyond)) beyond *= kGrows;
  const std::int64_t step = beyond / kGrows / kSamples + 1;
  for (std::int64_t n = step; n < beyond && fails_at(n);) n += step;
}

// Most allocations are of the start, so those of the work are sampled for themselves.
void sample_start_and_work(const std::function<bool(std::int64_t, const std::string&)>& fails_at) {
  for (const std::string& when : {kOfTheStart, kOfTheWork})
    sample([&](std::int64_t n) { return fails_at(n, when); });
}

bool says(const std::string& text, const char* words) {
  return text.find(words) != std::string::npos;
}

// A program, one after the other, in a database of its own each time.
class OutOfMemory : public testing::Test {
 protected:
  std::string next() { return "m" + std::to_string(++made_); }
  void load(const std::string& own) {
    const Finish loaded = run(loader_of_one(own, db_of(own)));
    ASSERT_EQ(loaded.exit_code, 0) << loaded.err;
  }
  std::string db_of(const std::string& own) const { return site_.file(own + ".db"); }
  Launch faulty(Launch launch, const std::string& own, const std::string& fault) const {
    launch.environment["DL_FAULT"] = fault + ",trace:" + trace_of(own);
    return launch;
  }
  Launch daemon(const std::string& own) const {
    Launch launch =
        site_.daemon({"--drain", "--rate-limit", "none", "--unknown-outcome", "resubmit"});
    launch.environment["DL_DB"] = db_of(own);
    return launch;
  }
  bool was_due(const std::string& own) const { return says(text_of(trace_of(own)), "fault at "); }
  void finish(const std::string& own, std::int64_t n) const {
    const Finish rest = run(daemon(own));
    EXPECT_EQ(rest.exit_code, 0) << n << rest.err;
  }
  void conclude(const char* what) const {
    std::printf("%s: %d runs, %d ended with 74, %d tried again\n", what, made_, ended_,
                tried_again_);
    site_.expect_created_once(made_ * kEntitiesOfOne);
  }

  const Site site_;
  int made_ = 0;
  int ended_ = 0;
  int tried_again_ = 0;

 private:
  std::string trace_of(const std::string& own) const { return site_.file(own + ".reached"); }
};

TEST_F(OutOfMemory, OfSqliteOnceIsTriedAgainOrEndsTheDaemonWith74) {
  const auto fails_at = [&](std::int64_t n, const std::string& when) {
    const std::string own = next();
    load(own);
    const Finish first =
        run(faulty(daemon(own), own, "alloc.sqlite:" + std::to_string(n) + ":nomem" + when));
    EXPECT_TRUE(first.exit_code == 0 || first.exit_code == kIo)
        << n << ": " << first.exit_code << first.err;
    EXPECT_TRUE(first.exit_code == 0 || says(first.err, "out of memory")) << n << first.err;
    ended_ += first.exit_code == kIo ? 1 : 0;
    tried_again_ += says(first.err, "trying again") ? 1 : 0;
    if (first.exit_code != 0) finish(own, n);
    return was_due(own);
  };
  sample_start_and_work(fails_at);
  conclude("SQLite, once");
  EXPECT_GT(ended_, 0);
  EXPECT_GT(tried_again_, 0);
}

// It says so and waits, or ends; then it dies, and the next one finds memory.
TEST_F(OutOfMemory, OfSqliteForGoodPausesTheDaemonOrEndsItWith74) {
  const auto fails_at = [&](std::int64_t n, const std::string& when) {
    const std::string own = next();
    load(own);
    {
      Process first(
          faulty(daemon(own), own, "alloc.sqlite:" + std::to_string(n) + "+:nomem" + when));
      const auto has_ended = [&] { return first.ends_within(std::chrono::milliseconds{0}); };
      eventually("it waits or ends",
                 [&] { return says(first.err(), "trying again") || has_ended(); });
      if (has_ended()) {
        const int exit_code = first.wait();
        EXPECT_TRUE(exit_code == 0 || exit_code == kIo) << n << ": " << exit_code << first.err();
        ended_ += exit_code == kIo ? 1 : 0;
      } else {
        ++tried_again_;
        first.signal(SIGKILL);
        first.wait();
      }
    }
    finish(own, n);
    return was_due(own);
  };
  sample_start_and_work(fails_at);
  conclude("SQLite, for good");
  EXPECT_GT(ended_, 0);
  EXPECT_GT(tried_again_, 0);
}

TEST_F(OutOfMemory, OfADaemonEndsItWith74) {
  const auto fails_at = [&](std::int64_t n, const std::string& when) {
    const std::string own = next();
    load(own);
    const Finish first =
        run(faulty(daemon(own), own, "alloc.new:" + std::to_string(n) + ":nomem" + when));
    const bool is_due = was_due(own);
    EXPECT_EQ(first.exit_code, is_due ? kIo : 0) << n << first.err;
    EXPECT_EQ(says(first.err, "dl-daemon: out of memory"), is_due) << n << first.err;
    ended_ += first.exit_code == kIo ? 1 : 0;
    if (first.exit_code != 0) finish(own, n);
    return is_due;
  };
  sample_start_and_work(fails_at);
  conclude("dl-daemon, once");
  EXPECT_GE(ended_, kSamples / 2);
}

// What was not acknowledged is loaded again, and is there once.
TEST_F(OutOfMemory, OfALoaderEndsItWith74AndTheSheetIsLoadedAgain) {
  for (const std::string memory : {"alloc.new", "alloc.sqlite"}) {
    sample([&](std::int64_t n) {
      const std::string own = next();
      const Launch loader = loader_of_one(own, db_of(own));
      const Finish first = run(faulty(loader, own, memory + ":" + std::to_string(n) + ":nomem"));
      const bool is_due = was_due(own);
      EXPECT_TRUE(first.exit_code == 0 || (is_due && first.exit_code == kIo))
          << n << ": " << first.exit_code << first.err;
      EXPECT_TRUE(first.exit_code == 0 || says(first.err, "out of memory")) << n << first.err;
      ended_ += first.exit_code == kIo ? 1 : 0;
      if (first.exit_code != 0) load(own);
      finish(own, n);
      return is_due;
    });
  }
  conclude("dl-ingest, once");
  EXPECT_GE(ended_, kSamples / 2);
}

}  // namespace
}  // namespace dl::chaos
