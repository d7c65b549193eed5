#include "daemon/core/connections.h"

#include <algorithm>

#include "storage/model/check.h"

namespace dl {

void Connections::set(ConnectionId id, Use use) {
  const auto [at, is_new] = uses_.try_emplace(id, State{.use = use});
  if (!is_new) {
    --counts_[static_cast<std::size_t>(at->second.use)];
    if (use == Use::busy) at->second.was_fresh = at->second.use == Use::idle_fresh;
    at->second.use = use;
  }
  ++counts_[static_cast<std::size_t>(use)];
  if (use == Use::idle_fresh) fresh_.push_back(id);
  if (use == Use::idle_used) used_.push_back(id);
}

int Connections::worker_for_the_next() const {
  const auto has_room = std::find_if(open_at_.begin(), open_at_.end(),
                                     [this](int open) { return open < per_worker_; });
  const auto at =
      has_room != open_at_.end() ? has_room : std::min_element(open_at_.begin(), open_at_.end());
  return static_cast<int>(at - open_at_.begin());
}

ConnectionId Connections::open_next() {
  const ConnectionId id{worker_for_the_next(), next_serial_++};
  ++open_at_[static_cast<std::size_t>(id.worker)];
  set(id, Use::opening);
  return id;
}

void Connections::opened(ConnectionId id, std::int64_t boot_ms) {
  DL_CHECK(uses_.contains(id) && uses_.at(id).use == Use::opening,
           "only what was opening is opened");
  set(id, Use::idle_fresh);
  uses_.at(id).opened_boot_ms = boot_ms;
}

void Connections::lost(ConnectionId id) {
  const auto at = uses_.find(id);
  if (at == uses_.end()) return;
  --counts_[static_cast<std::size_t>(at->second.use)];
  --open_at_[static_cast<std::size_t>(id.worker)];
  uses_.erase(at);
}

void Connections::returned(ConnectionId id) {
  const auto at = uses_.find(id);
  if (at == uses_.end()) return;
  DL_CHECK(at->second.use == Use::busy, "only a busy connection is returned");
  set(id, Use::idle_used);
}

void Connections::untouched(ConnectionId id) {
  const auto at = uses_.find(id);
  if (at == uses_.end()) return;
  DL_CHECK(at->second.use == Use::busy, "only a busy connection is given back");
  set(id, at->second.was_fresh ? Use::idle_fresh : Use::idle_used);
}

std::optional<ConnectionId> Connections::take(Freshness freshness) {
  const auto from = [this](std::vector<ConnectionId>& stack,
                           Use use) -> std::optional<ConnectionId> {
    while (!stack.empty()) {
      const ConnectionId id = stack.back();
      stack.pop_back();
      const auto at = uses_.find(id);
      if (at == uses_.end() || at->second.use != use) continue;
      set(id, Use::busy);
      return id;
    }
    return std::nullopt;
  };
  if (freshness == Freshness::any) {
    if (const auto id = from(used_, Use::idle_used)) return id;
  }
  return from(fresh_, Use::idle_fresh);
}

int Connections::idle(Freshness freshness) const {
  return count(Use::idle_fresh) + (freshness == Freshness::any ? count(Use::idle_used) : 0);
}

std::vector<ConnectionId> Connections::retire() {
  std::vector<ConnectionId> idle;
  for (auto& [id, state] : uses_) {
    state.is_retired = true;
    if (state.use == Use::idle_fresh || state.use == Use::idle_used) idle.push_back(id);
  }
  return idle;
}

bool Connections::is_retired(ConnectionId id) const {
  const auto at = uses_.find(id);
  return at != uses_.end() && at->second.is_retired;
}

bool Connections::is_unused(ConnectionId id) const {
  const auto at = uses_.find(id);
  if (at == uses_.end()) return false;
  return at->second.use == Use::idle_fresh || (at->second.use == Use::busy && at->second.was_fresh);
}

bool Connections::is_older_than(Millis age, ConnectionId id, std::int64_t boot_ms) const {
  const auto at = uses_.find(id);
  return at != uses_.end() && boot_ms - at->second.opened_boot_ms > age;
}

std::optional<ConnectionId> Connections::idle_used() const {
  for (auto at = used_.rbegin(); at != used_.rend(); ++at) {
    const auto use = uses_.find(*at);
    if (use != uses_.end() && use->second.use == Use::idle_used) return *at;
  }
  return std::nullopt;
}

}  // namespace dl
