// The moments around the commit of a group of batches, told by what the group holds. Nothing where
// DL_FAULT_POINTS is off.
#pragma once

#ifndef DL_FAULT_POINTS

#define DL_FAULT_BEFORE_COMMIT(batches) static_cast<void>(0)
#define DL_FAULT_AFTER_COMMIT(batches) static_cast<void>(0)

#else

#include <algorithm>
#include <span>

#include "storage/fault/fault_point.h"
#include "storage/model/work.h"

namespace dl::fault {

inline bool any_permit(std::span<const WorkBatch> batches) {
  return std::ranges::any_of(batches,
                             [](const WorkBatch& batch) { return !batch.permits.empty(); });
}

inline bool any_outcome(std::span<const WorkBatch> batches,
                        std::initializer_list<Purpose> purposes) {
  const auto fits = [&](const Outcome& outcome) {
    return std::ranges::find(purposes, outcome.purpose) != purposes.end();
  };
  return std::ranges::any_of(
      batches, [&](const WorkBatch& batch) { return std::ranges::any_of(batch.outcomes, fits); });
}

inline void before_commit(std::span<const WorkBatch> batches) {
  if (any_permit(batches)) reach("intent.before_commit");
  if (any_outcome(batches, {Purpose::create})) reach("result.before_commit");
  if (any_outcome(batches, {Purpose::status})) reach("poll.before_commit");
  if (any_outcome(batches, {Purpose::resubmit, Purpose::lookup})) reach("reconcile.before_commit");
}

inline void after_commit(std::span<const WorkBatch> batches) {
  if (any_permit(batches)) reach("intent.after_commit");
  if (any_outcome(batches, {Purpose::create})) reach("result.after_commit");
}

}  // namespace dl::fault

#define DL_FAULT_BEFORE_COMMIT(batches) ::dl::fault::before_commit(batches)
#define DL_FAULT_AFTER_COMMIT(batches) ::dl::fault::after_commit(batches)

#endif
