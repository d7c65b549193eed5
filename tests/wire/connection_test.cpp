#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <vector>

#include "daemon/core/outcome.h"
#include "tests/support/full_port.h"
#include "tests/wire/driver.h"
#include "tests/wire/scripted_server.h"

namespace dl::wire_test {
namespace {

using testing::HasSubstr;
using What = Event::What;

TEST(Connection, SaysWhyItCannotConnect) {
  int port = 0;
  {
    port = ScriptedServer([](Peer&) {}).port();
  }
  Driver refused(policy_for(port));
  const Event event = refused.connect_failure();
  EXPECT_EQ(event.trouble, "connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
  EXPECT_EQ(event.connect_trouble, ConnectTrouble::dsp);
  refused.pool().send(Driver::kFirst, post());
  EXPECT_EQ(refused.reply().reply.wire, Wire::not_sent);
}

TEST(Connection, GivesUpWhereNobodyAnswers) {
  const FullPort full = FullPort::of_v4();
  ASSERT_TRUE(full.is_there());
  WirePolicy policy = policy_for(full.port());
  policy.connect_timeout = std::chrono::milliseconds(200);
  Driver driver(policy);
  const Event event = driver.connect_failure();
  EXPECT_EQ(event.trouble,
            "connect to 127.0.0.1:" + std::to_string(full.port()) + ": no success in 200 ms");
  EXPECT_EQ(event.connect_trouble, ConnectTrouble::dsp);
  EXPECT_EQ(driver.exchange(post()).reply.wire, Wire::not_sent);
}

// The kernel counts TCP_USER_TIMEOUT in an int of milliseconds, which are 24.8 days.
TEST(Connection, HasTimeoutsOfAnyLength) {
  const ScriptedServer server([](Peer& peer) { peer.read_to_end(); });
  for (const std::chrono::milliseconds timeout :
       {std::chrono::hours(30 * 24), std::chrono::hours(50 * 24),
        std::chrono::hours(10 * 366 * 24)}) {
    WirePolicy policy = policy_for(server.port());
    policy.connect_timeout = policy.http_timeout = timeout;
    Driver driver(policy);
    driver.connect();
  }
}

// What the kernel would still deliver after the deadline is dropped: else a creation that was given
// up arrives at any later time.
TEST(Connection, TakesBackWhatWasNotReadWhenTheDeadlinePasses) {
  constexpr std::size_t kMoreThanIsBuffered = 64 * 1024 * 1024;
  std::promise<void> given_up;
  Transcript seen;
  ScriptedServer server([&](Peer& peer) {
    given_up.get_future().wait();
    const std::size_t read = peer.read_to_end().size();
    seen.add(std::string(peer.ended_by_reset() ? "reset" : "end") +
             (read < kMoreThanIsBuffered ? " within the body" : ""));
  });
  WirePolicy policy = policy_for(server.port());
  policy.http_timeout = std::chrono::milliseconds(300);
  Driver driver(policy);
  driver.connect();
  const Event event = driver.exchange(post(std::string(kMoreThanIsBuffered, 'x')));
  EXPECT_EQ(event.reply.wire, Wire::no_answer) << event.reply.trouble;
  given_up.set_value();
  EXPECT_EQ(seen.next(), "reset within the body");
}

// Of this process's sockets, those that are connected to that port of this machine: their
// TCP_USER_TIMEOUT.
std::vector<unsigned> user_timeouts_towards(int port) {
  std::vector<unsigned> found;
  for (int fd = 0; fd < 1'024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0 ||
        ntohs(peer.sin_port) != port)
      continue;
    unsigned& timeout = found.emplace_back();
    size = sizeof timeout;
    ::getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, &size);
  }
  return found;
}

// Nor is it repeated for longer to a machine that does not acknowledge it.
TEST(Connection, TellsTheKernelHowLongToTry) {
  ScriptedServer server([](Peer& peer) { peer.read_to_end(); });
  Driver driver(policy_for(server.port()));
  driver.connect();
  EXPECT_EQ(user_timeouts_towards(server.port()), std::vector<unsigned>{8'000});
}

// Takes every descriptor that this process may still have.
class NoFilesLeft {
 public:
  NoFilesLeft() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    const int lowest_free = ::dup(STDERR_FILENO);
    ::close(lowest_free);
    none.rlim_cur = static_cast<rlim_t>(lowest_free);
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoFilesLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(Connection, SaysThatThereAreNoFileDescriptorsAndWhatToDo) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP()
      << "UBSan opens a pipe to learn whether an object can be read, and calls it invalid without";
#endif
  const std::string token = testing::TempDir() + "dl-files-" + std::to_string(getpid());
  std::ofstream(token) << "secret\n";
  for (const std::string host : {"127.0.0.1", "localhost", "with a token"}) {
    ScriptedServer server([](Peer& peer) { peer.read_to_end(); });
    WirePolicy policy = policy_for(server.port());
    if (host == "localhost") policy.endpoint.host = host;
    if (host == "with a token") policy.token_file = token;
    Driver driver(policy);
    {
      const NoFilesLeft no_files_left;
      const Event event = driver.connect_failure();
      EXPECT_EQ(event.connect_trouble, ConnectTrouble::open_files) << host << ": " << event.trouble;
      for (const char* word : {"EMFILE", "ulimit -n", "LimitNOFILE", "--in-flight"}) {
        EXPECT_THAT(event.trouble, HasSubstr(word)) << host;
      }
    }
    driver.connect({0, 2});
  }
  std::filesystem::remove(token);
}

TEST(Connection, SaysThatANameDoesNotResolve) {
  WirePolicy policy = policy_for(80);
  policy.endpoint.host = "name.invalid";
  policy.connect_timeout = std::chrono::milliseconds(500);  // where no name server answers at all
  Driver driver(policy);
  EXPECT_THAT(driver.connect_failure().trouble, HasSubstr("name.invalid"));
}

TEST(Connection, ConnectsByName) {
  ScriptedServer server([](Peer& peer) { peer.read_to_end(); });
  WirePolicy policy = policy_for(server.port());
  policy.endpoint.host = "localhost";
  Driver driver(policy);
  driver.connect();
}

TEST(Connection, NoticesThatAnIdleConnectionEnds) {
  for (const char* bytes : {"", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"}) {
    ScriptedServer server([&](Peer& peer) {
      peer.read_request();
      peer.write(kCreated);
      peer.read_request();
      peer.write(kCreated);
      peer.write(bytes);
    });
    Driver driver(policy_for(server.port()));
    driver.connect();
    EXPECT_EQ(driver.exchange(post()).reply.wire, Wire::answered);
    driver.pool().send(Driver::kFirst, post());
    const Event second = driver.reply();
    EXPECT_EQ(second.reply.wire, Wire::answered);
    if (!second.reusable) continue;  // the stray bytes came along with the answer
    EXPECT_EQ(driver.next().what, What::closed);
    const Event gone = driver.exchange(post());
    EXPECT_EQ(gone.reply.wire, Wire::not_sent);
    EXPECT_EQ(gone.reply.trouble, "the connection was gone");
    EXPECT_FALSE(gone.reusable);
  }
}

// The worker is held up in an event while the server acts and the request is handed in.
TEST(Connection, SendsNothingOnAConnectionThatEndedThisVeryMoment) {
  const ScriptedServer::Script acts[] = {
      [](Peer& peer) { peer.close(); }, [](Peer& peer) { peer.reset(); },
      [](Peer& peer) { peer.write("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"); }};
  for (const auto& act : acts) {
    std::promise<void> acted;
    std::promise<std::string> received;
    std::promise<void> connected;
    ScriptedServer server([&](Peer& peer) {
      connected.get_future().wait();
      act(peer);
      acted.set_value();
      received.set_value(peer.read_to_end());
    });
    std::promise<void> go_on;
    std::promise<Wire> wire;
    WireEvents events;
    events.connected = [&](ConnectionId) {
      connected.set_value();
      go_on.get_future().wait();
    };
    events.connect_failed = [](ConnectionId, const std::string&, ConnectTrouble) { ADD_FAILURE(); };
    events.closed = [](ConnectionId) {};
    events.replied = [&](ConnectionId, RequestId, const DspReply& reply, bool) {
      wire.set_value(reply.wire);
    };
    WorkerPool pool(policy_for(server.port()), 1, events);
    pool.connect(Driver::kFirst);
    acted.get_future().wait();
    pool.send(Driver::kFirst, post());
    go_on.set_value();
    EXPECT_EQ(wire.get_future().get(), Wire::not_sent);
    EXPECT_EQ(received.get_future().get(), "");
  }
}

// Far more than the two sockets' buffers hold (a few MiB), so a server that reads nothing stops the
// writing.
constexpr std::size_t kMoreThanBuffersHold = 64 * 1024 * 1024;

// Row 6 of the table of outcomes and its neighbour, row 7: where writing stopped decides.
TEST(Connection, KnowsWhetherTheBodyHadBegunWhenWritingFailed) {
  struct Stop {
    std::size_t head;
    std::size_t body;
    NotTaken proof;
    OutcomeClass what;
  };
  for (const Stop& stop :
       {Stop{kMoreThanBuffersHold, 16, NotTaken::body_never_began, OutcomeClass::not_sent},
        Stop{16, kMoreThanBuffersHold, NotTaken::no_proof, OutcomeClass::unknown}}) {
    ScriptedServer server([](Peer& peer) {
      peer.read_some();  // the request has begun
      peer.reset();
    });
    Driver driver(policy_for(server.port()));
    driver.connect();
    DspRequest request = post(std::string(stop.body, 'b'));
    request.target = "/campaigns/" + std::string(stop.head, 't');
    const Event event = driver.exchange(std::move(request));
    EXPECT_EQ(event.reply.wire, Wire::no_answer);
    EXPECT_EQ(event.reply.http_status, 0);
    EXPECT_EQ(event.reply.not_taken, stop.proof) << event.reply.trouble;
    EXPECT_EQ(classify(Purpose::create, event.reply, {}), stop.what);
    EXPECT_EQ(slot_end(event.reply, {}), SlotEnd::unsure)
        << "the server may count what it has seen of it";
  }
}

TEST(Connection, ClosesABusyConnectionAfterItsReply) {
  std::promise<void> closing;
  ScriptedServer server([&](Peer& peer) {
    peer.read_request();
    closing.get_future().wait();
    peer.write(kCreated);
    peer.read_to_end();
  });
  Driver driver(policy_for(server.port()));
  driver.connect();
  driver.pool().send(Driver::kFirst, post());
  driver.pool().close(Driver::kFirst);
  closing.set_value();
  const Event event = driver.reply();
  EXPECT_EQ(event.reply.wire, Wire::answered);
  EXPECT_FALSE(event.reusable);
  driver.pool().close(Driver::kFirst);  // gone already: no event
  EXPECT_EQ(driver.exchange(post()).reply.wire, Wire::not_sent);
}

TEST(Connection, SaysNothingOnceItIsDestroyed) {
  std::promise<void> received;
  ScriptedServer server([&](Peer& peer) {
    if (peer.read_request().empty()) return;  // the second connection
    received.set_value();
    peer.wait_for_hangup(8000);
  });
  Driver driver(policy_for(server.port()));
  driver.connect();
  driver.pool().send(Driver::kFirst, post());
  driver.pool().connect({0, 2});  // may or may not come up
  received.get_future().wait();
  driver.destroy_pool();
  const std::size_t before = driver.events_waiting();
  EXPECT_LE(before, 1U)
      << "the request on the wire has no end any more, the connection perhaps one";
}

TEST(Connection, ServesManyConnectionsOnManyThreads) {
  constexpr int kConnections = 8;
  constexpr int kRounds = 50;
  ScriptedServer server([](Peer& peer) {
    while (!peer.read_request().empty()) peer.write(kCreated);
  });
  // One connection at a time is what the scripted server serves: each thread's in turn.
  Driver driver(policy_for(server.port()), 4);
  for (int i = 0; i < kConnections; ++i) {
    const ConnectionId id{i % 4, i};
    driver.connect(id);
    for (int round = 0; round < kRounds; ++round) {
      const Event event = driver.exchange(post(), id);
      ASSERT_EQ(event.reply.wire, Wire::answered);
      ASSERT_EQ(event.connection, id);
      ASSERT_TRUE(event.reusable);
    }
    driver.pool().close(id);
    EXPECT_EQ(driver.next().what, What::closed);
  }
}

TEST(Connection, ReadsTheTokenAnewForEachConnectionAndNeverShowsIt) {
  const std::string path = testing::TempDir() + "dl-token-" + std::to_string(getpid());
  Transcript seen;
  ScriptedServer server([&](Peer& peer) {
    const std::string request = peer.read_request();
    seen.add(request);
    peer.write(
        "HTTP/1.1 401 Who\r\nContent-Type: text/plain\r\nConnection: close\r\n"
        "X-Request-Id: canary-1\r\nContent-Length: " +
        std::to_string(request.size()) + "\r\n\r\n" + request);
  });
  WirePolicy policy = policy_for(server.port());
  policy.token_file = path;
  Driver driver(policy);
  const Event missing = driver.connect_failure();
  EXPECT_EQ(missing.connect_trouble, ConnectTrouble::credentials);
  EXPECT_THAT(missing.trouble, HasSubstr("No such file"));
  for (const std::int64_t serial : {2, 3}) {
    const std::string token = "canary-" + std::to_string(serial);
    std::ofstream(path) << "  " << token << "\n";
    driver.connect({0, serial});
    const Event event = driver.exchange(post(), {0, serial});
    EXPECT_THAT(seen.next(), HasSubstr("\r\nAuthorization: Bearer " + token + "\r\n"));
    EXPECT_EQ(event.reply.http_status, 401);
    for (const std::string& text : {event.reply.trouble, event.reply.excerpt}) {
      EXPECT_THAT(text, testing::Not(HasSubstr(token)));
    }
  }
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace dl::wire_test
