// Distinct ids have distinct types, so that a job's id cannot be passed where a request's is
// wanted. Each wraps the INTEGER PRIMARY KEY of its table. Value types; no thread rule.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace dl {

template <class Tag>
struct Id {
  std::int64_t value = 0;  // 0: none
  friend auto operator<=>(const Id&, const Id&) = default;
  explicit operator bool() const { return value != 0; }
};

using JobId = Id<struct JobTag>;
using BatchId = Id<struct BatchTag>;
using InstanceId = Id<struct InstanceTag>;
// A ledger row. The id of the request that a job is leased for is also the lease's fencing token:
// ids only grow, so an owner that wakes from the dead can never present the present one.
using RequestId = Id<struct RequestTag>;

}  // namespace dl

template <class Tag>
struct std::hash<dl::Id<Tag>> {
  std::size_t operator()(dl::Id<Tag> id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
