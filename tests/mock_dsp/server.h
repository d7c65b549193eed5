// The mock's HTTP server: one thread, one epoll, keep-alive. What arrives in one turn of the loop
// is handled first, then its ledger lines go out in one write, then the answers: no client ever
// knows more than the ledger. Thread rule: run() blocks its thread until SIGTERM or SIGINT, which
// must be blocked in all threads.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "storage/model/result.h"
#include "tests/mock_dsp/clock.h"
#include "tests/mock_dsp/dsp.h"
#include "tests/mock_dsp/ledger.h"

namespace dl::mock {

// A file descriptor with an owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A bound, listening socket and its port.
struct Listener {
  Descriptor socket;
  int port = 0;
  std::string url;  // http://127.0.0.1:8080
};
// `address`: A.B.C.D:PORT or [IPV6]:PORT; port 0: a free one.
// Errors: usage for a bad address, unavailable.
Result<Listener> listen_on(const std::string& address);

class Server {
 public:
  // `dsp`, `ledger` and `listener` outlive the server.
  Server(Dsp& dsp, Ledger& ledger, const Clock& clock, const Listener& listener);
  ~Server();

  // Serves until a signal ends it. Errors: io, when the ledger cannot be written: nothing that is
  // not recorded is answered.
  Status run();

 private:
  using Serial = std::int64_t;
  struct Connection;
  struct Outgoing {
    Serial connection = 0;
    Way way = Way::answer;
    bool keep_alive = true;
    std::string bytes;
  };

  void accept_all();
  void on_socket(Connection& connection, std::uint32_t events);
  bool receive(Connection& connection);
  void handle_next(Connection& connection);
  void record(Connection& connection, Reply&& reply, bool keep_alive, Instant now);
  Status send_all_due();
  void begin_sending(Outgoing&& outgoing);
  bool continue_sending(Connection& connection);
  void drop(Connection& connection, Way way);
  void watch(const Connection& connection, std::uint32_t events);
  int wait_ms(Instant now) const;

  Dsp& dsp_;
  Ledger& ledger_;
  const Clock& clock_;
  const Listener& listener_;
  Descriptor epoll_;
  Descriptor signals_;
  Serial next_serial_;
  bool accepting_ = true;  // false while descriptors are used up
  std::unordered_map<Serial, std::unique_ptr<Connection>> connections_;
  std::vector<Outgoing> outbox_;             // leaves in this turn, after the ledger
  std::multimap<Micros, Outgoing> delayed_;  // by due moment, real µs
};

}  // namespace dl::mock
