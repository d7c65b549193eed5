// A WorkerPool with its events in a queue, for tests to step through. Every wait has an end: an
// event that does not come within 10 s is a failure, returned as Event::What::nothing.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>

#include "daemon/dsp/worker_pool.h"

namespace dl::wire_test {

struct Event {
  enum class What { nothing, connected, connect_failed, closed, replied };
  What what = What::nothing;
  ConnectionId connection{};
  RequestId request{};
  DspReply reply{};
  std::string trouble{};
  ConnectTrouble connect_trouble = ConnectTrouble::dsp;
  bool reusable = false;
};

inline WirePolicy policy_for(int port) {
  WirePolicy policy;
  policy.endpoint = {
      .tls = false, .host = "127.0.0.1", .port = std::to_string(port), .base_path = ""};
  policy.connect_timeout = std::chrono::seconds(8);
  policy.http_timeout = std::chrono::seconds(8);
  return policy;
}

inline DspRequest post(std::string body = R"({"id":"c1"})") {
  return {.id = {7},
          .purpose = Purpose::create,
          .kind = JobKind::campaign,
          .target = "/campaigns",
          .body = std::move(body),
          .idempotency_key = "key-1"};
}

inline DspRequest status_of(const std::string& id) {
  return {.id = {8},
          .purpose = Purpose::status,
          .kind = JobKind::campaign,
          .target = "/campaigns/" + id + "/status",
          .body = "",
          .idempotency_key = ""};
}

class Driver {
 public:
  explicit Driver(WirePolicy policy, int workers = 1)
      : pool_(std::make_unique<WorkerPool>(std::move(policy), workers, events())) {}

  Event next() {
    std::unique_lock lock(mutex_);
    if (!arrived_.wait_for(lock, std::chrono::seconds(10), [&] { return !queue_.empty(); })) {
      ADD_FAILURE() << "no event in 10 s";
      return {};
    }
    Event event = std::move(queue_.front());
    queue_.pop_front();
    return event;
  }

  // The next event, which must be the end of a request.
  Event reply() {
    Event event = next();
    EXPECT_EQ(event.what, Event::What::replied) << event.trouble;
    return event;
  }

  void connect(ConnectionId id = kFirst) {
    pool_->connect(id);
    const Event event = next();
    EXPECT_EQ(event.what, Event::What::connected) << event.trouble;
  }

  Event connect_failure() {
    pool_->connect(kFirst);
    Event event = next();
    EXPECT_EQ(event.what, Event::What::connect_failed);
    return event;
  }

  Event exchange(DspRequest request, ConnectionId id = kFirst) {
    pool_->send(id, std::move(request));
    return reply();
  }

  WorkerPool& pool() { return *pool_; }
  void destroy_pool() { pool_.reset(); }
  std::size_t events_waiting() {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

  static constexpr ConnectionId kFirst{0, 1};

 private:
  void push(Event event) {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(event));
    arrived_.notify_one();
  }

  WireEvents events() {
    return {
        .connected =
            [this](ConnectionId id) { push({.what = Event::What::connected, .connection = id}); },
        .connect_failed =
            [this](ConnectionId id, std::string trouble, ConnectTrouble connect_trouble) {
              push({.what = Event::What::connect_failed,
                    .connection = id,
                    .trouble = std::move(trouble),
                    .connect_trouble = connect_trouble});
            },
        .closed =
            [this](ConnectionId id) { push({.what = Event::What::closed, .connection = id}); },
        .replied =
            [this](ConnectionId id, RequestId request, DspReply reply, bool reusable) {
              push({.what = Event::What::replied,
                    .connection = id,
                    .request = request,
                    .reply = std::move(reply),
                    .reusable = reusable});
            }};
  }

  std::mutex mutex_;  // the events come from worker threads
  std::condition_variable arrived_;
  std::deque<Event> queue_;
  std::unique_ptr<WorkerPool> pool_;
};

}  // namespace dl::wire_test
