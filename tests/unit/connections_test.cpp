#include "daemon/core/connections.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace dl {
namespace {

ConnectionId open_one(Connections& connections) {
  const ConnectionId id = connections.open_next();
  connections.opened(id, 0);
  return id;
}

TEST(Connections, NamesEachOneOnceAndSpreadsThemOverTheWorkers) {
  Connections connections(3);
  std::set<std::int64_t> serials;
  int on_worker[3] = {};
  for (int i = 0; i < 30; ++i) {
    const ConnectionId id = connections.open_next();
    EXPECT_TRUE(serials.insert(id.serial).second);
    ++on_worker[id.worker];
  }
  for (const int n : on_worker) EXPECT_EQ(n, 10);
  EXPECT_EQ(connections.opening(), 30);
}

TEST(Connections, KeepsTogetherWhatOneWorkerCanServe) {
  Connections connections(3, 10);
  std::vector<ConnectionId> open;
  const auto on_workers = [&] {
    std::array<int, 3> n{};
    for (const ConnectionId id : open) ++n[static_cast<std::size_t>(id.worker)];
    return n;
  };
  for (int i = 0; i < 15; ++i) open.push_back(connections.open_next());
  EXPECT_EQ(on_workers(), (std::array{10, 5, 0}));
  for (int i = 0; i < 4; ++i) connections.lost(open[static_cast<std::size_t>(i)]);
  open.erase(open.begin(), open.begin() + 4);
  open.push_back(connections.open_next());
  EXPECT_EQ(on_workers(), (std::array{7, 5, 0})) << "where one has gone there is room";
  for (int i = 0; i < 18; ++i) open.push_back(connections.open_next());
  EXPECT_EQ(on_workers(), (std::array{10, 10, 10}));
  for (int i = 0; i < 6; ++i) open.push_back(connections.open_next());
  EXPECT_EQ(on_workers(), (std::array{12, 12, 12})) << "beyond that evenly";
}

TEST(Connections, HandsOutOnlyWhatIsOpen) {
  Connections connections(1);
  const ConnectionId id = connections.open_next();
  EXPECT_EQ(connections.take(Freshness::any), std::nullopt);
  connections.opened(id, 0);
  EXPECT_EQ(connections.opening(), 0);
  EXPECT_EQ(connections.idle(Freshness::fresh), 1);
  EXPECT_EQ(connections.take(Freshness::fresh), id);
  EXPECT_EQ(connections.busy(), 1);
  EXPECT_EQ(connections.take(Freshness::any), std::nullopt) << "it is busy";
}

TEST(Connections, IsNotFreshAfterItsFirstRequest) {
  Connections connections(1);
  const ConnectionId id = open_one(connections);
  connections.take(Freshness::fresh);
  connections.returned(id);
  EXPECT_EQ(connections.take(Freshness::fresh), std::nullopt);
  EXPECT_EQ(connections.idle(Freshness::fresh), 0);
  EXPECT_EQ(connections.idle(Freshness::any), 1);
  EXPECT_EQ(connections.idle_used(), id);
  EXPECT_EQ(connections.take(Freshness::any), id);
}

TEST(Connections, StaysAsFreshAsItWasWhenNothingWasSent) {
  Connections connections(1);
  const ConnectionId id = open_one(connections);
  connections.take(Freshness::fresh);
  connections.untouched(id);
  EXPECT_EQ(connections.take(Freshness::fresh), id);
  connections.returned(id);
  connections.take(Freshness::any);
  connections.untouched(id);
  EXPECT_EQ(connections.take(Freshness::fresh), std::nullopt);
  EXPECT_EQ(connections.take(Freshness::any), id);
}

TEST(Connections, PrefersUsedOnesWhereAnyWillDo) {
  Connections connections(1);
  const ConnectionId used = open_one(connections);
  connections.take(Freshness::fresh);
  connections.returned(used);
  const ConnectionId fresh = open_one(connections);
  EXPECT_EQ(connections.take(Freshness::any), used);
  EXPECT_EQ(connections.take(Freshness::any), fresh);
}

TEST(Connections, ForgetsWhatIsLostAtAnyTime) {
  Connections connections(2);
  const ConnectionId opening = connections.open_next();
  const ConnectionId idle = open_one(connections);
  const ConnectionId used = open_one(connections);
  connections.take(Freshness::fresh);
  connections.returned(used);
  for (const ConnectionId id : {opening, idle, used, used}) connections.lost(id);
  EXPECT_EQ(connections.total(), 0);
  EXPECT_EQ(connections.take(Freshness::any), std::nullopt);
  EXPECT_EQ(connections.idle_used(), std::nullopt);
  connections.lost(ConnectionId{0, 99});
  EXPECT_EQ(connections.total(), 0);
}

// The DSP may close it while a permit for it is on its way to the tables.
TEST(Connections, IsLostForGoodEvenWhenItWasTaken) {
  Connections connections(1);
  const ConnectionId id = open_one(connections);
  connections.take(Freshness::fresh);
  connections.lost(id);
  connections.untouched(id);
  connections.returned(id);
  EXPECT_EQ(connections.total(), 0);
  EXPECT_EQ(connections.busy(), 0);
  EXPECT_EQ(connections.take(Freshness::any), std::nullopt);
}

TEST(Connections, CountsEachOneExactlyOnce) {
  Connections connections(2);
  for (int i = 0; i < 5; ++i) open_one(connections);
  const ConnectionId a = *connections.take(Freshness::fresh);
  connections.take(Freshness::fresh);
  connections.open_next();
  connections.returned(a);
  EXPECT_EQ(connections.opening(), 1);
  EXPECT_EQ(connections.busy(), 1);
  EXPECT_EQ(connections.idle(Freshness::fresh), 3);
  EXPECT_EQ(connections.idle_used_count(), 1);
  EXPECT_EQ(connections.total(), 6);
}

}  // namespace
}  // namespace dl
