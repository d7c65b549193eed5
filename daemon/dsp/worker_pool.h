// N hands: worker threads, each one io_context with its own connections to the DSP. A hand does
// what it is told, one request at a time on a connection, and reports each end once. It never
// retries, follows a redirect, or sends anything on its own: one permit is one request.
//
// Connect (TCP and TLS) comes first and is reported; only then does the dispatcher commit an intent
// and send it on that connection. Closed sockets drop unsent data (SO_LINGER 0); TCP_USER_TIMEOUT
// is set.
//
// Thread rule: the public functions may be called from one thread, the daemon's. The events run on
// worker threads and must only hand their values on (post). Ownership: the pool owns its threads;
// stop(), or the destructor, cuts what is left without an event, and joins.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "daemon/core/dsp.h"
#include "storage/model/result.h"

namespace dl {

// Where the DSP is. From `--endpoint`: http://host[:port][/base] or https://…; nothing else is
// accepted (no user info, query or fragment).
struct Endpoint {
  bool tls = false;
  std::string host;                   // name or address, without brackets
  std::string port;                   // "443"
  std::string base_path;              // "" or "/v1", no trailing slash
  std::string text() const;           // as a person would write it
  std::string host_and_port() const;  // "dsp.example:443", "[::1]:443"
  bool is_loopback() const;           // 127.0.0.0/8, ::1 or localhost
};
// Errors: config, with the URL and what is wrong with it.
Result<Endpoint> parse_endpoint(const std::string& url);

struct WirePolicy {
  Endpoint endpoint;
  std::chrono::milliseconds connect_timeout{30'000};  // resolve, connect and TLS together
  std::chrono::milliseconds http_timeout{120'000};    // first byte out to last byte in
  std::string ca_file;                                // empty: the system's; tests use their own
  std::string token_file;  // empty: no Authorization. Read anew for each connection; never logged
  std::string user_agent = "DemandLink";
};

struct WireEvents {
  std::function<void(ConnectionId)> connected;
  std::function<void(ConnectionId, std::string trouble, ConnectTrouble)> connect_failed;
  std::function<void(ConnectionId)> closed;  // while idle, by the DSP or by close()
  // The one end of a send(). `reusable`: the connection is idle again; else it is gone, and no
  // closed() follows.
  std::function<void(ConnectionId, RequestId, DspReply, bool reusable)> replied;
};

class WorkerPool {
 public:
  // Throws std::system_error where the machine has no thread for each of them.
  WorkerPool(WirePolicy policy, int workers, WireEvents events);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // Opens a connection on thread `id.worker` (0 … workers-1), under a serial never used before:
  // exactly one connected or connect_failed.
  void connect(ConnectionId id);
  // Sends on an idle connection: exactly one replied, whatever happens. On a connection that is
  // gone: Wire::not_sent.
  void send(ConnectionId id, DspRequest request);
  // Closes an idle connection (closed() follows), or one that is connecting (connect_failed does);
  // one with a request on it is closed after its reply.
  void close(ConnectionId id);

  // Cuts every connection and joins the threads: nothing is sent and no event comes after this.
  // Nothing else may be called then but awaits_name() and the destructor. A second call does
  // nothing.
  void stop();
  // After stop(): a name is still being resolved. getaddrinfo cannot be interrupted, so the
  // destructor waits for it, a minute where the DNS server is silent.
  bool awaits_name() const;

  // Asks all hands for a sign of life; true once each has given one since.
  void ask();
  bool have_answered() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dl
