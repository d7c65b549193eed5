// One hand: an event loop with its connections to the DSP, on one thread. What the functions
// promise is said in worker_pool.h.
//
// Thread rule: run() on the hand's own thread; all else may be called from one other thread, which
// posts. Events run on the hand's thread.
// Ownership: the policy and the events outlive the client; stop() and the end of run() come before
// its destructor.
#pragma once

#include <memory>

#include "daemon/dsp/worker_pool.h"

namespace dl {

class HttpClient {
 public:
  HttpClient(const WirePolicy& policy, const WireEvents& events);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Serves until stop().
  void run();
  // Cuts every connection; no event follows once run() has returned.
  void stop();
  // After the end of run(): the destructor will wait for a name that is being resolved.
  bool awaits_name() const;

  void connect(ConnectionId id);
  void send(ConnectionId id, DspRequest request);
  void close(ConnectionId id);

  void ask();
  bool has_answered() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dl
