#include "daemon/thread_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "daemon/dsp/heartbeat.h"
#include "daemon/dsp/worker_pool.h"
#include "tests/support/process.h"

namespace dl {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

// Two threads that answer as the test says, looked at in virtual time.
class ThreadWatchTest : public testing::Test {
 protected:
  struct Thread {
    bool hangs = false;
    int asked = 0;
  };

  WatchedThread watched(const std::string& who, Thread& thread) {
    return {who, [&thread] { ++thread.asked; }, [&thread] { return !thread.hangs; }};
  }

  // Looks every quarter of a second.
  void pass(std::chrono::milliseconds span) {
    for (const auto end = now_ + span; now_ < end; now_ += 250ms) watch_.look(now_);
  }

  Thread store_, hand_;
  int alive_ = 0;
  std::vector<std::string> said_;
  ThreadWatch::TimePoint now_{1h};
  ThreadWatch watch_{{watched("the store", store_), watched("a hand", hand_)},
                     5s,
                     {.all_alive = [this] { ++alive_; },
                      .silent = [this](const std::string& text) { said_.push_back(text); },
                      .all_again = [this](const std::string& text) { said_.push_back(text); }}};
};

TEST_F(ThreadWatchTest, HearsOfLifeAsOftenAsItAsks) {
  pass(60s);
  EXPECT_EQ(store_.asked, 12);
  EXPECT_EQ(hand_.asked, 12);
  EXPECT_EQ(alive_, 12);
  EXPECT_TRUE(said_.empty());
}

TEST_F(ThreadWatchTest, IsNotSatisfiedWhileOneThreadHangs) {
  pass(5s);
  EXPECT_EQ(alive_, 1);
  hand_.hangs = true;
  pass(10min);
  EXPECT_EQ(alive_, 1) << "nobody may be told that all is well";
  EXPECT_EQ(hand_.asked, 2) << "who has not answered is not asked again";
  EXPECT_THAT(said_, ElementsAre("a hand has not come back for 10 s")) << "once";
}

TEST_F(ThreadWatchTest, SaysThatASilenceIsOver) {
  store_.hangs = true;
  pass(25s);
  store_.hangs = false;
  pass(5s);
  EXPECT_THAT(said_, ElementsAre("the store has not come back for 10 s",
                                 "all threads are at work again, after 25 s"));
  EXPECT_GE(alive_, 1);
}

TEST_F(ThreadWatchTest, DoesNotSpeakOfAShortSilence) {
  store_.hangs = true;
  pass(9s);
  store_.hangs = false;
  pass(1s);
  EXPECT_TRUE(said_.empty());
  EXPECT_GE(alive_, 1);
}

TEST(Heartbeat, IsTakenForGrantedDuringWorkThatIsKnownToBeLong) {
  Heartbeat heartbeat;
  EXPECT_TRUE(heartbeat.has_answered()) << "nobody has asked";
  heartbeat.ask();
  EXPECT_FALSE(heartbeat.has_answered());
  heartbeat.begin_long_work(10min);
  EXPECT_TRUE(heartbeat.has_answered());
  heartbeat.end_long_work();
  EXPECT_FALSE(heartbeat.has_answered());
  heartbeat.begin_long_work(0min);
  EXPECT_FALSE(heartbeat.has_answered()) << "longer than it may be";
}

TEST(WorkersHeartbeat, IsGivenByEachHandBetweenTwoWorks) {
  std::promise<void> is_busy, goes_on;
  WirePolicy policy;
  // nobody listens
  policy.endpoint = {.tls = false, .host = "127.0.0.1", .port = "1", .base_path = ""};
  WireEvents events;
  events.connect_failed = [&](ConnectionId, const std::string&, ConnectTrouble) {
    is_busy.set_value();
    goes_on.get_future().wait();
  };
  WorkerPool pool(policy, 2, events);
  pool.ask();
  eventually("both are idle", [&] { return pool.have_answered(); });
  pool.connect({1, 1});
  is_busy.get_future().wait();
  pool.ask();
  EXPECT_FALSE(pool.have_answered());
  goes_on.set_value();
  eventually("it has come back", [&] { return pool.have_answered(); });
}

}  // namespace
}  // namespace dl
