#include "daemon/dsp/worker_pool.h"

#include <pthread.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/dsp/http_client.h"
#include "storage/model/check.h"

namespace dl {

struct WorkerPool::Impl {
  WirePolicy policy;
  WireEvents events;
  std::vector<std::unique_ptr<HttpClient>> hands;
  std::vector<std::thread> threads;

  HttpClient& hand(ConnectionId id) {
    DL_CHECK(id.worker >= 0 && static_cast<std::size_t>(id.worker) < hands.size(),
             "a connection belongs to one of the workers");
    return *hands[static_cast<std::size_t>(id.worker)];
  }
};

WorkerPool::WorkerPool(WirePolicy policy, int workers, WireEvents events)
    : impl_(std::make_unique<Impl>()) {
  DL_CHECK(workers > 0, "a pool has at least one worker");
  impl_->policy = std::move(policy);
  impl_->events = std::move(events);
  for (int i = 0; i < workers; ++i) {
    impl_->hands.push_back(std::make_unique<HttpClient>(impl_->policy, impl_->events));
  }
  impl_->threads.reserve(impl_->hands.size());
  try {
    for (const auto& hand : impl_->hands) {
      impl_->threads.emplace_back([&client = *hand] { client.run(); });
      pthread_setname_np(impl_->threads.back().native_handle(), "hand");
    }
  } catch (...) {  // no thread for this one: those that run have nobody else who ends them
    stop();
    throw;
  }
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::stop() {
  if (impl_->threads.empty()) return;
  for (const auto& hand : impl_->hands) hand->stop();
  for (std::thread& thread : impl_->threads) thread.join();
  impl_->threads.clear();
}

bool WorkerPool::awaits_name() const {
  return std::any_of(impl_->hands.begin(), impl_->hands.end(),
                     [](const auto& hand) { return hand->awaits_name(); });
}

void WorkerPool::connect(ConnectionId id) { impl_->hand(id).connect(id); }
void WorkerPool::send(ConnectionId id, DspRequest request) {
  impl_->hand(id).send(id, std::move(request));
}
void WorkerPool::close(ConnectionId id) { impl_->hand(id).close(id); }

void WorkerPool::ask() {
  for (const auto& hand : impl_->hands) hand->ask();
}

bool WorkerPool::have_answered() const {
  return std::all_of(impl_->hands.begin(), impl_->hands.end(),
                     [](const auto& hand) { return hand->has_answered(); });
}

}  // namespace dl
